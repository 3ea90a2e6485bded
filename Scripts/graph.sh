#!/usr/bin/env bash
# Prints which modules use which, and which files of a module (Shim6Core) call which, by the compiler's index of the last
# debug build in FOLDER (.). Fails if more than MOST pairs of files call each other both ways.
# Usage: Scripts/graph.sh [MODULE [MOST [FOLDER]]]
set -euo pipefail
cd "$(dirname "$0")/.."

build=${3:-.}/.build/debug
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
exec "$build/graph" "$build/index/store" "$toolchain/lib/libIndexStore.so" "${1:-Shim6Core}" ${2:+"$2"}
