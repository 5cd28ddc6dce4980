-- With a model: offers to turn over, an explanation that it wrote, a search that is cancelled.
local support = require("support")
local seen = {}

support.open("words/slug.py")
vim.cmd("Pennyproof debug all")
seen.first = support.float("diff")
support.press("n")
seen.second = support.float("diff", function(text)
  return text ~= seen.first.text
end)
support.press("p")
support.float("diff", function(text)
  return text == seen.first.text
end)
support.press("n")
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
    seen.asked = seen.asked or (event.data.params.value.message or ""):find("strong") ~= nil
  end,
})
vim.cmd("Pennyproof debug tests/test_proust.py::test_proust")
support.wait("the model to be asked", function()
  return seen.asked
end)
vim.cmd("Pennyproof cancel")
seen.cancelled = support.said("cancelled")
support.finish(seen)
