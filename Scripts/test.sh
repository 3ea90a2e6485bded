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

step "test build"
swift build --build-tests

# One after the other: many wait for a kernel, a process or a peer, and two cores leave little for those meanwhile.
step "unit tests"
swift test --skip-build --no-parallel --skip '^(HostTests|GuestTests)\.'

# These want processors, while the tests with hosts mostly wait for kernels and peers: so they run beside those, with what
# is left. All mutations have to fit the sources; three are carried out.
step "simulation and mutations, in the background"
log=$(mktemp)
set -m
(
    renice -n 19 "$BASHPID" >/dev/null
    step "simulation"
    Scripts/simulate.sh --skip-build
    step "mutations"
    Scripts/mutate.sh --check
    Scripts/mutate.sh --sample 3
    step "simulation and mutations passed"
) >"$log" 2>&1 &
background=$!
set +m
trap 'kill -- "-$background" 2>/dev/null || true; rm -f "$log"' EXIT

step "host tests"
swift test --skip-build --no-parallel --filter '^HostTests\.'

step "two minutes of loss and stalls"
Scripts/soak.sh host 2

step "guest tests"
swift test --skip-build --no-parallel --filter '^GuestTests\.'

step "what ran in the background"
wait "$background" || failed=$?
cat "$log"
[ -z "${failed:-}" ]

step "all passed"
