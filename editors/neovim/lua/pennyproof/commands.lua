--- `:Pennyproof`: its subcommands, and what they complete to.
local notify = require("pennyproof.notify")

local M = {}

---@class pennyproof.Asked
---@field buffer integer
---@field client vim.lsp.Client
---@field uri string
---@field range? table As LSP writes it; nil where the user gave none.
---@field cursor table An empty range at the cursor.
---@field rest string What follows the subcommand.

local function actions()
  return require("pennyproof.actions")
end

--- The failing tests that are known, for completion.
local function failing()
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get()) do
    local id = vim.tbl_get(diagnostic, "user_data", "lsp", "data", "testId")
    if diagnostic.source == "pennyproof" and id then
      found[id] = true
    end
  end
  local ids = vim.tbl_keys(found)
  table.sort(ids)
  return ids
end

local function root_of(asked)
  return asked.client.root_dir or vim.fs.dirname(vim.uri_to_fname(asked.uri))
end

---@class pennyproof.Subcommand
---@field about string
---@field run fun(asked: pennyproof.Asked)
---@field serverless? boolean Whether it needs no server.
---@field complete? fun(): string[]

---@type table<string, pennyproof.Subcommand>
local SUBCOMMANDS = {
  debug = {
    about = "look for a fix of what fails here, of one test, or of all",
    complete = function()
      return vim.list_extend({ "all" }, failing())
    end,
    run = function(asked)
      local argument = { uri = asked.uri }
      if asked.rest == "" then
        argument.range = asked.range or asked.cursor
      elseif asked.rest ~= "all" then
        argument.testId = asked.rest
      end
      actions().debug(asked.client.id, asked.buffer, argument)
    end,
  },
  explain = {
    about = "explain the lines, the name at the cursor, or a failing test",
    complete = failing,
    run = function(asked)
      local argument = { uri = asked.uri }
      if asked.rest ~= "" then
        argument.testId = asked.rest
      else
        argument.range = asked.range or asked.cursor
      end
      actions().explain(asked.client.id, asked.buffer, argument)
    end,
  },
  edit = {
    about = "have the lines, or the function at the cursor, edited as you say",
    run = function(asked)
      local function edit(instruction)
        if instruction then
          local argument = { uri = asked.uri, range = asked.range or asked.cursor, instruction = instruction }
          actions().edit(asked.client.id, asked.buffer, argument)
        end
      end
      if asked.rest ~= "" then
        edit(asked.rest)
      else
        vim.ui.input({ prompt = "Edit (empty: write the body that the docstring describes): " }, edit)
      end
    end,
  },
  tests = {
    about = "run the tests, or one; those that fail are marked",
    complete = failing,
    run = function(asked)
      local ids = asked.rest ~= "" and { asked.rest } or nil
      actions().tests(asked.client.id, asked.buffer, { uri = asked.uri, testIds = ids })
    end,
  },
  spend = {
    about = "what models have cost",
    run = function(asked)
      actions().page(asked.client.id, asked.buffer, "showSpend", vim.empty_dict())
    end,
  },
  rejections = {
    about = "what the last search tried, and why it turned that away",
    run = function(asked)
      actions().page(asked.client.id, asked.buffer, "showLastRejections", { uri = asked.uri })
    end,
  },
  trust = {
    about = "let code of this workspace run; `trust no` takes that back",
    complete = function()
      return { "no" }
    end,
    run = function(asked)
      actions().trust(asked.client.id, asked.buffer, root_of(asked), asked.rest ~= "no")
    end,
  },
  cancel = {
    about = "cancel what is under way",
    serverless = true,
    run = function()
      require("pennyproof.requests").cancel()
    end,
  },
  restart = {
    about = "start the server anew",
    serverless = true,
    run = function()
      require("pennyproof.server").restart()
    end,
  },
  log = {
    about = "open the log of Neovim's language clients, where the server's is",
    serverless = true,
    run = function()
      vim.cmd.tabedit({ vim.fn.fnameescape(require("vim.lsp.log").get_filename()) })
      vim.cmd.normal({ "G", bang = true })
    end,
  },
  doctor = {
    about = "what works here, and what to do about the rest",
    serverless = true,
    run = function(asked)
      require("pennyproof.doctor").open(asked.buffer)
    end,
  },
}

local function names()
  local found = vim.tbl_keys(SUBCOMMANDS)
  table.sort(found)
  return found
end

local function usage()
  local lines = vim.tbl_map(function(name)
    return ("  %-11s %s"):format(name, SUBCOMMANDS[name].about)
  end, names())
  vim.api.nvim_echo({ { ":Pennyproof " }, { "…\n", "Title" }, { table.concat(lines, "\n") } }, true, {})
end

--- Run `:Pennyproof …`.
function M.run(options)
  local name, rest = vim.trim(options.args):match("^(%S*)%s*(.*)$")
  local subcommand = SUBCOMMANDS[name]
  if name == "" then
    usage()
    return
  elseif not subcommand then
    notify.warn(("there is no `:Pennyproof %s`, but: %s"):format(name, table.concat(names(), ", ")))
    return
  end
  local buffer = vim.api.nvim_get_current_buf()
  local asked = { buffer = buffer, rest = rest }
  if not subcommand.serverless then
    asked.client = require("pennyproof.server").client(buffer)
    if not asked.client then
      return
    end
    asked.uri = vim.uri_from_bufnr(buffer)
    local position = vim.lsp.util.make_position_params(0, asked.client.offset_encoding).position
    asked.cursor = { start = position, ["end"] = position }
    if options.range > 0 then
      local first, last = { line = options.line1 - 1, character = 0 }, { line = options.line2, character = 0 }
      asked.range = { start = first, ["end"] = last }
    end
  end
  subcommand.run(asked)
end

--- Complete `:Pennyproof …`.
function M.complete(lead, line)
  local before = line:gsub("^.-Pennyproof!?%s+", "")
  local name = before:match("^(%S+)%s")
  local subcommand = SUBCOMMANDS[name or ""]
  local candidates = not name and names() or subcommand and subcommand.complete and subcommand.complete() or {}
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
