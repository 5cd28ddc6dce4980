--- What the sessions share: waiting for things, seeing what was said, and handing over what was seen.
local M = {}

local PATIENCE = tonumber(vim.env.PATIENCE or 120) * 1000

--- End the session as failed, with what was said in it.
local function give_up(what)
  io.stderr:write(("\ngave up waiting for %s; the messages were:\n%s\n"):format(what, vim.fn.execute("messages")))
  vim.cmd("cquit 1")
end

--- Play a session once Neovim has started up, as a user would.
function M.play(script)
  vim.schedule(function()
    local well, problem = xpcall(dofile, debug.traceback, script)
    if not well then
      io.stderr:write(problem)
      vim.cmd("cquit 1")
    end
  end)
end

--- Wait for something to hold, and return it.
function M.wait(what, condition)
  local found
  local held = vim.wait(PATIENCE, function()
    found = condition()
    return found
  end, 20)
  if not held then
    give_up(what)
  end
  return found
end

--- The server of the current buffer, once it is there.
function M.server()
  return M.wait("the server", function()
    local client = vim.lsp.get_clients({ name = "pennyproof", bufnr = 0 })[1]
    return client and client.initialized and client
  end)
end

--- Wait until every changed buffer has a server, which a buffer that an edit loaded gets a moment later.
function M.attached()
  M.wait("servers of changed buffers", function()
    return vim.iter(vim.api.nvim_list_bufs()):all(function(buffer)
      return not vim.bo[buffer].modified or #vim.lsp.get_clients({ name = "pennyproof", bufnr = buffer }) == 1
    end)
  end)
end

--- Open a file, and wait for its server.
function M.open(path)
  vim.cmd.edit({ vim.fn.fnameescape(path) })
  return M.server()
end

--- All messages so far, in lines.
function M.messages()
  return vim.split(vim.trim(vim.fn.execute("messages")), "\n")
end

--- How many messages have a text.
function M.count(text)
  return vim.iter(M.messages()):fold(0, function(sum, line)
    return sum + (line:find(text, 1, true) and 1 or 0)
  end)
end

--- Wait for a message with a text.
function M.said(text)
  return M.wait("the message " .. text, function()
    return vim.iter(M.messages()):find(function(line)
      return line:find(text, 1, true)
    end)
  end)
end

--- Press keys, as by hand.
function M.press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), "tx", false)
end

--- The float that is shown, as its title, keys and text; waits for one whose text satisfies `condition`.
function M.float(filetype, condition)
  return M.wait("a float of " .. filetype, function()
    local placed = vim.api.nvim_win_get_config(0)
    local shown = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), "\n")
    if placed.relative == "" or vim.bo.filetype ~= filetype or (condition and not condition(shown)) then
      return nil
    end
    return { title = placed.title[1][1], footer = placed.footer and placed.footer[1][1], text = shown }
  end)
end

--- Wait until no float is shown.
function M.floatless()
  M.wait("the float to close", function()
    return vim.api.nvim_win_get_config(0).relative == ""
  end)
end

--- The diagnostics of the current buffer, once there are some that fit.
function M.diagnostics(condition)
  return M.wait("diagnostics", function()
    local found = vim.diagnostic.get(0)
    return condition(found) and found
  end)
end

function M.lines(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, true), "\n")
end

--- End the session, and hand over what was seen.
function M.finish(seen)
  seen.messages = M.messages()
  vim.fn.writefile({ vim.json.encode(seen) }, vim.env.SEEN)
  vim.cmd("qall!")
end

return M
