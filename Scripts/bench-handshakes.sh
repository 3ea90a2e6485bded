#!/usr/bin/env bash
# Handshakes a second between two real daemons on one veth link, with HBA sets and with CGAs of RSA 2048 in turn. Prints
# the ratios to what is wanted last. Needs root.
#
#   Scripts/bench-handshakes.sh [ROUNDS [ADDRESSES]]     3 rounds, 48 addresses a host and so 2304 handshakes a round
set -euo pipefail
cd "$(dirname "$0")/.."
for product in shim6d bench-handshakes; do
    swift build -c release --product "$product" >&2
done
exec .build/release/bench-handshakes "${1:-3}" "${2:-48}"
