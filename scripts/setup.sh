#!/bin/sh
# Installs and builds what a fresh clone needs, and nothing when all of it is there.
set -eu
cd "$(dirname "$0")/.."
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
fi
sh scripts/build.sh
