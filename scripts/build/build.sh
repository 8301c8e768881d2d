#!/bin/sh
# Bundles src/ into dist/ and puts the published documents beside it. dist/ changes in one step at the end: a build that
# fails or is killed leaves the old one, and a program that runs from the old one keeps its files. The compiled core of
# the census lies in src/ as well, for programs that run from there.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"
[ -e dist ] || echo 'building dist/' >&2
core=src/census/fast/core.wasm
for left in dist.new.* $core.*; do # Of builds that were killed.
  kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
done
new=dist.new.$$
trap 'rm -rf "$new"' EXIT
if [ ! -f $core ] || [ -n "$(find src/census/fast/core package-lock.json -type f -newer $core)" ]; then
  asc src/census/fast/core/pages.ts --config src/census/fast/core/asconfig.json --outFile $core.$$
  mv $core.$$ $core
fi
rolldown --config scripts/build/rolldown.config.ts --dir "$new" >/dev/null
tsc -p scripts/build/tsconfig.types.json --outDir "$new/types"
find src -name '*.yaml' -o -name '*.schema.json' | while read -r document; do
  cp "$document" "$new/"
done
cp $core "$new/"
node scripts/build/exchange-folders.ts "$new" dist
