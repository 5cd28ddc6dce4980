--- Starts the server, and says once, with what to do, when that cannot be.
---
--- Neovim by itself warns for each buffer where a server is missing, and for each of its ends. Here a missing server
--- is told of once; one that ends is started again without a word, and one that keeps ending is told of once.
local config = require("pennyproof.config")
local notify = require("pennyproof.notify")

local M = {
  --- The oldest server that speaks as this plugin does.
  minimum = "0.1.0",
}

local MARKERS = { "pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", ".git" }
--- This many ends within so many milliseconds are too many.
local ENDS, WITHIN = 4, 5 * 60 * 1000
local AGAIN = 500
local STARTING = 10 * 1000

--- Why the server is not to be started now; nil where it may be.
local refusal
--- Root → when its server ended unasked, in milliseconds.
local ended = {}

local function refuse(message)
  if refusal == nil then
    refusal = message
    notify.warn(message)
  end
end

--- The folder that a buffer's server is for; `start` is not called where no server can be started.
function M.root(buffer, start)
  local program = config.get().cmd[1]
  if not refusal and vim.fn.executable(program) == 0 then
    refuse(
      ("%s was not found. Install it with `pipx install pennyproof`, or name it by "):format(program)
        .. '`require("pennyproof").setup({ cmd = { "/path/to/pennyproof", "serve" } })`; then `:Pennyproof restart`'
    )
  end
  if not refusal then
    start(vim.fs.root(buffer, MARKERS))
  end
end

--- Start the process; Neovim is told of an end as if it were a quiet one, since what it says of others comes each time.
function M.start(dispatchers, options)
  local asked_to_end = false
  local quiet = vim.tbl_extend("force", dispatchers, {
    on_exit = function(code, signal)
      dispatchers.on_exit(0, 0)
      if not asked_to_end then
        vim.schedule(function()
          M.ended(options.root_dir or "", code, signal)
        end)
      end
    end,
  })
  local process = vim.lsp.rpc.start(config.get().cmd, quiet, { cwd = options.cmd_cwd, env = options.cmd_env })
  return vim.tbl_extend("force", process, {
    request = function(method, ...)
      asked_to_end = asked_to_end or method == "shutdown"
      return process.request(method, ...)
    end,
    terminate = function()
      asked_to_end = true
      process.terminate()
    end,
  })
end

--- A server ended unasked: start it again, unless it keeps ending.
function M.ended(root, code, signal)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  require("pennyproof.requests").lost()
  local now = vim.uv.now()
  ended[root] = vim.tbl_filter(function(moment)
    return now - moment < WITHIN
  end, ended[root] or {})
  table.insert(ended[root], now)
  if #ended[root] >= ENDS then
    local how = signal ~= 0 and ("signal %d"):format(signal) or ("exit code %d"):format(code)
    refuse(
      ("the server ended %d times, at last with %s, and is not started again. "):format(#ended[root], how)
        .. "`:Pennyproof log` shows why, `:checkhealth pennyproof` what is wrong here; then `:Pennyproof restart`"
    )
  else
    vim.defer_fn(M.enable, AGAIN)
  end
end

--- Start what is not running, for all buffers.
function M.enable()
  if not refusal then
    vim.lsp.enable("pennyproof")
  end
end

--- Begin anew: what was refused is tried again.
function M.restart()
  refusal, ended = nil, {}
  local clients = vim.lsp.get_clients({ name = "pennyproof" })
  for _, client in ipairs(clients) do
    client:stop(true)
  end
  local waited = 0
  local function when_gone()
    waited = waited + 50
    if #vim.lsp.get_clients({ name = "pennyproof" }) > 0 and waited < 10000 then
      vim.defer_fn(when_gone, 50)
    else
      M.enable()
    end
  end
  when_gone()
end

--- Called for each buffer that a server is attached to.
function M.attached(client, buffer)
  local version = client.server_info and client.server_info.version or "0"
  local parsed = vim.version.parse(version, { strict = false })
  if not parsed or vim.version.lt(parsed, M.minimum) then
    client:stop(true)
    refuse(
      ("the server is version %s, and this plugin needs %s or newer. "):format(version, M.minimum)
        .. "Update it with `pipx upgrade pennyproof`; then `:Pennyproof restart`"
    )
    return
  end
  require("pennyproof.ghost").attach(client, buffer)
end

--- The client of a buffer, or nil with a message that says what to do. One that is only just starting is waited for.
---@param buffer integer
function M.client(buffer)
  local client
  local function find()
    client = vim.lsp.get_clients({ name = "pennyproof", bufnr = buffer })[1]
    return client ~= nil
  end
  if not find() and not refusal and vim.bo[buffer].filetype == "python" then
    vim.wait(STARTING, find, 20)
  end
  if not client then
    notify.warn(refusal or "no server is attached here: open a Python file, or see `:checkhealth pennyproof`")
  end
  return client
end

--- Why no server is started, for :checkhealth.
function M.refusal()
  return refusal
end

return M
