#!/bin/sh
# Compiles src/ to dist/ and puts the published documents beside it. Whole or not at all: what runs from dist/ keeps what it has until then.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
rm -rf dist.new
tsc -p tsconfig.json --outDir dist.new
find src -name '*.yaml' -o -name '*.schema.json' | while read -r document; do
  cp "$document" "dist.new/${document#src/}"
done
rm -rf dist
mv dist.new dist
