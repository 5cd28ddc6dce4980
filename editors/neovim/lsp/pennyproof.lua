-- How Neovim starts the server and what it does with its messages; `vim.lsp.config("pennyproof", {...})` changes it.
return {
  cmd = function(dispatchers, config)
    return require("pennyproof.server").start(dispatchers, config or {})
  end,
  filetypes = { "python" },
  -- Neovim can do this and does not say so: edits then name the version of the text that they are for.
  capabilities = { workspace = { workspaceEdit = { documentChanges = true } } },
  root_dir = function(buffer, start)
    require("pennyproof.server").root(buffer, start)
  end,
  before_init = function(params)
    local given = params.initializationOptions or {}
    local settings = vim.tbl_deep_extend("force", given, require("pennyproof.config").get().settings)
    params.initializationOptions = next(settings) and settings or vim.empty_dict()
  end,
  handlers = {
    ["pennyproof/status"] = function(_, status, context)
      require("pennyproof.status").set(context.client_id, status)
    end,
    ["window/showMessageRequest"] = function(...)
      return require("pennyproof.questions").ask(...)
    end,
    ["window/showDocument"] = function(...)
      return require("pennyproof.pages").show(...)
    end,
  },
  -- What light bulbs and lenses ask for is done as if `:Pennyproof` had asked: with a preview, and in a float.
  commands = {
    ["pennyproof.debug"] = function(command, context)
      require("pennyproof.actions").debug(context.client_id, context.bufnr, command.arguments[1])
    end,
    ["pennyproof.edit"] = function(command, context)
      require("pennyproof.actions").edit(context.client_id, context.bufnr, command.arguments[1])
    end,
    ["pennyproof.explain"] = function(command, context)
      require("pennyproof.actions").explain(context.client_id, context.bufnr, command.arguments[1])
    end,
    ["pennyproof.runTests"] = function(command, context)
      require("pennyproof.actions").tests(context.client_id, context.bufnr, command.arguments[1])
    end,
  },
}
