#!/usr/bin/env bash
# The gaps that an application sees when an uplink fails: shim6d's profiles, the kernel's MPTCP and plain TCP. Needs root.
# Leaves nothing behind but docs/failover.json and docs/failover.svg. See docs/measurements.md.
# Usage: Scripts/bench-failover.sh [--trials N] [--subjects fast] [--subjects mptcp] ... [--add]
# 20 trials of all take 35 minutes; --add keeps what an earlier run wrote of subjects that are not measured now.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "bench-failover: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product" >&2
done
exec "$(swift build -c release --show-bin-path)/shim6lab" bench-failover --output docs "$@"
