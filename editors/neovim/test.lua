-- What a user of Neovim does, without a screen: opens a file, sees no findings, plants a mistake, sees the squiggle where it belongs, takes
-- the quick fix, and sees it go. Run by `cargo test -p cspec-lsp --test neovim`, which sets the server, the file, and which operation of it is
-- to be claimed to move left although it does not.

local PATIENCE = 60000

local function fail(text)
  io.stderr:write("\nFAILED: " .. text .. "\n")
  vim.cmd("cquit 1")
end

local function wait_for(what, condition)
  if not vim.wait(PATIENCE, condition, 20) then
    fail(what .. " never came; findings: " .. vim.inspect(vim.diagnostic.get(0)))
  end
  io.stderr:write("ok: " .. what .. "\n")
end

vim.g.cspec_cmd = { vim.env.CSPEC_LSP }
vim.cmd("luafile " .. vim.env.CSPEC_PLUGIN)
vim.cmd("filetype on")
vim.cmd("edit " .. vim.env.CSPEC_FILE)
vim.bo.filetype = "rust"

local function client()
  for _, it in pairs(vim.lsp.buf_get_clients(0)) do
    return it
  end
end
wait_for("a server for the buffer", function()
  return client() ~= nil and client().initialized
end)
if vim.tbl_count(vim.lsp.buf_get_clients(0)) ~= 1 or vim.tbl_count(vim.lsp.get_active_clients()) ~= 1 then
  fail("there is more than one server: " .. vim.inspect(vim.tbl_keys(vim.lsp.buf_get_clients(0))))
end

local function request(method, params)
  local answer = client().request_sync(method, params, PATIENCE, 0)
  return answer and answer.result
end

local function is_settled()
  local packages = request("cspec/layers", vim.empty_dict()) or {}
  for _, it in ipairs(packages) do
    if it.status.phase ~= "settled" then
      return false
    end
  end
  return #packages > 0
end
wait_for("all verdicts", is_settled)
if #vim.diagnostic.get(0) ~= 0 then
  fail("there are findings before there is a mistake: " .. vim.inspect(vim.diagnostic.get(0)))
end

local function line_of(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    if line:find(text, 1, true) then
      return number - 1, line
    end
  end
  fail("there is no " .. text)
end

-- The mistake: the operation is claimed to move left.
local before = vim.api.nvim_buf_get_lines(0, 0, -1, false)
local operation = line_of("fn " .. vim.env.CSPEC_OPERATION .. "(&mut self")
vim.api.nvim_buf_set_lines(0, operation - 1, operation, false, { "    #[op(left)]" })
local function found_at(line, column)
  for _, it in ipairs(vim.diagnostic.get(0)) do
    if it.lnum == line and it.col == column and it.source == "cspec" then
      return it
    end
  end
end
wait_for("a squiggle under the claim", function()
  return found_at(operation - 1, #"    #[op(") ~= nil
end)

-- The quick fix.
local function fix()
  local place = { line = operation - 1, character = #"    #[op(" }
  local actions = request("textDocument/codeAction", {
    textDocument = vim.lsp.util.make_text_document_params(),
    range = { start = place, ["end"] = place },
    context = { diagnostics = {} },
  })
  for _, it in ipairs(actions or {}) do
    if it.title:find("Claim what holds", 1, true) then
      return it
    end
  end
end
wait_for("a quick fix that claims what holds", function()
  return fix() ~= nil
end)
vim.lsp.util.apply_workspace_edit(fix().edit, client().offset_encoding)
wait_for("the squiggle's end", function()
  return #vim.diagnostic.get(0) == 0
end)
local _, fixed = line_of("#[op(")
io.stderr:write("fixed: " .. fixed .. "\n")

vim.api.nvim_buf_set_lines(0, 0, -1, false, before)
wait_for("all verdicts again", is_settled)
vim.cmd("qall!")
