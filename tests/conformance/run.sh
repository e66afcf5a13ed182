#!/bin/sh
# run.sh - the conformance programs over the JSON Schema test suite in build/suite, and our verdicts
# beside those of Debian's jsonschema.
#
#   tests/conformance/run.sh BOWTIE PROGRAM...
set -u

bowtie=$1
shift
failed=0
for program in "$@"; do
    "$program" build/suite || failed=$((failed + 1))
done
/usr/bin/python3 -B tests/conformance/differential.py "$bowtie" || failed=$((failed + 1))
echo "conformance: $(($# + 1 - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
