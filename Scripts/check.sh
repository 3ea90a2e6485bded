#!/usr/bin/env bash
# The fast loop: format, the unit tests of what needs no kernel, and simulated hosts. No root, and neither the kernel
# program nor SwiftNIO is built. A minute at most after the first time, which builds.
# Usage: Scripts/check.sh [FILTER]      # with FILTER only the tests whose names match it
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(
    Shim6WireTests CGATests REAPTests Shim6CoreTests DataPathTests SimulationTests ConfigurationTests Shim6ControlTests
)
tree=.build/check
# So many pairs of files of Shim6Core may call each other both ways.
pairs=0

step() {
    printf '== %s (%d s)\n' "$*" "$SECONDS"
}

step "format"
swift format lint --strict -r -p Package.swift Sources Tools Tests Plugins
Scripts/format-c.sh

# Runs a command and shows the last line of what it says, or all of it if the command fails.
quietly() {
    local log=$tree/last.log
    if ! "$@" >"$log" 2>&1; then
        cat "$log"
        exit 1
    fi
    tail -1 "$log"
}

step "build"
Scripts/part.sh "$tree"
SHIM6_TARGETS=$(IFS=, && echo "${tests[*]},shim6sim,conformance,graph")
export SHIM6_TARGETS SHIM6_OPTIMIZED=1
(cd "$tree" && swift build --quiet --build-tests)

step "unit tests"
quietly env -C "$tree" swift test --skip-build ${1:+--filter "$1"}

step "simulation"
quietly "$tree/.build/debug/shim6sim" 200

step "conformance report and mutations"
quietly "$tree/.build/debug/conformance" --check
quietly Scripts/mutate.sh --check

step "who calls whom"
quietly Scripts/graph.sh Shim6Core "$pairs" "$tree"

step "passed"
