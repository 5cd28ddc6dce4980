--- What `pennyproof doctor` finds, for `:Pennyproof doctor` and `:checkhealth`.
local config = require("pennyproof.config")

local M = {}

local PATIENCE = 60 * 1000

--- The command that starts the program without `serve` and what follows it.
function M.program()
  local program = {}
  for _, part in ipairs(config.get().cmd) do
    if part == "serve" then
      break
    end
    table.insert(program, part)
  end
  return program
end

--- A command line of the program, for the project of a buffer.
local function command(buffer, ...)
  local client = vim.lsp.get_clients({ name = "pennyproof", bufnr = buffer })[1]
  local root = client and client.root_dir or vim.fn.getcwd()
  return vim.list_extend(M.program(), { "doctor", "--root", root, ... })
end

--- Run something to its end; nil and a message where that cannot be.
local function run(line, done)
  local began, job = pcall(vim.system, line, { text = true, timeout = PATIENCE }, done)
  if not began then
    return nil, ("`%s` cannot be run: %s"):format(line[1], job)
  end
  return job
end

--- The version that the program tells, or nil and why there is none.
function M.version()
  local job, problem = run(vim.list_extend(M.program(), { "--version" }))
  if not job then
    return nil, problem
  end
  local told = job:wait()
  local version = told.stdout:match("(%d+%.%d+[%w.]*)")
  return version, ("`%s --version` said: %s"):format(M.program()[1], vim.trim(told.stdout .. told.stderr))
end

--- What it finds, as [{ name, state, detail }], or nil and why not.
function M.checks(buffer)
  local job, problem = run(command(buffer, "--json"))
  if not job then
    return nil, problem
  end
  local told = job:wait()
  local read, found = pcall(vim.json.decode, told.stdout)
  if read and type(found) == "table" and found.checks then
    return found.checks
  end
  return nil, "`pennyproof doctor` said: " .. vim.trim(told.stderr)
end

--- Show what it finds in a float.
function M.open(buffer)
  local notify = require("pennyproof.notify")
  local _, problem = run(
    command(buffer),
    vim.schedule_wrap(function(told)
      local text = vim.trim(told.stdout ~= "" and told.stdout or told.stderr)
      local title = table.concat(M.program(), " ") .. " doctor"
      require("pennyproof.float").open({
        title = title,
        footer = "q closes",
        lines = vim.split(text, "\n"),
        filetype = "text",
      })
    end)
  )
  if problem then
    notify.warn(problem)
  end
end

return M
