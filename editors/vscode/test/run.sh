#!/usr/bin/env bash
# Tests the extension in VS Code, in a headless browser: see `test.mjs`. Without the programs that it needs it is skipped, with a message.
#
#   run.sh [SCREENSHOTS]    stores screenshots in this folder
#
# CSPEC_LSP is the path of the server; by default, the one built last by `cargo build -p cspec-lsp`.
set -euo pipefail
pictures=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")"

skip() {
    echo "SKIPPED: the test of the VS Code extension needs $1"
    exit 0
}
for program in node npm make g++ python3; do
    command -v "$program" >/dev/null || skip "$program"
done
[[ $(node --version) == v20.* ]] || skip "node 20, which the editor requires; this is $(node --version)"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || skip "chromium: apt-get install chromium"
export CHROMIUM CSPEC_LSP=${CSPEC_LSP:-$(realpath ../../../target/debug/cspec-lsp)}
[ -x "$CSPEC_LSP" ] || skip "the server: cargo build -p cspec-lsp"

timeout 120 ./install.sh || skip "packages from npm, which could not be installed within two minutes"
if ! [ ../node_modules/.package-lock.json -nt ../package-lock.json ]; then
    (cd .. && timeout 60 npm ci --no-audit --no-fund >/dev/null) || skip "packages from npm, which could not be installed within a minute"
fi
../package.sh >/dev/null
exec timeout 150 node test.mjs "$pictures"
