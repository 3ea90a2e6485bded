#!/usr/bin/env bash
# Two multihomed hosts, a download, and three failures of their uplinks: shim6d's main job, seen as it happens.
# Needs root on Debian 12 with a Swift toolchain. Leaves nothing behind, also when interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "demo: needs root (it makes network namespaces and loads eBPF programs)" >&2
    exit 1
fi
Scripts/bootstrap.sh
for product in shim6d shim6ctl shim6lab; do
    swift build -c release --product "$product"
done
exec "$(swift build -c release --show-bin-path)/shim6lab" demo "$@"
