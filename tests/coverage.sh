#!/bin/sh
# coverage.sh - report which lines of the program the tests reached; fail below 96 %.
set -eu
cd "$(dirname "$0")/.."

mkdir -p build/coverage/html
gcovr --root . --object-directory build/coverage --exclude-unreachable-branches \
    --filter '(base|aws|schema|settings|delivery|handlers|server)/' \
    --html-details build/coverage/html/index.html --txt build/coverage/summary.txt \
    --print-summary --fail-under-line 96 build/coverage
echo "build/coverage/html/index.html shows each line."
