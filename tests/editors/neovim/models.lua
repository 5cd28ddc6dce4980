-- With a model: what it mends, an explanation that it wrote, a search that is cancelled.
local support = require("support")
local seen = {}

support.open("words/slug.py")
vim.cmd("Pennyproof debug tests/test_slug.py::test_slug")
seen.preview = support.float("diff")
support.press("a")
support.floatless()
seen.applied = support.said("changed ")
support.attached()
vim.cmd("silent wall")
seen.status = support.wait("the model's name", function()
  local status = require("pennyproof").status()
  return status:find("deepseek") and status
end)

vim.cmd("1Pennyproof explain")
seen.explanation = support.float("markdown", function(text)
  return text:find("In short")
end)
support.press("q")
support.floatless()

vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event)
    seen.asked = seen.asked or (event.data.params.value.message or ""):find("deepseek") ~= nil
  end,
})
vim.cmd("Pennyproof debug tests/test_roman.py::test_roman")
support.wait("the model to be asked", function()
  return seen.asked
end)
vim.cmd("Pennyproof cancel")
seen.cancelled = support.said("cancelled")
support.finish(seen)
