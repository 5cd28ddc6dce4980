--- The settings of the plugin, and their defaults.
local M = {}

---@class pennyproof.Config
local DEFAULTS = {
  --- Starts the server.
  cmd = { "pennyproof", "serve" },
  --- Of the server: `budget.dailyUsd` is set by { budget = { dailyUsd = 0.2 } }.
  settings = {},
  --- Completions as ghost text, on Neovim 0.12 or newer.
  ghost_text = true,
  --- In insert mode; false leaves a key alone.
  keys = {
    accept = "<Tab>",
    accept_word = "<M-Right>",
    dismiss = "<C-]>",
    request = "<M-Bslash>",
  },
  --- Of floats: a share of the editor's width and height that they may take, and their border.
  float = { width = 0.8, height = 0.8, border = "rounded" },
}

local current = vim.deepcopy(DEFAULTS)

--- Take in what the user sets; what is wrong is named once, and the default stays.
---@param options table
function M.set(options)
  local wrong = {}
  local function check(given, defaults, path)
    local kept = {}
    for name, value in pairs(given) do
      local default, whole = defaults[name], path .. name
      if default == nil then
        table.insert(wrong, ("there is no setting %s"):format(whole))
      elseif path == "keys." and value == false then
        kept[name] = false
      elseif type(value) ~= type(default) then
        table.insert(wrong, ("%s has to be a %s"):format(whole, type(default)))
      elseif type(default) == "table" and whole ~= "settings" and not vim.islist(default) then
        kept[name] = check(value, default, whole .. ".")
      else
        kept[name] = value
      end
    end
    return kept
  end
  current = vim.tbl_deep_extend("force", vim.deepcopy(DEFAULTS), check(options, DEFAULTS, ""))
  if #wrong > 0 then
    require("pennyproof.notify").warn("setup: " .. table.concat(wrong, "; "))
  end
end

---@return pennyproof.Config
function M.get()
  return current
end

return M
