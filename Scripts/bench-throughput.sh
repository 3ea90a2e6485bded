#!/usr/bin/env bash
# Throughput of one TCP stream between two hosts that are joined without a router, with and without the data path.
# Prints the ratios first, then the medians. Needs root and iperf3.
#
#   Scripts/bench-throughput.sh [ROUNDS [SECONDS]]     5 rounds, 3 seconds a measurement
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product bench-throughput >&2
exec .build/release/bench-throughput "${1:-5}" "${2:-3}"
