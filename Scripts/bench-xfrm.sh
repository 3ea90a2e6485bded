#!/usr/bin/env bash
# The xfrm data path beside bpf and the plain path, in the guest, which alone has what all three need: throughput of one
# TCP stream, the time of a switch, and a thousand contexts. Needs root and iperf3.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product shim6lab >&2
cat /proc/loadavg
Scripts/guest.sh .build/release/shim6lab xfrm measure
Scripts/guest.sh .build/release/shim6lab xfrm thousand
