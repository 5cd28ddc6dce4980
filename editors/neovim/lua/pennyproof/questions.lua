--- Questions of the server, such as for trust. A prompt that opened while the user types would swallow the keys, so it
--- waits until insert mode is left.
local notify = require("pennyproof.notify")
local status = require("pennyproof.status")

local M = {}

local function typing()
  return vim.api.nvim_get_mode().mode:find("^[iRct]") ~= nil
end

--- A handler of `window/showMessageRequest`, which Neovim calls in a coroutine.
function M.ask(failure, params, context)
  if typing() then
    local asking = coroutine.running()
    status.question(true)
    notify.info("has a question, and asks once you leave insert mode")
    vim.api.nvim_create_autocmd("ModeChanged", {
      callback = function()
        if typing() then
          return false
        end
        vim.schedule(function()
          coroutine.resume(asking)
        end)
        return true
      end,
    })
    coroutine.yield()
    status.question(false)
  end
  return vim.lsp.handlers["window/showMessageRequest"](failure, params, context)
end

return M
