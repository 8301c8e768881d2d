#!/bin/sh
# Bundles src/ into dist/ and puts the published documents beside it. Whole or not at all: what runs from dist/ keeps what it has until then, and two builds
# at a time do not get into each other's way. The compiled core of the census lies in src/ as well, for whatever runs from there.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
new=dist.new.$$
trap 'rm -rf "$new" "$new.old"' EXIT
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
# Another build may put its own in place between the two steps: then once more.
for attempt in 1 2 3 4 5; do
  if mv -T dist "$new.old" 2>/dev/null; then rm -rf "$new.old"; fi
  if mv -T "$new" dist 2>/dev/null; then exit 0; fi
done
echo "the build could not be put in the place of dist/: $new" >&2
exit 1
