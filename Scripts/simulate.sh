#!/usr/bin/env bash
# Runs whole hosts on a simulated network: SEEDS runs (1000) from seed FIRST (1). Prints the cells of the state tables
# that were visited, and the seed of the first run that violates an invariant, with the end of its trace.
# A single run as a whole: shim6sim --trace SEED.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds="${1:-1000}"
first="${2:-1}"
options=()
# Fewer runs need not come everywhere.
if [ "$seeds" -ge 1000 ]; then options+=(--every-cell); fi

swift build -c release --product shim6sim
"$(swift build -c release --show-bin-path)/shim6sim" "$seeds" "$first" "${options[@]}"
