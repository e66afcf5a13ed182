#!/bin/sh
# run.sh SECONDS FUZZER... - run each fuzzer for SECONDS, from its corpus in tests/fuzz/corpus/<name>.
#
# New inputs are stored in build/fuzz/corpus/<name>, an input that caused a crash in build/fuzz/crash-*.
set -u

seconds=$1 failed=0
shift
for fuzzer in "$@"; do
    name=$(basename "$fuzzer")
    learned=build/fuzz/corpus/$name seeds=tests/fuzz/corpus/$name
    mkdir -p "$learned"
    set -- "$learned"
    [ ! -d "$seeds" ] || set -- "$learned" "$seeds"
    if "$fuzzer" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
        -artifact_prefix=build/fuzz/crash- -print_final_stats=1 "$@" >"build/fuzz/$name.log" 2>&1; then
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") runs"
    else
        failed=$((failed + 1))
        echo "FAILED $name"
        tail -n 40 "build/fuzz/$name.log"
    fi
done
echo "fuzz: $failed failed"
[ "$failed" -eq 0 ]
