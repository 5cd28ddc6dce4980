-- What is there without any set-up: the command, and a server for Python files. `setup` only changes settings.
if vim.g.loaded_pennyproof then
  return
end
vim.g.loaded_pennyproof = true

-- Nothing before this line may need a newer Neovim than the message itself does.
if vim.fn.has("nvim-0.11") == 0 then
  local message = "Pennyproof needs Neovim 0.11 or newer; this one is older, so it stays off"
  vim.api.nvim_echo({ { message, "WarningMsg" } }, true, {})
  return
end

vim.api.nvim_create_user_command("Pennyproof", function(options)
  require("pennyproof.commands").run(options)
end, {
  nargs = "*",
  range = true,
  desc = "Debug, explain and edit Python, checked by your tests",
  complete = function(lead, line)
    return require("pennyproof.commands").complete(lead, line)
  end,
})

local group = vim.api.nvim_create_augroup("pennyproof", {})
vim.api.nvim_create_autocmd("LspAttach", {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "pennyproof" then
      require("pennyproof.server").attached(client, event.buf)
    end
  end,
})
vim.api.nvim_create_autocmd("LspProgress", {
  group = group,
  callback = function(event)
    require("pennyproof.requests").progressed(event.data.client_id, event.data.params)
  end,
})

local function enable()
  vim.lsp.enable("pennyproof")
end
-- A manager that loads plugins late calls `setup` after this file: the server is started with what that says.
if vim.v.vim_did_enter == 1 then
  vim.schedule(enable)
else
  enable()
end
