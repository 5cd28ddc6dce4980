-- The plugin's file as a Neovim runs it that is too old.
local support = require("support")
vim.g.loaded_pennyproof = nil
vim.api.nvim_del_user_command("Pennyproof")
vim.lsp.enable("pennyproof", false)
rawset(vim.fn, "has", function()
  return 0
end)
for _ = 1, 3 do
  vim.cmd.runtime("plugin/pennyproof.lua")
end
vim.cmd.edit("tests/test_stock.py")
support.finish({ command = vim.fn.exists(":Pennyproof"), servers = #vim.lsp.get_clients() })
