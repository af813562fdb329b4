-- cspec for Neovim 0.7 and later. Copy this file to ~/.config/nvim/plugin/cspec.lua.
-- It starts one server for each workspace, beside rust-analyzer, and adds the commands :CspecCheck and :CspecCounterexample.

local function root_of(path)
  local manifest = vim.fn.findfile("Cargo.toml", vim.fn.fnamemodify(path, ":p:h") .. ";")
  -- The outermost manifest is that of the workspace.
  while manifest ~= "" do
    local above = vim.fn.fnamemodify(manifest, ":p:h:h")
    local next = vim.fn.findfile("Cargo.toml", above .. ";")
    if next == "" or vim.fn.fnamemodify(next, ":p") == vim.fn.fnamemodify(manifest, ":p") then
      return vim.fn.fnamemodify(manifest, ":p:h")
    end
    manifest = next
  end
end

local settings = {}

if vim.lsp.config then
  vim.lsp.config("cspec", {
    cmd = { "cargo-cspec", "lsp" },
    filetypes = { "rust" },
    root_dir = function(buffer, found)
      local root = root_of(vim.api.nvim_buf_get_name(buffer))
      if root then
        found(root)
      end
    end,
    init_options = settings,
    settings = { cspec = settings },
  })
  vim.lsp.enable("cspec")
else
  local clients = {}
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "rust",
    callback = function(event)
      local root = root_of(vim.api.nvim_buf_get_name(event.buf))
      if not root then
        return
      end
      -- A starting server counts as running: the event comes several times during the start.
      if clients[root] == nil or clients[root] and not vim.lsp.get_client_by_id(clients[root]) then
        -- If the program is missing, Neovim reports it once.
        clients[root] = vim.lsp.start_client({
          name = "cspec",
          cmd = vim.g.cspec_cmd or { "cargo-cspec", "lsp" },
          root_dir = root,
          workspace_folders = { { name = root, uri = vim.uri_from_fname(root) } },
          init_options = settings,
        }) or false
      end
      if clients[root] then
        vim.lsp.buf_attach_client(event.buf, clients[root])
      end
    end,
  })
end

local function cspec_client(buffer)
  for _, client in pairs(vim.lsp.buf_get_clients(buffer)) do
    if client.name == "cspec" then
      return client
    end
  end
end

-- Explore again, in the scope of the settings.
vim.api.nvim_create_user_command("CspecCheck", function()
  local client = cspec_client(0)
  if client then
    client.request("workspace/executeCommand", { command = "cspec.check", arguments = {} }, function() end, 0)
  end
end, {})

-- Show the counterexample to the finding under the cursor in a split.
vim.api.nvim_create_user_command("CspecCounterexample", function()
  local client = cspec_client(0)
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  for _, found in ipairs(vim.diagnostic.get(0, { lnum = line })) do
    local data = found.user_data and found.user_data.lsp and found.user_data.lsp.data
    if client and data and data.obligation then
      client.request("cspec/counterexample", data, function(err, text)
        if err then
          return vim.notify(err.message, vim.log.levels.WARN)
        end
        vim.cmd("botright new")
        vim.bo.buftype, vim.bo.bufhidden, vim.bo.filetype = "nofile", "wipe", "markdown"
        vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n"))
        vim.bo.modifiable, vim.wo.wrap = false, false
      end, 0)
      return
    end
  end
  vim.notify("no counterexample on this line")
end, {})
