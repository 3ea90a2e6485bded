#!/usr/bin/env bash
# Runs whole hosts on a simulated network: SEEDS runs (10000) from seed FIRST (1), on all processors. Prints the cells of
# the state tables that were visited. If a run violates an invariant, prints its seed and the end of its trace.
# Usage: Scripts/simulate.sh [--skip-build] [SEEDS [FIRST]]
#        Scripts/simulate.sh --trace SEED        # one run as a whole, the same each time
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --skip-build ]; then shift; else swift build -c release --product shim6sim >&2; fi
simulator=.build/release/shim6sim
if [ "${1:-}" = --trace ]; then exec "$simulator" "$@"; fi

seeds="${1:-10000}"
first="${2:-1}"
options=()
# Fewer runs need not come everywhere.
if [ "$seeds" -ge 1000 ]; then options+=(--every-cell); fi

# A seed has to be the same run in every process, or a failure could not be looked at.
diff <("$simulator" --digests 10 "$first") <("$simulator" --digests 10 "$first")
"$simulator" "$seeds" "$first" "${options[@]}"
