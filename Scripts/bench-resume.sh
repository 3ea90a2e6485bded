#!/usr/bin/env bash
# How long a TCP stream stands still after a silent failure, by what is done for it once payload has moved: nothing, the kept
# packet sent again, ICMPv6 errors that undo the back-off of its timer (RFC 6069), or both. Needs root. Leaves
# nothing behind, also when interrupted. See docs/measurements.md.
# Usage: Scripts/bench-resume.sh [TRIALS]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "bench-resume: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product" >&2
done
exec "$(swift build -c release --show-bin-path)/shim6lab" resume "$@"
