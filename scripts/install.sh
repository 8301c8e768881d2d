#!/bin/sh
# Installs the packages of package-lock.json, unless they are installed already.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json
if [ -f $installed ] && [ ! package-lock.json -nt $installed ]; then exit 0; fi
echo 'installing the packages of package-lock.json; the first time takes up to a minute' >&2
npm ci --no-audit --no-fund --loglevel=error
