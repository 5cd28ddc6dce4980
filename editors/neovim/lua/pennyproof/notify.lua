--- Messages to the user, all in one voice.
local M = {}

local function tell(message, level)
  vim.notify("Pennyproof: " .. message, level, { title = "Pennyproof" })
end

function M.info(message)
  tell(message, vim.log.levels.INFO)
end

function M.warn(message)
  tell(message, vim.log.levels.WARN)
end

return M
