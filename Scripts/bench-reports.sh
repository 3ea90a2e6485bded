#!/usr/bin/env bash
# What others wait while clients ask for every context of a full table, and what of it stays in the daemon's memory.
# Needs root. Leaves nothing behind, also when interrupted. See docs/security.md.
# Usage: Scripts/bench-reports.sh [CONTEXTS]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "bench-reports: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product" >&2
done
exec "$(swift build -c release --show-bin-path)/shim6lab" reports "$@"
