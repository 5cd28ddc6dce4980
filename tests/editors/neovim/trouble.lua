-- A server that cannot be used: told of once, however many files are opened; and what the message advises helps.
local support = require("support")
local seen = {}

vim.cmd.edit("tests/test_stock.py")
support.said(vim.env.SAYS)
for _, name in ipairs({ "tests/test_money.py", "tests/test_orders.py", "bookshop/stock.py" }) do
  vim.cmd.edit(name)
end
local turned = false
vim.system(
  { "true" },
  {},
  vim.schedule_wrap(function()
    turned = true
  end)
)
support.wait("what is due to happen", function()
  return turned
end)
support.wait("the end of all servers", function()
  return #vim.lsp.get_clients({ name = "pennyproof" }) == 0
end)
seen.times = support.count("Pennyproof: ")
seen.of_neovim = support.count("quit with exit code") + support.count("Spawning language server")

vim.cmd("checkhealth pennyproof")
seen.health = support.lines()
vim.cmd.close()

require("pennyproof").setup({ cmd = { vim.env.MENDED, "serve" } })
vim.cmd("Pennyproof restart")
support.server()
support.finish(seen)
