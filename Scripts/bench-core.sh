#!/usr/bin/env bash
# What the protocol part costs, without the kernel: the codec, I1 to R1, what it leaves in memory, what contexts take,
# I2 to R2, also beside openssl speed, HBA. See docs/measurements.md.
# Usage: Scripts/bench-core.sh [--rounds N] [PART...]
set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/bootstrap.sh
swift build -c release --product shim6bench >&2
exec "$(swift build -c release --show-bin-path)/shim6bench" "$@"
