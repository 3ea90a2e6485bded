#!/usr/bin/env bash
# A thousand contexts with traffic on an uplink that dies, in the profile fast: how fast all are on another pair, and how
# many Probes that costs. Needs root. Leaves nothing behind. See docs/measurements.md.
# Usage: Scripts/bench-crowd.sh [--rounds N] [--addresses N] [--rate N] [--budget N]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "bench-crowd: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product" >&2
done
exec "$(swift build -c release --show-bin-path)/shim6lab" crowd "$@"
