-- A workspace that is not trusted yet: asked once, turned down; then trusted by the command.
local support = require("support")
local seen = { questions = {} }

vim.ui.select = function(choices, options, choose)
  local titles = vim.tbl_map(function(choice)
    return choice.title
  end, choices)
  table.insert(seen.questions, { prompt = options.prompt, titles = titles })
  choose(choices[2])
end

support.open("tests/test_stock.py")
vim.cmd("Pennyproof tests")
seen.refused = support.said("not trusted")
vim.cmd("messages clear")
vim.cmd("Pennyproof debug")
seen.refused_again = support.said("not trusted")
vim.cmd("Pennyproof trust")
seen.trusted = support.said("is trusted")
vim.cmd("Pennyproof tests tests/test_stock.py::test_a_copy_is_promised_once_only")
seen.ran = support.said("1 failed, 0 passed")
support.finish(seen)
