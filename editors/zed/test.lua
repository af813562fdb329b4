-- Tests settings.json without Zed, which cannot run here: like Zed, Neovim starts rust-analyzer with these options, and shows the findings
-- of `cargo cspec check`. Run by `cargo test -p cargo-cspec --test rust_analyzer`, which sets the file with a mistake in it.

local PATIENCE = 240000

local lines = vim.tbl_filter(function(line)
  return not line:find("^%s*//")
end, vim.fn.readfile(vim.env.CSPEC_SETTINGS))
local settings = vim.fn.json_decode(lines)

vim.cmd("edit " .. vim.env.CSPEC_FILE)
local root = vim.fn.fnamemodify(vim.env.CSPEC_FILE, ":h:h")
vim.lsp.buf_attach_client(0, vim.lsp.start_client({
  name = "rust-analyzer",
  cmd = { "rust-analyzer" },
  root_dir = root,
  workspace_folders = { { name = root, uri = vim.uri_from_fname(root) } },
  init_options = settings.lsp["rust-analyzer"].initialization_options,
}))

local function found()
  for _, it in ipairs(vim.diagnostic.get(0)) do
    if it.source == "cspec" and it.code == "CS0401" then
      return it
    end
  end
end
if not vim.wait(PATIENCE, function() return found() ~= nil end, 50) then
  io.stderr:write("\nFAILED: no finding of cspec came; there are " .. vim.inspect(vim.diagnostic.get(0)) .. "\n")
  vim.cmd("cquit 1")
end
io.stderr:write("found: " .. vim.api.nvim_buf_get_lines(0, found().lnum, found().lnum + 1, false)[1] .. "\n")
vim.cmd("qall!")
