#!/bin/sh
# embed.sh CLANG PROGRAM.c CDATAPATH OUTPUT.swift
# Without relocations against the running kernel's types the object also loads in a kernel that has none to show.
set -eu
object="$4.o"
# The kernel's headers include <asm/types.h>, which Debian keeps in a folder of the machine's own.
"$1" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror \
    -idirafter "/usr/include/$(uname -m)-linux-gnu" -I "$3/include" -c "$2" -o "$object"
{
    echo '// The kernel program, an ELF object in base64.'
    printf 'let programObject = "'
    base64 -w 0 "$object"
    echo '"'
} >"$4"
