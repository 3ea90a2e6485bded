#!/usr/bin/env bash
# Long runs. Each ends with the first failure.
# Usage: Scripts/soak.sh sim [SEEDS [FIRST]]        # simulated hosts: a million seeds by default, from the clock's on
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

case "${1:-}" in
sim) sim "${@:2}" ;;
*)
    sed -n '2,/^set/{/^#/s/^# //p}' "$0" >&2
    exit 2
    ;;
esac
