--- `:checkhealth pennyproof`.
local doctor = require("pennyproof.doctor")
local server = require("pennyproof.server")

local M = {}

local function neovim()
  local version = tostring(vim.version())
  if vim.fn.has("nvim-0.12") == 1 then
    vim.health.ok(("Neovim %s shows ghost text"):format(version))
  elseif vim.fn.has("nvim-0.11") == 1 then
    vim.health.warn(
      ("Neovim %s has no ghost text"):format(version),
      "Neovim 0.12 has; until then, completions are in the menu of CTRL-X CTRL-O"
    )
  else
    vim.health.error(("Neovim %s is too old: 0.11 or newer is needed"):format(version))
  end
end

local function program()
  local name = doctor.program()[1]
  local path = vim.fn.exepath(name)
  if path == "" then
    vim.health.error(("%s was not found"):format(name), {
      "Install it: pipx install pennyproof",
      'or name it: require("pennyproof").setup({ cmd = { "/path/to/pennyproof", "serve" } })',
    })
    return false
  end
  local version, said = doctor.version()
  if not version then
    vim.health.error(("%s tells no version"):format(path), said)
    return false
  elseif vim.version.lt(assert(vim.version.parse(version, { strict = false })), server.minimum) then
    vim.health.error(
      ("%s is version %s; this plugin needs %s or newer"):format(path, version, server.minimum),
      "Update it: pipx upgrade pennyproof"
    )
    return false
  end
  vim.health.ok(("%s, version %s"):format(path, version))
  return true
end

local function clients()
  if server.refusal() then
    vim.health.error(server.refusal())
  end
  local attached = vim.lsp.get_clients({ name = "pennyproof" })
  for _, client in ipairs(attached) do
    local count = vim.tbl_count(client.attached_buffers)
    vim.health.ok(("a server for %s, attached to %d buffers"):format(client.root_dir or "single files", count))
  end
  if #attached == 0 then
    vim.health.info("no server runs: it is started with the first Python file")
  end
end

local function found_by_doctor()
  local checks, problem = doctor.checks(0)
  if not checks then
    vim.health.error(problem)
    return
  end
  local tell = { ok = vim.health.ok, note = vim.health.info, problem = vim.health.error }
  for _, check in ipairs(checks) do
    tell[check.state](("%s: %s"):format(check.name, check.detail))
  end
end

function M.check()
  vim.health.start("Pennyproof")
  neovim()
  local there = program()
  clients()
  if there then
    vim.health.start("Pennyproof: what `pennyproof doctor` finds")
    found_by_doctor()
  end
end

return M
