-- Helpers of the Neovim tests: each test opens a file with the plug-in, sends requests to the servers, and reports the results.

local M = {}

-- The timeout in milliseconds: rust-analyzer reads the standard library first.
local PATIENCE = 240000

function M.fail(text)
  io.stderr:write("\nFAILED: " .. text .. "\n")
  vim.cmd("cquit 1")
end

function M.wait_for(what, condition)
  if not vim.wait(PATIENCE, condition, 20) then
    M.fail(what .. " never came; findings: " .. vim.inspect(vim.diagnostic.get(0)))
  end
  io.stderr:write("ok: " .. what .. "\n")
end

-- The file, with the plug-in and the server that the test sets.
function M.open()
  vim.g.cspec_cmd = { vim.env.CSPEC_LSP }
  vim.cmd("luafile " .. vim.env.CSPEC_PLUGIN)
  vim.cmd("filetype on")
  vim.cmd("edit " .. vim.env.CSPEC_FILE)
  vim.bo.filetype = "rust"
end

-- The server of this name for the buffer.
function M.client(name)
  for _, it in pairs(vim.lsp.buf_get_clients(0)) do
    if it.name == name then
      return it
    end
  end
end

function M.is_ready(name)
  return M.client(name) ~= nil and M.client(name).initialized
end

-- Checks the number of servers.
function M.are_alone(count)
  if vim.tbl_count(vim.lsp.get_active_clients()) ~= count or vim.tbl_count(vim.lsp.buf_get_clients(0)) ~= count then
    M.fail("the servers are not " .. count .. ": " .. vim.inspect(vim.tbl_keys(vim.lsp.buf_get_clients(0))))
  end
end

function M.request(name, method, params)
  local answer = M.client(name).request_sync(method, params, PATIENCE, 0)
  return answer and answer.result
end

function M.is_settled()
  local packages = M.request("cspec", "cspec/layers", vim.empty_dict()) or {}
  for _, it in ipairs(packages) do
    if it.status.phase ~= "settled" then
      return false
    end
  end
  return #packages > 0
end

-- The number, from 0, of the first line with this text, and the line.
function M.line_of(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    if line:find(text, 1, true) then
      return number - 1, line
    end
  end
  M.fail("there is no " .. text)
end

return M
