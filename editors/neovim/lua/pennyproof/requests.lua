--- Commands that the server is asked to run: their progress, their cancelling, and what becomes of them.
local notify = require("pennyproof.notify")

local M = {}

local CANCELLED = -32800

--- Progress token → what is under way, as { client_id, id, title }.
local running = {}
local tokens = 0

--- Ask for a command.
---@param client vim.lsp.Client
---@param buffer integer
---@param command string
---@param argument table
---@param done fun(result: table) Called with the result; errors are told to the user.
---@param always? fun() Called once it is over, however it went.
function M.run(client, buffer, command, argument, done, always)
  tokens = tokens + 1
  local token = "pennyproof-" .. tokens
  local params = { command = command, arguments = { argument }, workDoneToken = token }
  local sent, id = client:request("workspace/executeCommand", params, function(failure, result)
    if not running[token] then
      return -- The server that was asked is gone, and the user was told.
    end
    running[token] = nil
    vim.api.nvim_echo({ { "" } }, false, {})
    if always then
      always()
    end
    if failure and failure.code == CANCELLED then
      notify.info("cancelled")
    elseif failure then
      notify.warn(vim.split(failure.message, "\n")[1])
    elseif result ~= vim.NIL then
      done(result or {})
    end
  end, buffer)
  if sent then
    running[token] = { client_id = client.id, id = id, always = always }
  else
    notify.warn("the server is gone; `:Pennyproof restart` starts it again")
  end
end

--- Show how far a command of this plugin has come, on the command line, where it leaves no trace.
function M.progressed(client_id, params)
  local value = params.value
  if not running[params.token] or running[params.token].client_id ~= client_id or value.kind == "end" then
    return
  end
  local text = "Pennyproof: " .. value.title
  if value.message then
    text = text .. ", " .. value.message
  end
  if value.percentage then
    text = ("%s, %d %%"):format(text, value.percentage)
  end
  local with_hint = text .. " (:Pennyproof cancel)"
  text = vim.fn.strdisplaywidth(with_hint) <= vim.v.echospace and with_hint or text
  vim.api.nvim_echo({ { vim.fn.strcharpart(text, 0, vim.v.echospace) } }, false, {})
end

--- Cancel all that is under way, tests on save among it.
function M.cancel()
  local some = false
  for _, task in pairs(running) do
    local client = vim.lsp.get_client_by_id(task.client_id)
    some = true
    if client then
      client:cancel_request(task.id)
    end
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = "pennyproof" })) do
    for token in pairs(client.progress.pending) do
      if not running[token] then
        some = true
        client:notify("window/workDoneProgress/cancel", { token = token })
      end
    end
  end
  if not some then
    notify.info("nothing is under way")
  end
end

--- A server ended: what it was asked is not answered any more.
function M.lost()
  local some = false
  for token, task in pairs(running) do
    local client = vim.lsp.get_client_by_id(task.client_id)
    if not client or client:is_stopped() then
      running[token], some = nil, true
      if task.always then
        task.always()
      end
    end
  end
  if some then
    notify.warn("the server ended before it answered; ask again once it is back")
  end
end

return M
