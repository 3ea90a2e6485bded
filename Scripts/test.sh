#!/usr/bin/env bash
# Installs what is missing and runs every test. Fails if any part fails.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

step "packages"
Scripts/bootstrap.sh

step "format"
sources=(Package.swift)
for folder in Sources Tests Plugins Benchmarks; do
    [ ! -d "$folder" ] || sources+=("$folder")
done
swift format lint --strict -r "${sources[@]}"

step "conformance report"
swift run --quiet conformance --check

step "release build"
swift build -c release

step "simulation"
Scripts/simulate.sh

step "test build"
swift build --build-tests

# One after the other: many wait for a kernel, a process or a peer, and two cores leave little for those meanwhile.
step "unit tests"
swift test --skip-build --no-parallel --skip '^(HostTests|GuestTests)\.'

# All have to fit the sources; three of them are carried out. Their part is built for itself, which takes about two
# minutes on two idle cores.
step "mutations"
Scripts/mutate.sh --check
Scripts/mutate.sh --sample 3

step "host tests"
swift test --skip-build --no-parallel --filter '^HostTests\.'

step "two minutes of loss and stalls"
Scripts/soak.sh host 2

step "guest tests"
swift test --skip-build --no-parallel --filter '^GuestTests\.'

step "all passed"
