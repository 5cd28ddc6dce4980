-- Neovim 0.11 or newer: in init.lua. Settings go into init_options, as in { budget = { dailyUsd = 0.2 } }.
vim.lsp.config("pennyproof", {
  cmd = { "pennyproof", "serve" },
  filetypes = { "python" },
  root_markers = { "pyproject.toml", "setup.py", "setup.cfg", ".git" },
  init_options = vim.empty_dict(),
  handlers = {
    -- For the status line: %{get(get(g:, 'pennyproof', {}), 'message', '')}
    ["pennyproof/status"] = function(_, status)
      vim.g.pennyproof = status
    end,
  },
})
vim.lsp.enable("pennyproof")

vim.api.nvim_create_autocmd("LspAttach", {
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if not client or client.name ~= "pennyproof" then
      return
    end
    -- :Pennyproof runTests, :Pennyproof debug, :Pennyproof showSpend, ...
    vim.api.nvim_buf_create_user_command(event.buf, "Pennyproof", function(options)
      local argument = { uri = vim.uri_from_bufnr(event.buf) }
      client:exec_cmd({ title = options.args, command = "pennyproof." .. options.args, arguments = { argument } })
    end, {
      nargs = 1,
      complete = function()
        local provider = client.server_capabilities.executeCommandProvider or {}
        return vim.tbl_map(function(name)
          return (name:gsub("^pennyproof%.", ""))
        end, provider.commands or {})
      end,
    })
    -- Neovim 0.12 or newer shows inline completions; Tab takes them.
    if vim.lsp.inline_completion and client:supports_method("textDocument/inlineCompletion") then
      vim.lsp.inline_completion.enable(true, { bufnr = event.buf })
      vim.keymap.set("i", "<Tab>", function()
        return vim.lsp.inline_completion.get() and "" or "<Tab>"
      end, { buffer = event.buf, expr = true })
    end
  end,
})
