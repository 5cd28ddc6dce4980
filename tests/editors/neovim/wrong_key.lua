-- A key that the model's host refuses: one message says so, and what the free tier finds is there all the same.
local support = require("support")
local seen = {}

support.open("words/slug.py")
vim.cmd("Pennyproof debug tests/test_slug.py::test_slug")
seen.told = support.said("No fix held")
vim.cmd("1Pennyproof explain")
seen.explanation = support.float("markdown")
support.finish(seen)
