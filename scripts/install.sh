#!/bin/sh
# Installs what package-lock.json names, and nothing when all of it is there.
set -eu
cd "$(dirname "$0")/.."
if [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then exit 0; fi
echo 'installing the packages that package-lock.json names; the first time takes up to a minute' >&2
npm ci --no-audit --no-fund --loglevel=error
