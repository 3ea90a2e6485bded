#!/usr/bin/env bash
# Feeds the wire codec with inputs that a coverage-guided fuzzer makes up, and the kernel program, as root, with packets that
# the test of the same name makes up. The same seed makes up the same inputs.
# What it finds is kept in .build/fuzz/crash-*; a found input becomes a test of Tests/Shim6WireTests first.
# Usage: Scripts/fuzz.sh [RUNS [SEED]]
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-1000000}
seed=${2:-1}
out=.build/fuzz
mkdir -p "$out"
options=(-swift-version 6 -O -wmo -parse-as-library -sanitize=fuzzer,address -I "$out")

mapfile -t sources < <(find Sources/Shim6Wire -name '*.swift' | sort)
swiftc "${options[@]}" -module-name Shim6Wire -emit-module -emit-module-path "$out/Shim6Wire.swiftmodule" \
    -c -o "$out/Shim6Wire.o" "${sources[@]}"
swiftc "${options[@]}" -module-name Fuzz -o "$out/wire" Tests/Fuzz/*.swift "$out/Shim6Wire.o"

# A trap is reported by the fuzzer, with the input; the backtracer would only get in its way.
export SWIFT_BACKTRACE=enable=no
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$out/wire" -runs="$runs" -seed="$seed" -max_len=2048 -timeout=10 -artifact_prefix="$out/" "$corpus"
if [ "$(id -u)" = 0 ]; then
    SHIM6_FUZZ_RUNS=$runs SHIM6_FUZZ_SEED=$seed swift test --no-parallel --filter '^DatapathTests\.ProgramFuzzTests'
else
    echo "fuzz: the kernel program needs root: left out" >&2
fi
