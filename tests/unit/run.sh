#!/bin/sh
# run.sh PROGRAM... - run unit test programs in turn; print the failures, then one line of counts.
set -u

passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    if timeout 300 "$program" >"$log" 2>&1; then
        passed=$((passed + $(sed -n 's/^\([0-9]*\) tests, .*/\1/p' "$log" | tail -n 1)))
    else
        status=$?
        failed=$((failed + 1))
        echo "FAILED ($status) $program"
        head -c 8000 "$log"
    fi
done
echo "unit: $# programs, $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $# -gt 0 ]
