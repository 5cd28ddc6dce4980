--- What users call: `require("pennyproof").setup({...})`, and `status()` for the status line.
local M = {}

--- Change settings; without this call, all have their defaults. May be called again.
---@param options? table As in |pennyproof-settings|.
function M.setup(options)
  require("pennyproof.config").set(options or {})
end

--- For a status line: how the server of the current buffer is; "" where there is none.
---@return string
function M.status()
  return require("pennyproof.status").text(0)
end

return M
