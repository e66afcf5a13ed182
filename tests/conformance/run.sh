#!/bin/sh
# run.sh - run conformance programs over the JSON Schema test suite in build/suite.
set -u

failed=0
for program in "$@"; do
    "$program" build/suite || failed=$((failed + 1))
done
echo "conformance: $(($# - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
