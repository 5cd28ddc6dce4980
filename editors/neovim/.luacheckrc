std = "luajit"
read_globals = { "vim" }
-- Options and variables are set through these.
globals = { "vim.b", "vim.bo", "vim.env", "vim.g", "vim.opt", "vim.ui", "vim.wo" }
max_line_length = 120
