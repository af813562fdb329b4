#!/usr/bin/env bash
# Installs VS Code for the browser (code-server) beside this file, from npm alone: what its install script would download is in packages
# of its own, and what it would build is built here. Does nothing if that was done before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
installed=node_modules/.installed
cmp -s package-lock.json "$installed" && exit

quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)
npm ci "${quiet[@]}"
editor=node_modules/code-server/lib/vscode
for folder in "$editor" "$editor/extensions"; do
    (cd "$folder" && npm install --omit=dev "${quiet[@]}")
done
# Where it looks for what the desktop program has in one archive.
ln -sfn node_modules "$editor/node_modules.asar"
# The only part that is not JavaScript and is always loaded: passwords. Node's own headers are those of the system.
(cd node_modules/argon2 && npx node-pre-gyp rebuild --build-from-source --nodedir="$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")" >/dev/null)
cp package-lock.json "$installed"
