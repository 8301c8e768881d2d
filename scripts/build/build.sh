#!/bin/sh
# Bundles src/ into dist/ and copies the published documents into it.
# The last line exchanges dist/ in one step. A build that fails or is killed leaves the old dist/ as it is.
# A program that runs from the old dist/ keeps the files that it has open.
# The compiled core of the census is written to src/ as well, for programs that run from src/.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"
[ -e dist ] || echo 'building dist/' >&2
core=src/census/fast/core.wasm
# Removes the files of killed builds. Their names end with the process id of the build.
for stale in dist.new.* $core.*; do
  kill -0 "${stale##*.}" 2>/dev/null || rm -rf "$stale"
done
new=dist.new.$$
trap 'rm -rf "$new"' EXIT
if [ ! -f $core ] || [ -n "$(find src/census/fast/core package-lock.json -type f -newer $core)" ]; then
  asc src/census/fast/core/pages.ts --config src/census/fast/core/asconfig.json --outFile $core.$$
  mv $core.$$ $core
fi
rolldown --config scripts/build/rolldown.config.ts --dir "$new" >/dev/null
tsc -p scripts/build/tsconfig.types.json --outDir "$new/types"
find src -name '*.yaml' -o -name '*.schema.json' -o -name 'grafana-*.json' | while read -r document; do
  cp "$document" "$new/"
done
cp $core "$new/"
node scripts/build/man-page.ts >"$new/holdfast.1"
node scripts/build/exchange-folders.ts "$new" dist
