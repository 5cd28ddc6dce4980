--- Text in a float: scrolls like any window, and q closes it.
local config = require("pennyproof.config")

local M = {}

---@class pennyproof.Float
---@field buffer integer
---@field window integer
local Float = {}
Float.__index = Float

local function shape(lines, title, footer)
  local options = config.get().float
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  -- The title is the evidence: it is cut only where the screen is too narrow for it.
  local headings = math.max(vim.fn.strdisplaywidth(title), vim.fn.strdisplaywidth(footer or "")) + 2
  width = math.max(math.min(width, math.floor(vim.o.columns * options.width)), headings)
  width = math.min(width, vim.o.columns - 4)
  local height = 0
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  height = math.max(1, math.min(height, math.floor(vim.o.lines * options.height)))
  return {
    relative = "editor",
    width = width,
    height = height,
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
    border = options.border,
    title = " " .. title .. " ",
    title_pos = "center",
    footer = footer and (" " .. footer .. " ") or nil,
    footer_pos = footer and "center" or nil,
  }
end

--- Open one.
---@param options { title: string, footer?: string, lines: string[], filetype: string }
---@return pennyproof.Float
function M.open(options)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = "wipe"
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, options.lines)
  vim.bo[buffer].modifiable = false
  -- Who types in another buffer goes on there.
  local enter = vim.api.nvim_get_mode().mode:find("^n") ~= nil
  local placed = shape(options.lines, options.title, options.footer)
  local window = vim.api.nvim_open_win(buffer, enter, vim.tbl_extend("error", placed, { style = "minimal" }))
  vim.wo[window].wrap = true
  vim.wo[window].linebreak = true
  -- Some packages of Neovim come without the parsers that its own file types need.
  if options.filetype == "markdown" and not pcall(vim.treesitter.get_parser, buffer, "markdown") then
    vim.bo[buffer].syntax = "markdown"
  else
    vim.bo[buffer].filetype = options.filetype
  end
  local float = setmetatable({ buffer = buffer, window = window }, Float)
  float:map("q", float.close)
  float:map("<Esc>", float.close)
  return float
end

--- A key in this float.
---@param key string
---@param action fun(float: pennyproof.Float)
function Float:map(key, action)
  vim.keymap.set("n", key, function()
    action(self)
  end, { buffer = self.buffer, nowait = true })
end

---@return boolean
function Float:is_open()
  return vim.api.nvim_win_is_valid(self.window) and vim.api.nvim_buf_is_valid(self.buffer)
end

--- Show another text.
---@param lines string[]
---@param title string
---@param footer? string
function Float:set(lines, title, footer)
  if not self:is_open() then
    return
  end
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, 0, -1, true, lines)
  vim.bo[self.buffer].modifiable = false
  vim.api.nvim_win_set_config(self.window, shape(lines, title, footer))
end

function Float:close()
  if vim.api.nvim_win_is_valid(self.window) then
    vim.api.nvim_win_close(self.window, true)
  end
end

return M
