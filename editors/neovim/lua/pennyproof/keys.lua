--- Keys that act in one case and else do what they did before.
local M = {}

local function feed(keys, remapped)
  -- Ahead of what was typed meanwhile.
  vim.api.nvim_feedkeys(vim.keycode(keys), remapped and "mi" or "ni", false)
end

--- Do what a key did before: by a mapping of the buffer or of all, or by itself.
local function as_before(key, buffers_own)
  local mapping = buffers_own
  if not mapping then
    local wanted = vim.keycode(key)
    mapping = vim.iter(vim.api.nvim_get_keymap("i")):find(function(other)
      return (other.lhsraw or vim.keycode(other.lhs)) == wanted or other.lhsrawalt == wanted
    end)
  end
  if not mapping then
    feed(key, false)
    return
  end
  local rhs = mapping.rhs and mapping.rhs:gsub("<[Ss][Ii][Dd]>", ("<SNR>%d_"):format(mapping.sid or 0))
  local result = rhs
  if mapping.callback then
    result = mapping.callback()
  elseif mapping.expr == 1 then
    result = vim.api.nvim_eval(rhs)
  end
  if (mapping.expr == 1 or not mapping.callback) and type(result) == "string" then
    if mapping.expr == 1 and mapping.replace_keycodes ~= 1 then
      vim.api.nvim_feedkeys(result, mapping.noremap == 1 and "ni" or "mi", false)
    else
      feed(result, mapping.noremap ~= 1)
    end
  end
end

--- Map a key of insert mode in a buffer.
---@param buffer integer
---@param key string
---@param about string
---@param act fun(): boolean Whether it acted.
function M.map(buffer, key, about, act)
  local before = vim.api.nvim_buf_call(buffer, function()
    return vim.fn.maparg(key, "i", false, true)
  end)
  local buffers_own = before.buffer == 1 and before or nil
  if buffers_own and buffers_own.desc == about then
    return -- Mapped by an earlier server of this buffer.
  end
  vim.keymap.set("i", key, function()
    if not act() then
      as_before(key, buffers_own)
    end
  end, { buffer = buffer, desc = about })
end

return M
