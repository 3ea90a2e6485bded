#!/usr/bin/env bash
# Installs what is missing and runs tests. Fails if any part fails.
# Usage: Scripts/test.sh [check|unit|host|guest|all] [FILTER]
#   check   what needs neither root nor a kernel: Scripts/check.sh
#   unit    every test of a module
#   host    real daemons in network namespaces
#   guest   the same in a virtual machine
#   all     all of these, simulated hosts, mutations and a soak (the default)
# With FILTER, a regular expression, only the tests whose names match it. TEST_JOBS suites with hosts run side by side: as
# many as there are processors, but at most 4.
set -euo pipefail
cd "$(dirname "$0")/.."

ring=${1:-all}
filter=${2:-}
case $ring in
check) exec Scripts/check.sh ${filter:+"$filter"} ;;
unit | host | guest | all) ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 64
    ;;
esac
has() { [[ $ring == "$1" || $ring == all ]]; }

processors=$(nproc)
jobs=${TEST_JOBS:-$((processors < 4 ? processors : 4))}

step() {
    printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

step "packages"
Scripts/bootstrap.sh

if [ "$ring" = all ] && [ -z "$filter" ]; then
    step "format"
    swift format lint --strict -r -p Package.swift Sources Tools Tests Plugins
    Scripts/format-c.sh
fi

if [ "$ring" != unit ]; then
    step "release build"
    swift build -c release
fi

step "test build"
swift build --build-tests
programs=$(swift build --show-bin-path)

if [ "$ring" = all ] && [ -z "$filter" ]; then
    step "conformance report"
    "$programs/conformance" --check
fi

# The tests themselves, without the package manager, which would let only one of them run at a time.
tests() {
    "$programs/shim6dPackageTests.xctest" --testing-library swift-testing "$@"
}

# The tests of a ring that match the filter.
names=$(tests --list-tests)
of() {
    case $1 in
    unit) grep -vE '^(HostTests|GuestTests)\.' <<<"$names" ;;
    host) grep -E '^HostTests\.' <<<"$names" ;;
    guest) grep -E '^GuestTests\.' <<<"$names" ;;
    esac | grep -E -- "$filter"
}
chosen=()
for name in unit host guest; do
    if has "$name" && of "$name" >/dev/null; then chosen+=("$name"); fi
done
if [ ${#chosen[@]} -eq 0 ]; then
    echo "test.sh: no test here matches $filter" >&2
    exit 1
fi
is() { [[ " ${chosen[*]} " == *" $1 "* ]]; }

logs=$(mktemp -d)
background=
trap '[ -z "$background" ] || kill -- "-$background" 2>/dev/null || true; rm -rf "$logs"' EXIT

if is unit; then
    # One after the other: many wait for a kernel or a process, and two cores leave little for those meanwhile.
    step "unit tests"
    tests --no-parallel --skip '^(HostTests|GuestTests)\.' ${filter:+--filter "$filter"}
fi

if [ "$ring" = all ] && [ -z "$filter" ]; then
    # These want processors, while the tests with hosts mostly wait for kernels and peers: so they run beside those, with
    # what is left. All mutations have to fit the sources; three are carried out.
    step "simulation and mutations, in the background"
    set -m
    (
        renice -n 19 "$BASHPID" >/dev/null
        step "simulation"
        Scripts/simulate.sh --skip-build 3000
        step "mutations"
        Scripts/mutate.sh --check
        Scripts/mutate.sh --sample 3
        step "simulation and mutations passed"
    ) >"$logs/background" 2>&1 &
    background=$!
    set +m
fi

# A job of those that run side by side: tests by their names, or the soak. Prints what it said when it is over.
job() {
    local begin=$SECONDS log
    log=$(mktemp "$logs/job.XXXXXX")
    if case $1 in soak) Scripts/soak.sh host 2 --spares-processors ;; *) tests --no-parallel --filter "$1" ;; esac >"$log" 2>&1; then
        printf '== passed in %d s: %s\n' $((SECONDS - begin)) "$1"
        grep -E '^(Test run with|✔ Test run with|verdict)' "$log" || tail -1 "$log"
    else
        printf '== FAILED after %d s: %s\n' $((SECONDS - begin)) "$1"
        cat "$log"
        return 1
    fi
}
export -f job tests
export programs logs

# What runs side by side: first what takes long, then the suites of hosts, those with most tests first.
laboratory=HostTests.HostTests/LaboratoryTests
queue() {
    if is guest; then of guest | sed -E 's/[][().*+?^$|{}\\]/\\&/g; s/^/^/'; fi
    if [ "$ring" = all ] && [ -z "$filter" ]; then echo soak; fi
    if is host; then
        of host | cut -d/ -f1-2 | sed "\\,^$laboratory\$,d" | sort | uniq -c | sort -rn | while read -r _ suite; do
            printf '^%s/%s\n' "$suite" "${filter:+.*($filter)}"
        done
    fi
}

if is host || is guest; then
    # Two would download the kernel at the same time. Code 77: there is none, and the tests say so.
    if is guest && [ "$(id -u)" = 0 ]; then Scripts/guest.sh true || [ $? = 77 ]; fi
    # First what all others stand on; it also looks at what other runs have left.
    if is host && of host | grep "^$laboratory/" >/dev/null; then
        step "the laboratory"
        job "^$laboratory/${filter:+.*($filter)}"
    fi
    step "hosts and guests, $jobs side by side"
    queue | xargs -r -d '\n' -n1 -P "$jobs" bash -c 'job "$1"' job
fi

if [ -n "$background" ]; then
    step "what ran in the background"
    wait "$background" || failed=$?
    background=
    cat "$logs/background"
    [ -z "${failed:-}" ]
fi

step "all passed"
