-- The server is killed while it searches, and comes back; killed again and again, it stays away until it is asked for.
local support = require("support")
local seen = {}

local function kill()
  local client = support.server()
  for _, child in ipairs(vim.api.nvim_get_proc_children(vim.uv.os_getpid())) do
    vim.uv.kill(child, "sigkill")
  end
  support.wait("its end", function()
    return client:is_stopped() and not vim.lsp.get_client_by_id(client.id)
  end)
end

support.open("tests/test_stock.py")
vim.api.nvim_buf_set_lines(0, 0, 0, true, { "# Not saved." })
vim.cmd("Pennyproof debug all")
local began
vim.api.nvim_create_autocmd("LspProgress", {
  callback = function()
    began = true
  end,
})
support.wait("the search", function()
  return began
end)
kill()
seen.lost = support.said("the server ended before it answered")
support.server()
vim.cmd("Pennyproof tests tests/test_stock.py::test_a_copy_is_promised_once_only")
seen.back = support.said("1 failed, 0 passed")
seen.before_giving_up = support.count("is not started again")
seen.status = require("pennyproof").status()

for _ = 1, 3 do
  kill()
end
seen.gave_up = support.said("is not started again")
for _, name in ipairs({ "tests/test_money.py", "bookshop/stock.py" }) do
  vim.cmd.split(name)
end
seen.servers = #vim.lsp.get_clients({ name = "pennyproof" })
seen.times = support.count("is not started again")
seen.without = require("pennyproof").status()

vim.cmd("Pennyproof restart")
support.server()
seen.text = vim.api.nvim_buf_get_lines(vim.fn.bufnr("tests/test_stock.py"), 0, 1, true)[1]
support.finish(seen)
