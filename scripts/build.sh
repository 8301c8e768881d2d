#!/bin/sh
# Bundles src/ into dist/ and puts the published documents beside it. Whole or not at all: what runs from dist/ keeps what it has until then.
# The compiled core of the census lies in src/ as well, for whatever runs from there.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
core=src/check/core.wasm
if [ ! -f $core ] || [ -n "$(find census-core package-lock.json -type f -newer $core)" ]; then
  asc census-core/pages.ts --config census-core/asconfig.json --outFile $core.new
  mv $core.new $core
fi
rm -rf dist.new
rolldown --config scripts/rolldown.config.ts --dir dist.new >/dev/null
tsc -p scripts/tsconfig.types.json --outDir dist.new/types
find src -name '*.yaml' -o -name '*.schema.json' | while read -r document; do
  cp "$document" dist.new/
done
cp $core dist.new/
rm -rf dist
mv dist.new dist
