#!/bin/sh
# run.sh PROGRAM... - run unit test programs, one on each processor at a time; print the failures, then one line of
# counts.
set -u

passed=0 failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export AWS_CONFIG_FILE="$logs/none" # not ~/.aws/config, which may have a region
log_of() { echo "$logs/$(echo "$1" | tr / _)"; }

# shellcheck disable=SC2016 # the words are for the shell that runs one program
printf '%s\n' "$@" | while read -r program; do echo "$program" "$(log_of "$program")"; done |
    xargs -P "$(nproc)" -n 2 sh -c 'timeout 300 "$1" >"$2" 2>&1; echo $? >"$2.status"' one
for program in "$@"; do
    log=$(log_of "$program")
    status=$(cat "$log.status")
    if [ "$status" -eq 0 ]; then
        passed=$((passed + $(sed -n 's/^\([0-9]*\) tests, .*/\1/p' "$log" | tail -n 1)))
    else
        failed=$((failed + 1))
        echo "FAILED ($status) $program"
        head -c 8000 "$log"
    fi
done
echo "unit: $# programs, $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $# -gt 0 ]
