#!/bin/sh
# headers.sh HEADER... - check that every header compiles alone. CC and FLAGS come from the Makefile.
set -eu

faults=0
for header in "$@"; do
    grep -q '^#pragma once' "$header" || { echo "$header: no #pragma once"; faults=1; }
    # shellcheck disable=SC2086 # lists of flags
    echo "#include \"$header\"" | $CC $FLAGS -Werror -fsyntax-only -x c - || { echo "$header: does not compile alone"; faults=1; }
done
exit $faults
