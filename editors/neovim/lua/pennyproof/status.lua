--- What servers tell of how they are, as a piece of the status line.
local M = {}

--- Client id → the last `pennyproof/status`.
local told = {}
local questions = 0

--- Take in what a server tells.
function M.set(client_id, status)
  told[client_id] = status
  vim.cmd.redrawstatus({ bang = true })
end

--- A question waits for an answer, or does no more.
function M.question(waits)
  questions = questions + (waits and 1 or -1)
  vim.cmd.redrawstatus({ bang = true })
end

--- The last that the server of a buffer told; nil where there is none.
---@param buffer integer
---@return table?
function M.get(buffer)
  local client = vim.lsp.get_clients({ name = "pennyproof", bufnr = buffer })[1]
  return client and told[client.id]
end

--- Model, today's money, and what is under way; "" where the buffer has no server.
---@param buffer integer
---@return string
function M.text(buffer)
  local status = M.get(buffer)
  if not status then
    return ""
  end
  local model = type(status.model) == "string" and status.model or "free tier"
  local tier = type(status.tier) == "string" and status.tier .. ": " or ""
  local parts = { tier .. model, ("$%.4f"):format(status.spentTodayUsd) }
  if questions > 0 then
    table.insert(parts, "has a question")
  elseif status.message ~= "" then
    table.insert(parts, status.message)
  elseif status.kind ~= "normal" then
    table.insert(parts, status.kind)
  end
  -- A percent sign would begin an item of the status line.
  return (table.concat(parts, " · "):gsub("%%", ""))
end

return M
