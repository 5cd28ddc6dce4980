-- Workspaces and buffers that are not as usual, one after another.
local support = require("support")
local seen = {}
local ONE = "tests/test_stock.py::test_a_copy_is_promised_once_only"

-- A buffer that was never saved.
vim.cmd("enew | setfiletype python")
vim.api.nvim_buf_set_lines(0, 0, -1, true, { "def double(number):", "    return number + number" })
support.server()
vim.cmd("Pennyproof debug")
seen.unsaved = support.wait("an answer", function()
  return vim.iter(support.messages()):find(function(line)
    return vim.startswith(line, "Pennyproof: ") and not line:find("Looking for", 1, true)
  end)
end)
vim.cmd("bwipeout!")
vim.cmd("messages clear")

-- A file outside of any project.
support.open(vim.env.ALONE)
vim.cmd("Pennyproof tests")
seen.alone = support.said("failed, ")
vim.cmd("messages clear")

-- Two projects, each with a server of its own; and one server more for the first of them.
local second = support.open(vim.env.SECOND .. "/tests/test_stock.py")
local first = support.open("tests/test_stock.py")
seen.roots = { first.root_dir, second.root_dir }
local third = vim.lsp.start(
  { name = "third", cmd = { "pennyproof", "serve" }, root_dir = first.root_dir },
  { attach = false }
)
third = vim.lsp.get_client_by_id(third)
support.wait("the third server", function()
  return third.initialized
end)
local argument = { uri = vim.uri_from_bufnr(0), testIds = { ONE } }
third:request(
  "workspace/executeCommand",
  { command = "pennyproof.runTests", arguments = { argument } },
  function(_, result)
    seen.third = result
  end
)
vim.cmd("Pennyproof tests " .. ONE)
support.said("1 failed, 0 passed")
support.wait("the third server's tests", function()
  return seen.third
end)
third:stop(true)

-- Another server of the same buffer, which counts positions otherwise.
local other = vim.lsp.start({
  name = "other",
  cmd = function(dispatchers)
    local closing = false
    return {
      request = function(method, _, answer)
        local capabilities = { positionEncoding = "utf-8", inlineCompletionProvider = true }
        answer(nil, method == "initialize" and { capabilities = capabilities } or vim.NIL)
        return true, 1
      end,
      notify = function()
        return true
      end,
      is_closing = function()
        return closing
      end,
      terminate = function()
        closing = true
        dispatchers.on_exit(0, 0)
      end,
    }
  end,
})
seen.other_attached = vim.lsp.buf_is_attached(0, other)
seen.status = require("pennyproof").status()

-- Edits while a fix is searched, and while one is looked at.
vim.cmd.edit("bookshop/stock.py")
local stock = vim.api.nvim_get_current_buf()
support.server()
vim.cmd("messages clear")
vim.cmd("Pennyproof debug " .. ONE)
vim.api.nvim_buf_set_lines(stock, 0, 0, true, { "# Typed while it searched." })
seen.while_searching = support.said("The text has changed meanwhile")
vim.cmd("Pennyproof debug " .. ONE)
support.float("diff")
vim.api.nvim_buf_set_lines(stock, 0, 0, true, { "# Typed while it was shown." })
support.press("a")
seen.while_shown = support.said("the text has changed since")
seen.text = support.lines(stock)
support.finish(seen)
