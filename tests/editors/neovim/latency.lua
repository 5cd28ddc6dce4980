-- Types in insert mode, and writes down when a key was pressed and when its ghost text was drawn, in nanoseconds.
local rounds = tonumber(vim.env.ROUNDS)
local moments, shown = {}, nil

local set = vim.api.nvim_buf_set_extmark
rawset(vim.api, "nvim_buf_set_extmark", function(buffer, namespace, ...)
  local mark = set(buffer, namespace, ...)
  if vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"] == namespace then
    vim.cmd.redraw()
    shown = vim.uv.hrtime()
  end
  return mark
end)

-- Keys are typed between turns of Neovim's own loop, so that it meets them as it does a user's.
local waiting
local function until_holds(condition)
  waiting = condition
  coroutine.yield()
end
local function mode(wanted)
  return function()
    return vim.api.nvim_get_mode().mode == wanted
  end
end

local function measure()
  until_holds(function()
    local client = vim.lsp.get_clients({ name = "pennyproof", bufnr = 0 })[1]
    return client and require("vim.lsp._capability").all.inline_completion.active[vim.api.nvim_get_current_buf()]
  end)
  for round = 1, rounds do
    vim.api.nvim_input("<Esc>")
    until_holds(mode("n"))
    vim.api.nvim_buf_set_lines(0, -2, -1, true, { ("value_%d ="):format(round) })
    shown = nil
    vim.api.nvim_input("GA")
    until_holds(function()
      return shown
    end)
    local pressed = vim.uv.hrtime()
    shown = nil
    vim.api.nvim_input("<Space>")
    -- What is shown at once is the completion of before, which Neovim leaves there while it waits.
    local line = vim.api.nvim_get_current_line() .. " "
    until_holds(function()
      return vim.api.nvim_get_current_line() == line and shown and shown - pressed > 100 * 1000 * 1000
    end)
    table.insert(moments, { pressed, shown })
  end
  vim.fn.writefile({ vim.json.encode(moments) }, vim.env.SEEN)
  vim.cmd("qall!")
end

local running = coroutine.create(measure)
assert(vim.uv.new_timer()):start(
  0,
  5,
  vim.schedule_wrap(function()
    if coroutine.status(running) == "suspended" and (not waiting or waiting()) then
      waiting = nil
      local well, problem = coroutine.resume(running)
      if not well then
        io.stderr:write(problem)
        vim.cmd("cquit 1")
      end
    end
  end)
)
