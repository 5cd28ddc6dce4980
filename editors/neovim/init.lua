-- For your init.lua, with Neovim 0.11 or newer, and a checkout of Pennyproof in ~/pennyproof. A plugin manager that is
-- given the folder does the first line's work itself.
vim.opt.runtimepath:append(vim.fn.expand("~/pennyproof/editors/neovim"))

-- Nothing of this is needed; these are the defaults.
require("pennyproof").setup({
  cmd = { "pennyproof", "serve" },
  settings = {}, -- Of the server, such as { budget = { dailyUsd = 0.2 } }.
  keys = { accept = "<Tab>", accept_word = "<M-Right>", dismiss = "<C-]>", request = "<M-Bslash>" },
})
