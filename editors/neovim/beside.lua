-- cspec beside rust-analyzer in one buffer of Neovim, without a screen: both are attached, both show their findings, each offers its own
-- features, and neither interferes with the other. Run by `cargo test -p cspec-lsp --test neovim`, which sets the servers and the file.

local steps = dofile(vim.fn.fnamemodify(vim.env.CSPEC_PLUGIN, ":h") .. "/steps.lua")
local fail, wait_for, client, request, line_of = steps.fail, steps.wait_for, steps.client, steps.request, steps.line_of

steps.open()
local root = vim.fn.fnamemodify(vim.env.CSPEC_FILE, ":h:h")
vim.lsp.buf_attach_client(0, vim.lsp.start_client({
  name = "rust-analyzer",
  cmd = { "rust-analyzer" },
  root_dir = root,
  workspace_folders = { { name = root, uri = vim.uri_from_fname(root) } },
}))

local function both(condition)
  return condition("cspec") and condition("rust-analyzer")
end

wait_for("two servers for the buffer", function()
  return both(steps.is_ready)
end)
steps.are_alone(2)

local function document()
  return { textDocument = vim.lsp.util.make_text_document_params() }
end

local function at(text, word)
  local line, whole = line_of(text)
  local place = document()
  place.position = { line = line, character = whole:find(word, 1, true) - 1 }
  return place
end

-- The hints of each server.
wait_for("all verdicts", steps.is_settled)
local function hints(name)
  local params = document()
  params.range = { start = { line = 0, character = 0 }, ["end"] = { line = vim.fn.line("$"), character = 0 } }
  return request(name, "textDocument/inlayHint", params) or {}
end
wait_for("hints of both", function()
  return both(function(name)
    return #hints(name) > 0
  end)
end)
local function places(found)
  local all = {}
  for _, it in ipairs(found) do
    all[it.position.line .. ":" .. it.position.character] = it.label
  end
  return all
end
local theirs = places(hints("rust-analyzer"))
for place, label in pairs(places(hints("cspec"))) do
  if theirs[place] then
    fail("two hints stand at " .. place .. ": " .. vim.inspect({ label, theirs[place] }))
  end
end

-- Hover: cspec describes the operation, rust-analyzer shows its signature.
wait_for("hovers of both", function()
  return both(function(name)
    return request(name, "textDocument/hover", at("fn acquire(&mut self", "acquire")) ~= nil
  end)
end)

-- Lenses and commands: each server has its own.
local function commands(name)
  local all = {}
  for _, it in ipairs(request(name, "textDocument/codeLens", document()) or {}) do
    if it.command and it.command.command ~= "" then
      all[it.command.command] = true
    end
  end
  return all
end
for command in pairs(commands("cspec")) do
  if commands("rust-analyzer")[command] then
    fail("both have a lens for " .. command)
  end
end
local offered = client("rust-analyzer").server_capabilities.executeCommandProvider or { commands = {} }
for _, mine in ipairs(client("cspec").server_capabilities.executeCommandProvider.commands) do
  if vim.tbl_contains(offered.commands, mine) then
    fail("both have the command " .. mine)
  end
end

-- Only rust-analyzer offers renaming and formatting, so the user need not choose a server.
for _, what in ipairs({ "renameProvider", "documentFormattingProvider", "signatureHelpProvider" }) do
  if client("cspec").server_capabilities[what] or not client("rust-analyzer").server_capabilities[what] then
    fail("who has the " .. what .. "?")
  end
end
local declared = at("    pub value: u64", "value")
wait_for("rust-analyzer knows where the field is used", function()
  local params = vim.deepcopy(declared)
  params.context = { includeDeclaration = true }
  return #(request("rust-analyzer", "textDocument/references", params) or {}) > 2
end)
vim.api.nvim_win_set_cursor(0, { declared.position.line + 1, declared.position.character })
vim.lsp.buf.rename("count")
wait_for("the field is renamed where it is used", function()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"):find("self.count", 1, true) ~= nil
end)
wait_for("all verdicts with the new name", steps.is_settled)
local function found_by(source)
  return vim.tbl_filter(function(it)
    return it.source == source
  end, vim.diagnostic.get(0))
end
if #found_by("cspec") ~= 0 then
  fail("the new name is a mistake: " .. vim.inspect(found_by("cspec")))
end

-- A mistake for each server: the findings of one do not replace those of the other.
local operation = line_of("fn acquire(&mut self")
vim.api.nvim_buf_set_lines(0, operation - 1, operation, false, { "    #[op(left)]" })
vim.api.nvim_buf_set_lines(0, -1, -1, false, { "", "pub fn stray() -> u64 {", '    let text: &str = "text";', "    text", "}" })
wait_for("findings of both", function()
  return #found_by("cspec") > 0 and #found_by("rust-analyzer") > 0
end)
vim.cmd("silent undo")
vim.cmd("silent undo")
wait_for("the end of both", function()
  return #vim.diagnostic.get(0) == 0
end)
vim.cmd("qall!")
