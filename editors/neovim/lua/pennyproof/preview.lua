--- Offers to look at before one is accepted: the diff in a float, titled with its evidence.
local float = require("pennyproof.float")
local notify = require("pennyproof.notify")

local M = {}

local function paths(edit)
  local found = vim.iter(edit.documentChanges or {}):map(function(change)
    return change.uri or change.newUri or change.textDocument.uri
  end)
  return found:map(vim.uri_to_fname):totable()
end

--- What a file says now, as its buffer does; nil where there is none.
local function text(path)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.api.nvim_buf_get_name(buffer) == path then
      return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), "\n")
    end
  end
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local read = file:read("*a"):gsub("\r\n", "\n"):gsub("\n$", "")
  file:close()
  return read
end

local function texts(edit)
  local found = {}
  for _, path in ipairs(paths(edit)) do
    found[path] = text(path) or false
  end
  return found
end

--- Without its annotations, for each of which Neovim writes a message: the evidence was on the screen just now.
local function plain(edit)
  local copy = vim.deepcopy(edit)
  copy.changeAnnotations = nil
  for _, change in ipairs(copy.documentChanges or {}) do
    change.annotationId = nil
    for _, one in ipairs(change.edits or {}) do
      one.annotationId = nil
    end
  end
  return copy
end

local function accept(client, offer, before)
  if not vim.deep_equal(texts(offer.edit), before) then
    notify.warn("the text has changed since, so the edit would hit the wrong place; ask again")
    return
  end
  vim.lsp.util.apply_workspace_edit(plain(offer.edit), client.offset_encoding)
  client:exec_cmd({ title = "Accepted", command = "pennyproof.accepted", arguments = { { offerId = offer.id } } })
  local names = vim.tbl_map(function(path)
    return vim.fn.fnamemodify(path, ":~:.")
  end, paths(offer.edit))
  notify.info(("changed %s; `:wall` saves"):format(table.concat(names, ", ")))
end

--- Show offers, the best first.
---@param client vim.lsp.Client
---@param offers table[] As a command returns them.
function M.open(client, offers)
  local at = 1
  local before = vim.tbl_map(function(offer)
    return texts(offer.edit)
  end, offers)
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
    accept(client, offers[at], before[at])
  end)
end

return M
