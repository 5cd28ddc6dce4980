-- The whole way: a failing test is seen, a fix is looked at, turned down, looked at again from the light bulb, taken.
local support = require("support")
local seen = {}

support.open("tests/test_stock.py")
vim.cmd("Pennyproof tests")
seen.tests = support.said("failed, ")
local failing = support.diagnostics(function(found)
  return #found > 0
end)[1]
seen.diagnostic = { source = failing.source, message = failing.message }
seen.status = require("pennyproof").status()
seen.subcommands = vim.fn.getcompletion("Pennyproof ", "cmdline")
seen.completed = vim.fn.getcompletion("Pennyproof debug tests/test_stock", "cmdline")

-- For a selection with two bugs: turned over, and turned down.
vim.cmd.edit("tests/test_orders.py")
vim.cmd("%Pennyproof debug")
seen.first = support.float("diff")
support.press("n")
seen.second = support.float("diff", function(text)
  return text ~= seen.first.text
end)
support.press("p")
support.float("diff", function(text)
  return text == seen.first.text
end)
support.press("q")
support.floatless()
seen.after_rejecting = vim.iter(vim.api.nvim_list_bufs()):any(function(buffer)
  return vim.bo[buffer].modified
end)

-- By the light bulb: the offer that was found is there, with its evidence.
vim.cmd.edit("tests/test_stock.py")
local tests = vim.api.nvim_get_current_buf()
vim.api.nvim_win_set_cursor(0, { failing.lnum + 1, failing.col })
local titles = {}
vim.ui.select = function(actions, _, choose)
  for index, entry in ipairs(actions) do
    table.insert(titles, entry.action.title)
    if index == #actions then
      choose(nil)
    end
  end
end
vim.lsp.buf.code_action()
support.wait("the light bulb", function()
  return #titles > 0
end)
seen.titles = titles

-- Taken.
vim.cmd("Pennyproof debug")
seen.preview = support.float("diff")
support.press("a")
seen.applied = support.said("changed ")
support.attached()
vim.cmd("silent wall")
vim.api.nvim_set_current_buf(tests)
support.diagnostics(function(found)
  return #found == 0
end)
vim.cmd("Pennyproof tests " .. seen.completed[1])
seen.tests_after = support.said("0 failed, 1 passed")

-- What is there to read.
vim.cmd("1,3Pennyproof explain")
seen.explanation = support.float("markdown")
support.press("q")
support.floatless()
vim.cmd("Pennyproof rejections")
seen.rejections = support.float("markdown")
support.press("q")
support.floatless()
vim.cmd("Pennyproof spend")
seen.spending = support.float("markdown")
support.press("<Esc>")
support.floatless()

-- Where there is nothing to mend, or no such command, one line says so.
vim.cmd("1Pennyproof debug")
support.said("No failing test runs these lines")
vim.cmd("Pennyproof nonsense")
support.said("there is no `:Pennyproof nonsense`")
vim.cmd("Pennyproof cancel")
support.said("nothing is under way")

vim.cmd("checkhealth pennyproof")
support.wait("the report on health", function()
  return vim.bo.filetype == "checkhealth" and support.lines():find("pytest: ")
end)
seen.health = support.lines()
support.finish(seen)
