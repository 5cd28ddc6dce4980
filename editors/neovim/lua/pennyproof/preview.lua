--- Offers to look at before one is accepted: the diff in a float, titled with its evidence.
local float = require("pennyproof.float")
local notify = require("pennyproof.notify")

local M = {}

--- Whether a buffer is no longer what an edit was made for.
local function is_stale(change)
  local document = change.textDocument
  local buffer = document and vim.fn.bufnr(vim.uri_to_fname(document.uri)) or -1
  if buffer == -1 or not vim.api.nvim_buf_is_loaded(buffer) then
    return false
  end
  if type(document.version) ~= "number" then
    return vim.bo[buffer].modified
  end
  return vim.lsp.util.buf_versions[buffer] ~= document.version
end

local function accept(client, offer)
  local changes = offer.edit.documentChanges or {}
  if vim.iter(changes):any(is_stale) then
    notify.warn("the text has changed since, so the edit would hit the wrong place; ask again")
    return
  end
  vim.lsp.util.apply_workspace_edit(offer.edit, client.offset_encoding)
  client:exec_cmd({ title = "Accepted", command = "pennyproof.accepted", arguments = { { offerId = offer.id } } })
  local files = vim.iter(changes):map(function(change)
    local uri = change.uri or change.textDocument.uri
    return vim.fn.fnamemodify(vim.uri_to_fname(uri), ":~:.")
  end)
  notify.info(("changed %s; `:wall` saves"):format(files:join(", ")))
end

--- Show offers, the best first.
---@param client vim.lsp.Client
---@param offers table[] As a command returns them.
function M.open(client, offers)
  local at = 1
  local function laid_out()
    local keys = "a accepts · q rejects"
    if #offers > 1 then
      keys = ("%s · n next · p previous (%d of %d)"):format(keys, at, #offers)
    end
    local offer = offers[at]
    return vim.split(vim.trim(offer.diff), "\n"), offer.title, keys
  end
  local lines, title, footer = laid_out()
  local shown = float.open({ title = title, footer = footer, lines = lines, filetype = "diff" })
  local function turn(step)
    at = (at - 1 + step) % #offers + 1
    shown:set(laid_out())
  end
  shown:map("n", function()
    turn(1)
  end)
  shown:map("p", function()
    turn(-1)
  end)
  shown:map("a", function()
    shown:close()
    accept(client, offers[at])
  end)
end

return M
