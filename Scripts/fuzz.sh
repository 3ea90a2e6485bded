#!/usr/bin/env bash
# Feeds whatever reads what others have written with made-up inputs: the wire codec with those of a coverage-guided fuzzer,
# the kernel program, as root, with packets in test runs, the rest with samples that are changed by chance. The same seed
# makes up the same inputs.
# What is found is kept in .build/fuzz: crash-* for the wire codec, else NAME.input, with its length in front. A found input
# becomes a test first.
# Usage: Scripts/fuzz.sh [RUNS [SEED [NAME...]]]
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-10000000}
seed=${2:-1}
shift $(($# < 2 ? $# : 2))
out=.build/fuzz
mkdir -p "$out"
# A trap is reported with its input; the backtracer would only get in its way.
export SWIFT_BACKTRACE=enable=no

fuzz_wire() {
    local options=(-swift-version 6 -O -wmo -parse-as-library -sanitize=fuzzer,address -I "$out")
    local sources
    mapfile -t sources < <(find Sources/Shim6Wire -name '*.swift' | sort)
    swiftc "${options[@]}" -module-name Shim6Wire -emit-module -emit-module-path "$out/Shim6Wire.swiftmodule" \
        -c -o "$out/Shim6Wire.o" "${sources[@]}"
    swiftc "${options[@]}" -module-name Fuzz -o "$out/wire" Tests/Fuzz/*.swift "$out/Shim6Wire.o"
    corpus=$(mktemp -d)
    trap 'rm -rf "$corpus"' EXIT
    "$out/wire" -runs="$runs" -seed="$seed" -max_len=2048 -timeout=10 -artifact_prefix="$out/" "$corpus"
}

fuzz_samples() {
    swift build -c release --product shim6fuzz >&2
    "$(swift build -c release --show-bin-path)/shim6fuzz" "$1" --runs "$runs" --seed "$seed" --file "$out/$1.input"
}

fuzz_program() {
    [ "$(id -u)" = 0 ] || { echo "fuzz: the kernel program needs root: left out" >&2 && return; }
    SHIM6_FUZZ_RUNS=$runs SHIM6_FUZZ_SEED=$seed swift test --no-parallel --filter '^DatapathTests\.ProgramFuzzTests'
}

# NAME: how it is fed. One line each.
declare -A targets=(
    [wire]=fuzz_wire
    [program]=fuzz_program
    [requests]="fuzz_samples requests"
    [replies]="fuzz_samples replies"
    [configuration]="fuzz_samples configuration"
    [netlink]="fuzz_samples netlink"
)
[ $# -gt 0 ] || set -- "${!targets[@]}"
for name; do
    ${targets[$name]:?there is no such target}
done
