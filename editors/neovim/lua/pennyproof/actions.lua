--- What the server's commands do here: for `:Pennyproof`, and for light bulbs and lenses.
local notify = require("pennyproof.notify")
local requests = require("pennyproof.requests")

local M = {}

local function ask(client_id, buffer, command, argument, done)
  local client = vim.lsp.get_client_by_id(client_id)
  if client then
    requests.run(client, buffer, "pennyproof." .. command, argument, function(result)
      done(result, client)
    end)
  end
end

local function offered(result, client)
  if #result.offers > 0 then
    require("pennyproof.preview").open(client, result.offers)
  else
    notify.info(type(result.reason) == "string" and result.reason or "nothing held")
  end
end

--- Find fixes, and show them.
---@param argument { uri: string, range?: table, testId?: string }
function M.debug(client_id, buffer, argument)
  ask(client_id, buffer, "debug", vim.tbl_extend("force", argument, { preview = true }), offered)
end

--- Have lines edited, and show what held.
---@param argument { uri: string, range: table, instruction?: string }
function M.edit(client_id, buffer, argument)
  ask(client_id, buffer, "edit", vim.tbl_extend("force", argument, { preview = true }), offered)
end

--- Explain; the server has the page opened.
---@param argument { uri: string, range?: table, testId?: string }
function M.explain(client_id, buffer, argument)
  ask(client_id, buffer, "explain", argument, function() end)
end

--- Run tests; those that fail become diagnostics.
---@param argument { uri: string, testIds?: string[] }
function M.tests(client_id, buffer, argument)
  ask(client_id, buffer, "runTests", argument, function(result)
    local text = ("%d failed, %d passed in %.1f s"):format(#result.failed, result.passed, result.seconds)
    if #result.failed > 0 then
      notify.warn(text)
    else
      notify.info(text)
    end
  end)
end

--- A command whose page is all there is to see.
function M.page(client_id, buffer, command, argument)
  ask(client_id, buffer, command, argument, function() end)
end

--- Whether code of a workspace may run.
function M.trust(client_id, buffer, root, trusted)
  ask(client_id, buffer, "trustWorkspace", { root = root, trusted = trusted }, function(result)
    notify.info(("%s is %strusted"):format(result.root, result.trusted and "" or "not "))
  end)
end

return M
