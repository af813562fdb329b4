#!/usr/bin/env bash
# Bundles the extension and packs it: cspec.vsix. Needs node and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npm ci --no-audit --no-fund
npm run package
