#!/usr/bin/env bash
# Throughput of one TCP stream between two hosts that are joined without a router, with the daemon running on both and
# against hosts without it. Prints the ratios first. Needs root and iperf3.
#
#   Scripts/bench-throughput.sh [ROUNDS [TURNS]]     5 rounds of 6 turns, each a second with and a second without
set -euo pipefail
cd "$(dirname "$0")/.."
for product in shim6d shim6ctl bench-throughput; do
    swift build -c release --product "$product" >&2
done
exec .build/release/bench-throughput "${1:-5}" "${2:-6}"
