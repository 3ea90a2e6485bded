#!/usr/bin/env bash
# Long runs. The first ends with the first failure.
# Usage: Scripts/soak.sh sim [SEEDS [FIRST]]
#        Scripts/soak.sh host [MINUTES] [--spares-processors]
# sim: simulated hosts, a million seeds by default, from the clock's on. host: two real hosts for 30 minutes, as root; loss
# and stalls must move nothing. --spares-processors stops daemons only, so that what else runs on this machine goes on.
set -euo pipefail
cd "$(dirname "$0")/.."

batch=20000

sim() {
    local seeds="${1:-1000000}" first="${2:-$(date +%s)0000}" done=0 count
    echo "$seeds seeds from $first"
    while [ "$done" -lt "$seeds" ]; do
        count=$((seeds - done < batch ? seeds - done : batch))
        Scripts/simulate.sh "$count" $((first + done)) | tail -n 1
        done=$((done + count))
    done
}

host() {
    for product in shim6d shim6ctl shim6lab; do
        swift build -c release --product "$product" >&2
    done
    "$(swift build -c release --show-bin-path)/shim6lab" soak "$@"
}

case "${1:-}" in
host) host "${@:2}" ;;
sim) sim "${@:2}" ;;
*)
    sed -n '2,/^set/{/^#/s/^# //p}' "$0" >&2
    exit 2
    ;;
esac
