#!/bin/sh
# Installs and builds what a fresh clone needs.
set -eu
cd "$(dirname "$0")"
sh install.sh
sh build/build.sh
