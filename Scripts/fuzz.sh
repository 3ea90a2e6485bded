#!/usr/bin/env bash
# Feeds whatever reads what others have written with made-up inputs: messages and CGA parameters with those of a
# coverage-guided fuzzer, the kernel program, as root, with packets in test runs, the rest with samples that are changed by
# chance. The same seed makes up the same inputs.
# What is found is kept in .build/fuzz: NAME-crash-* of the first two, else NAME.input, with its length in front. A found
# input becomes a test first.
# Usage: Scripts/fuzz.sh [RUNS [SEED [NAME...]]]
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-10000000}
seed=${2:-1}
shift $(($# < 2 ? $# : 2))
out=$PWD/.build/fuzz
mkdir -p "$out/CModifierSearch"
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
# A trap is reported with its input; the backtracer would only get in its way.
export SWIFT_BACKTRACE=enable=no

options=(-swift-version 6 -O -wmo -parse-as-library -sanitize=fuzzer,address -I "$out" -I "$out/CModifierSearch"
    -I Sources/COpenSSL)

# NAME MODULE...: the modules are those that Tests/Fuzz/NAMEFuzz.swift takes, in the order of their imports.
fuzz_covered() {
    local name=$1 objects=() module sources
    shift
    for module; do
        if [ "$module" = CGA ]; then
            echo "module CModifierSearch { header \"$PWD/Sources/CModifierSearch/include/CModifierSearch.h\" export * }" \
                >"$out/CModifierSearch/module.modulemap"
            clang -O2 -fsanitize=address -I Sources/CModifierSearch/include -c -o "$out/CModifierSearch.o" \
                Sources/CModifierSearch/search.c
            objects+=("$out/CModifierSearch.o" -lcrypto)
        fi
        mapfile -t sources < <(find "Sources/$module" -name '*.swift' | sort)
        swiftc "${options[@]}" -module-name "$module" -emit-module -emit-module-path "$out/$module.swiftmodule" \
            -c -o "$out/$module.o" "${sources[@]}"
        objects+=("$out/$module.o")
    done
    swiftc "${options[@]}" -module-name Fuzz -o "$out/$name" "Tests/Fuzz/${name}Fuzz.swift" "${objects[@]}"
    mkdir "$corpus/$name"
    "$out/$name" -runs="$runs" -seed="$seed" -max_len=2048 -timeout=10 -artifact_prefix="$out/$name-" "$corpus/$name"
}

fuzz_samples() {
    swift build -c release --product shim6fuzz >&2
    "$(swift build -c release --show-bin-path)/shim6fuzz" "$1" --runs "$runs" --seed "$seed" --file "$out/$1.input"
}

fuzz_program() {
    [ "$(id -u)" = 0 ] || { echo "fuzz: the kernel program needs root: left out" >&2 && return; }
    SHIM6_FUZZ_RUNS=$runs SHIM6_FUZZ_SEED=$seed swift test --no-parallel --filter '^BPFDataPathTests\.ProgramFuzzTests'
}

# NAME: how it is fed. One line each.
declare -A targets=(
    [wire]="fuzz_covered Wire Shim6Wire"
    [cga]="fuzz_covered CGA Shim6Wire CGA"
    [program]=fuzz_program
    [requests]="fuzz_samples requests"
    [replies]="fuzz_samples replies"
    [configuration]="fuzz_samples configuration"
    [netlink]="fuzz_samples netlink"
)
[ $# -gt 0 ] || set -- "${!targets[@]}"
for name; do
    echo "== $name, $runs runs, seed $seed"
    ${targets[$name]:?there is no such target}
done
