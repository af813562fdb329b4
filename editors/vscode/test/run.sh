#!/usr/bin/env bash
# The extension in VS Code, in a browser without a screen: see `test.mjs`. Without the programs that it needs it is skipped, and says so.
#
#   run.sh [SCREENSHOTS]    keeps pictures of what a user sees in this folder
#
# CSPEC_LSP is the server: that of the last `cargo build -p cspec-lsp` unless it is set.
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
[[ $(node --version) == v20.* ]] || skip "node 20, which the editor is built for; this is $(node --version)"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || skip "chromium: apt-get install chromium"
export CHROMIUM CSPEC_LSP=${CSPEC_LSP:-$(realpath ../../../target/debug/cspec-lsp)}
[ -x "$CSPEC_LSP" ] || skip "the server: cargo build -p cspec-lsp"

timeout 120 ./install.sh || skip "what npm installs, and could not in two minutes"
if ! [ ../node_modules/.package-lock.json -nt ../package-lock.json ]; then
    (cd .. && timeout 60 npm ci --no-audit --no-fund >/dev/null) || skip "what npm installs, and could not in a minute"
fi
../package.sh >/dev/null
exec timeout 150 node test.mjs "$pictures"
