--- Completions as ghost text, which Neovim 0.12 shows, and the keys for them.
local config = require("pennyproof.config")
local keys = require("pennyproof.keys")

local M = {}

local TURN = 1000

--- What of a completion stands in the buffer already, having been typed since it was asked for; nil where something
--- else was typed: Neovim shows it until the next answer, and would insert it around that.
---@param item vim.lsp.inline_completion.Item
---@return { row: integer, from: integer, to: integer, typed: string }?
local function typed_of(item)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local from = item.range and item.range.start_col or column
  if type(item.insert_text) ~= "string" or (item.range and item.range.start_row ~= row - 1) or from > column then
    return nil
  end
  local typed = vim.api.nvim_get_current_line():sub(from + 1, column)
  if not vim.startswith(item.insert_text, typed) then
    return nil
  end
  return { row = row - 1, from = from, to = column, typed = typed }
end

local function insert(text, place)
  local lines = vim.split(text, "\r?\n")
  vim.api.nvim_buf_set_text(0, place.row, place.from, place.row, place.to, lines)
  local column = (#lines == 1 and place.from or 0) + #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { place.row + #lines, column })
end

--- Act on the ghost text that is shown, if any. Neovim hands it over only in its next turn, which is waited for: what
--- is typed after the key must not come before what the key does.
---@return boolean acted
local function with_ghost(act)
  if vim.fn.pumvisible() == 1 then
    return false -- Keys are the menu's.
  end
  local acted, turned = false, false
  local shown = vim.lsp.inline_completion.get({
    on_accept = function(item)
      if type(item.insert_text) ~= "string" then
        acted = true
        return item -- A snippet, of another server.
      end
      local place = typed_of(item)
      if place then
        acted = true
        act(item, place)
      end
    end,
  })
  if shown then
    vim.schedule(function()
      turned = true
    end)
    vim.wait(TURN, function()
      return turned
    end, 1)
  end
  return acted
end

local function accept()
  return with_ghost(function(item, place)
    insert(item.insert_text, place)
    local client = item.command and vim.lsp.get_client_by_id(item.client_id)
    if client then
      client:exec_cmd(item.command, { bufnr = 0 })
    end
  end)
end

local function accept_word()
  return with_ghost(function(item, place)
    local rest = item.insert_text:sub(#place.typed + 1)
    local word = rest:match("^%s*[%w_\128-\255]+") or rest:match("^%s*[^%w%s]+") or rest
    insert(place.typed .. word, place)
    local client = vim.lsp.get_client_by_id(item.client_id)
    if client and client.name == "pennyproof" then
      local length = vim.str_utfindex(place.typed .. word, "utf-16")
      local params = { item = { command = item.command, insertText = item.insert_text }, acceptedLength = length }
      client:notify("textDocument/didPartiallyAcceptCompletion", params)
    end
  end)
end

local function dismiss()
  return with_ghost(function() end)
end

local function request()
  -- Neovim has no public way to ask at once; where this one is gone, the key does what it did before.
  local found, capability = pcall(require, "vim.lsp._capability")
  local buffer = vim.api.nvim_get_current_buf()
  local completor = found and vim.tbl_get(capability, "all", "inline_completion", "active", buffer)
  if completor and completor.request then
    completor:request(vim.lsp.protocol.InlineCompletionTriggerKind.Invoked)
    return true
  end
  return false
end

local ACTIONS = {
  accept = { act = accept, about = "Pennyproof: accept the completion" },
  accept_word = { act = accept_word, about = "Pennyproof: accept the next word of the completion" },
  dismiss = { act = dismiss, about = "Pennyproof: dismiss the completion" },
  request = { act = request, about = "Pennyproof: ask for a completion" },
}

--- Have completions shown in a buffer.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  local options = config.get()
  if not (options.ghost_text and vim.lsp.inline_completion) then
    return
  end
  if not client:supports_method("textDocument/inlineCompletion") then
    return
  end
  vim.lsp.inline_completion.enable(true, { client_id = client.id })
  for name, action in pairs(ACTIONS) do
    local key = options.keys[name]
    if key then
      keys.map(buffer, key, action.about, action.act)
    end
  end
end

return M
