--- Pages of the server, such as explanations: markdown files that it has opened, shown in a float, and followed as long
--- as that is open, since a page grows while a model writes it.
local float = require("pennyproof.float")

local M = {}

local LOOK = 250

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("*a")
  file:close()
  return vim.split(vim.trim(text), "\r?\n")
end

--- The first heading is the title, and not repeated below.
local function laid_out(lines)
  local title = lines[1]:match("^#%s+(.*)")
  local body = title and vim.list_slice(lines, lines[2] == "" and 3 or 2) or lines
  return body, (title or "Pennyproof"):gsub("`", "")
end

--- A handler of `window/showDocument`.
function M.show(failure, params, context)
  local path = vim.startswith(params.uri, "file:") and vim.uri_to_fname(params.uri) or ""
  local lines = path:find("/pages/[%w-]+%.md$") and read(path)
  if not lines then
    return vim.lsp.handlers["window/showDocument"](failure, params, context)
  end
  local body, title = laid_out(lines)
  local shown = float.open({ title = title, footer = "q closes", lines = body, filetype = "markdown" })
  vim.wo[shown.window].conceallevel = 2
  local poll = assert(vim.uv.new_fs_poll())
  poll:start(
    path,
    LOOK,
    vim.schedule_wrap(function()
      local now = read(path)
      if now then
        shown:set(laid_out(now))
      end
    end)
  )
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = shown.buffer,
    once = true,
    callback = function()
      poll:close()
    end,
  })
  return { success = true }
end

return M
