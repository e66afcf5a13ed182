#!/bin/sh
# run.sh - run the conformance programs on the JSON Schema test suite in build/suite, run the suite
# again through the Bowtie harness, and compare verdicts with those of Debian's jsonschema.
#
#   tests/conformance/run.sh BOWTIE PROGRAM...
set -u

bowtie=$1
shift
failed=0
for program in "$@"; do
    "$program" build/suite || failed=$((failed + 1))
done
for script in bowtie.py differential.py; do
    /usr/bin/python3 -B "tests/conformance/$script" "$bowtie" || failed=$((failed + 1))
done
echo "conformance: $(($# + 2 - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
