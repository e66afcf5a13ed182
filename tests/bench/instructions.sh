#!/bin/sh
# instructions.sh - count instructions per operation with callgrind: a figure that does not depend on
# the machine's load. Skipped when valgrind is missing; the times of micro remain.
#
#   tests/bench/instructions.sh MICRO
set -eu
micro=$1

if ! command -v valgrind >/dev/null; then
    echo "instructions: skipped, valgrind is not installed"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# RUN COUNT FUNCTION: only what happens in FUNCTION counts. The metaschemas are compiled on first
# use, so a single compilation would count them.
count() {
    for times in "$2" $(($2 * 2)); do
        valgrind -q --tool=callgrind --callgrind-out-file="$out/$times" --collect-atstart=no \
            --toggle-collect="$3" "$micro" "$1" "$times" >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
    done
    once=$(sed -n 's/^totals: *//p' "$out/$2")
    twice=$(sed -n 's/^totals: *//p' "$out/$(($2 * 2))")
    printf '%-32s %9d instructions\n' "$1" $(((twice - once) / $2))
}

count json-c 200 run_json_c
count plain 200 run_plain
count read 200 run_read
count check 500 run_check
count event 200 run_event
count record 200 run_record
count 100-kb 10 run_100_kb
count 2-mib 2 run_2_mib
count members 2 run_members
count levels 200 run_levels
count compile-7 4 schema_compile
count compile-2020 4 schema_compile
