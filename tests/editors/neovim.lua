-- A session in Neovim: open a file, run the tests, see the diagnostics, ask for code actions, take a verified fix.
local function wait(what, condition)
  if not vim.wait(120000, condition, 20) then
    io.stderr:write("gave up waiting for " .. what .. "\n")
    vim.cmd("cquit 1")
  end
end

vim.cmd.edit("tests/test_stock.py")
local buffer = vim.api.nvim_get_current_buf()
wait("the server", function()
  local client = vim.lsp.get_clients({ name = "pennyproof" })[1]
  return client and client.initialized and vim.fn.exists(":Pennyproof") == 2
end)
local client = vim.lsp.get_clients({ name = "pennyproof" })[1]

vim.cmd("Pennyproof runTests")
wait("diagnostics", function()
  return #vim.diagnostic.get(buffer) > 0
end)
local diagnostic = vim.diagnostic.get(buffer)[1]

local place = { line = diagnostic.lnum, character = diagnostic.col }
local answer = client:request_sync("textDocument/codeAction", {
  textDocument = vim.lsp.util.make_text_document_params(buffer),
  range = { start = place, ["end"] = place },
  context = { diagnostics = {} },
}, 60000, buffer)
local titles = {}
for _, action in ipairs(answer.result) do
  table.insert(titles, action.title)
end

client:exec_cmd(answer.result[1].command)
local edited
wait("an edit", function()
  for _, other in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[other].modified then
      edited = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(other), ":.")
    end
  end
  return edited
end)

io.stdout:write(vim.json.encode({
  source = diagnostic.source,
  message = diagnostic.message,
  titles = titles,
  edited = edited,
  status = vim.g.pennyproof,
  commands = vim.fn.getcompletion("Pennyproof ", "cmdline"),
}))
vim.cmd("qall!")
