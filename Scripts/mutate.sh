#!/usr/bin/env bash
# Breaks the sources on purpose, one small change at a time, and looks whether a test that names the rule concerned
# notices. Records of the changes are in Tests/Mutations; README.md there tells their form.
#
#   Scripts/mutate.sh              all of them; the result goes to docs/mutations.md
#   Scripts/mutate.sh --report     only the latter, of the results that there are
#   Scripts/mutate.sh --check      only whether each still fits the sources, which takes a second
#   Scripts/mutate.sh --only N     number N, or a part such as wire
#   Scripts/mutate.sh --sample 3   that many of one part, chosen by the commit: the same every time for the same commit
#
# What it builds stays in .build/mutations, so that a second run needs no full build.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/.build/mutations
records=$work/records.$$
results=$work/results
mode=all
wanted=
trap 'rm -rf "$records"' EXIT

while [ $# -gt 0 ]; do
    case $1 in
    --check) mode=check ;;
    --report) mode=report ;;
    --only) mode=only wanted=$2 && shift ;;
    --sample) mode=sample wanted=$2 && shift ;;
    *) echo "mutate.sh: what is $1?" >&2 && exit 64 ;;
    esac
    shift
done

# Takes the files of records apart: each record becomes a folder with the files about, rows, file, tests, from and to.
read_records() {
    mkdir -p "$records"
    perl -we '
        use strict;
        my ($target, $number) = (shift, 0);
        for my $path (@ARGV) {
            my ($part) = $path =~ m{([^/]+)\.txt$};
            open my $in, "<", $path or die "$path: $!\n";
            local $/;
            for my $record (split /^(?=# )/m, <$in>) {
                $record =~ /\A# (.+)\nrows (.+)\nfile (.+)\ntests (.+)\n<<<<\n(.*?)\n====\n(.*?)\n?>>>>\n*\z/s
                    or die "$path: not a record:\n$record";
                my %fields = (about => $1, rows => $2, file => $3, tests => $4, from => $5, to => $6, part => $part);
                my $folder = sprintf "%s/%03d", $target, ++$number;
                mkdir $folder or die "$folder: $!\n";
                for my $name (keys %fields) {
                    open my $out, ">", "$folder/$name" or die "$folder/$name: $!\n";
                    print $out $fields{$name};
                }
            }
        }' "$records" Tests/Mutations/*.txt
}

# Writes the source of a record with its change to standard output; fails unless the text is there exactly once.
change() {
    perl -we '
        use strict;
        my %text = map { my $name = $_; open my $in, "<", $ARGV[$name] or die "$ARGV[$name]: $!\n"; local $/; ($name, scalar <$in>) } 0..2;
        my $first = index $text{0}, $text{1};
        my $found = $first < 0 ? "not there" : index($text{0}, $text{1}, $first + 1) >= 0 ? "there more than once" : "";
        die "$ARGV[0]: the text to change is $found:\n$text{1}\n" if $found;
        substr $text{0}, $first, length $text{1}, $text{2} // "";
        print $text{0};' "$(<"$1/file")" "$1/from" "$1/to"
}

# The test modules of the parts.
declare -A modules=([wire]=Shim6WireTests [cga]=CGATests [reap]=LocatorsTests,REAPTests [core]=Shim6CoreTests
    [simulation]=SimulationTests [configuration]=ConfigurationTests [datapath]=BPFDataPathTests [netlink]=CNetlinkTests
    [daemon]=Shim6dTests)

# Builds the tests of a part in a tree of links to the sources, in which a change takes the place of a link.
prepare() {
    local tree=$work/$1
    export SHIM6_TARGETS=${modules[$1]},conformance
    Scripts/part.sh "$tree"
    echo "== part $1: the tests as they are" >&2
    (cd "$tree" && swift build --build-tests >"$work/$1.log" 2>&1) || { tail -20 "$work/$1.log" >&2 && return 1; }
    (cd "$tree" && swift run --skip-build conformance --tests) >"$tree.tests"
}

# The rows of a list that tests name which failed in a log.
named_by_failed() {
    sed -nE 's/^✘ Test (.*) failed after .*/\1/p' "$2" |
        sed -E 's/ with [0-9]+ test cases?$//; s/^"(.*)"$/\1/; s/\(.*\)$//' |
        awk -F'\t' -v rows="$1" '
            NR == FNR { failed[$0] = 1; next }
            $1 in failed { count = split($2, ids, " "); for (i = 1; i <= count; i++) shown[ids[i]] = 1 }
            END { count = split(rows, ids, " "); for (i = 1; i <= count; i++) if (ids[i] in shown) printf "%s ", ids[i] }
        ' - "$3"
}

# Which tests to run for rows: the suites of a module in which tests name them.
suites_naming() {
    awk -F'\t' -v rows="$1" -v module="$2" '
        BEGIN { count = split(rows, ids, " ") }
        {
            for (i = 1; i <= count; i++)
                if (index(" " $2 " ", " " ids[i] " ") && split($3, name, /[\/.]/) && name[1] == module && !seen[name[2]]++)
                    filter = filter (filter ? "|" : "") module "\\." name[2] "/"
        }
        END { print filter }' "$3"
}

# Where the result of a mutation is kept, for as long as its record is the same.
result_of() {
    echo "$results/$(cat "$1"/{about,rows,file,tests,from,to} | md5sum | cut -c1-16)"
}

# Says what became of a mutation: a line of the report.
judge() {
    local record=$1 part rows file log result=survived by= status=0
    part=$(<"$record/part") rows=$(<"$record/rows") file=$(<"$record/file")
    local tree=$work/$part
    log=$work/last-$part.log
    change "$record" >"$record/changed"
    rm "$tree/$file"
    cp "$record/changed" "$tree/$file"
    if ! (cd "$tree" && swift build --build-tests >"$log" 2>&1); then
        result="does not compile"
    else
        # Those that name the rows first; the others only if these have noticed nothing.
        for filter in "$(suites_naming "$rows" "$(<"$record/tests")" "$tree.tests")" "$(<"$record/tests")"; do
            [ -n "$filter" ] || continue
            (cd "$tree" && timeout 300 swift test --skip-build --filter "$filter" >"$log" 2>&1) || status=$?
            # A test that never ends also outlives the command that began it.
            [ $status -ne 124 ] || pkill -KILL -f "^$tree/.build/" || true
            [ $status -eq 0 ] || break
        done
        if [ $status -ne 0 ]; then
            result=killed
            by=$(named_by_failed "$rows" "$log" "$tree.tests")
            [ "$rows" != - ] || by=-
        fi
    fi
    ln -sf "$PWD/$file" "$tree/$file"
    mkdir -p "$results"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' \
        "$part" "$(<"$record/about")" "$rows" "$result" "${by% }" "$(git rev-parse --short HEAD)" |
        tee "$(result_of "$record")"
    [ "$result" = killed ] && [ -n "$by" ]
}

report() {
    local lines
    lines=$(for record in "$records"/*; do
        cat "$(result_of "$record")" 2>/dev/null ||
            printf '%s\t%s\t%s\tnot run\t\t\n' "$(<"$record/part")" "$(<"$record/about")" "$(<"$record/rows")"
    done)
    cat <<'TEXT'
# Mutations

Made by `Scripts/mutate.sh`: each row is a small change of the sources that breaks a rule. It has to be killed by a test that
names the rule.

| part | change | rules | result | noticed by tests that name | tree |
|---|---|---|---|---|---|
TEXT
    awk -F'\t' '{ printf "| %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6 }' <<<"$lines"
    awk -F'\t' '
        $4 == "killed" { killed++; if ($5 != "") named++ }
        END { printf "\nOf %d mutations %d were killed, %d of them by a test that names the rule.\n", NR, killed, named }
    ' <<<"$lines"
}

read_records
chosen=("$records"/*)
case $mode in
only)
    chosen=()
    for record in "$records"/*; do
        case $(basename "$record")-$(<"$record/part") in
        "$(printf %03d "$wanted" 2>/dev/null || true)"-* | *-"$wanted") chosen+=("$record") ;;
        esac
    done
    ;;
sample)
    # These build in a minute or two; the number that the commit gives chooses the part and the mutations in it.
    parts=(wire reap cga)
    number=$((16#$(git rev-parse HEAD | cut -c1-7)))
    part=${parts[$((number % ${#parts[@]}))]}
    mapfile -t here < <(grep -lx "$part" "$records"/*/part | xargs -n1 dirname)
    chosen=()
    for ((index = 0; index < wanted && index < ${#here[@]}; index++)); do
        chosen+=("${here[$(((number / 3 + index * (${#here[@]} / wanted + 1)) % ${#here[@]}))]}")
    done
    ;;
esac

stale=0
for record in "${chosen[@]}"; do
    change "$record" >/dev/null || stale=1
done
[ $stale -eq 0 ] || exit 1
if [ "$mode" = report ]; then report >docs/mutations.md && exit; fi
if [ "$mode" = check ]; then echo "${#chosen[@]} mutations fit the sources" && exit; fi

last=
failed=0
for record in "${chosen[@]}"; do
    part=$(<"$record/part")
    if [ "$part" != "$last" ]; then prepare "$part"; fi
    last=$part
    judge "$record" || failed=$((failed + 1))
done
if [ "$mode" = all ]; then report >docs/mutations.md; fi
echo "${#chosen[@]} mutations, $failed of them not killed by a test that names their rule"
[ $failed -eq 0 ]
