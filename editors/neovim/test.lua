-- Uses Neovim as a user does, without a screen: opens a file, sees no findings, makes a mistake, sees the squiggle at the right place,
-- applies the quick fix, and sees the finding disappear. Run by `cargo test -p cspec-lsp --test neovim`, which sets the server, the file,
-- and the operation that gets a false claim to move left.

local steps = dofile(vim.fn.fnamemodify(vim.env.CSPEC_PLUGIN, ":h") .. "/steps.lua")
local fail, wait_for, client, request, line_of = steps.fail, steps.wait_for, steps.client, steps.request, steps.line_of

steps.open()
wait_for("a server for the buffer", function()
  return steps.is_ready("cspec")
end)
steps.are_alone(1)
wait_for("all verdicts", steps.is_settled)
if #vim.diagnostic.get(0) ~= 0 then
  fail("there are findings before there is a mistake: " .. vim.inspect(vim.diagnostic.get(0)))
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
  local actions = request("cspec", "textDocument/codeAction", {
    textDocument = vim.lsp.util.make_text_document_params(),
    range = { start = place, ["end"] = place },
    context = { diagnostics = {} },
  })
  for _, it in ipairs(actions or {}) do
    if it.title:find("Correct the claim", 1, true) then
      return it
    end
  end
end
wait_for("a quick fix that corrects the claim", function()
  return fix() ~= nil
end)
vim.lsp.util.apply_workspace_edit(fix().edit, client("cspec").offset_encoding)
wait_for("the squiggle's end", function()
  return #vim.diagnostic.get(0) == 0
end)
local _, fixed = line_of("#[op(")
io.stderr:write("fixed: " .. fixed .. "\n")

vim.api.nvim_buf_set_lines(0, 0, -1, false, before)
wait_for("all verdicts again", steps.is_settled)
vim.cmd("qall!")
