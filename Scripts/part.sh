#!/usr/bin/env bash
# Makes a package of some targets and what they need, in a folder of its own: a tree of links to the sources, so that a
# build of it touches neither .build nor the versions that the whole package has resolved.
#
#   Scripts/part.sh FOLDER        then, in FOLDER:
#   SHIM6_TARGETS=REAPTests,CGATests swift test
set -euo pipefail
cd "$(dirname "$0")/.."

tree=${1:?which folder?}
mkdir -p "$tree"
for name in Sources Tools Tests Plugins docs Package.swift; do
    rm -rf "${tree:?}/$name"
    cp -rs "$PWD/$name" "$tree/"
done
# The same versions as the whole package has.
[ ! -e Package.resolved ] || [ -e "$tree/Package.resolved" ] || cp Package.resolved "$tree/"
