#!/bin/sh
# Bundles src/ into dist/ and puts the published documents beside it. Whole or not at all: what runs from dist/ keeps what it has until then, and two builds
# at a time do not get into each other's way. The compiled core of the census lies in src/ as well, for whatever runs from there.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
new=dist.new.$$
trap 'rm -rf "$new"*' EXIT
core=src/check/core.wasm
if [ ! -f $core ] || [ -n "$(find census-core package-lock.json -type f -newer $core)" ]; then
  asc census-core/pages.ts --config census-core/asconfig.json --outFile $core.$$
  mv $core.$$ $core
fi
rolldown --config scripts/rolldown.config.ts --dir "$new" >/dev/null
tsc -p scripts/tsconfig.types.json --outDir "$new/types"
find src -name '*.yaml' -o -name '*.schema.json' | while read -r document; do
  cp "$document" "$new/"
done
cp $core "$new/"
if [ -e dist ]; then mv dist "$new.old"; fi
mv "$new" dist
