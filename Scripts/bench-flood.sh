#!/usr/bin/env bash
# How long a handshake takes while forged I1s keep one processor busy, and what they leave in the daemon's memory. Needs
# root. Leaves nothing behind, also when interrupted. See docs/measurements.md.
# Usage: Scripts/bench-flood.sh [HANDSHAKES]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "bench-flood: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product" >&2
done
exec "$(swift build -c release --show-bin-path)/shim6lab" flood "$@"
