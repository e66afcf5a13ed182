#!/bin/sh
# prose.sh - check the lengths of lines of the documentation: at most 120 characters in prose, and 160 in a row of a
# table. A row cannot be broken: what does not fit into a cell goes below the table. Code has any length.
set -eu
cd "$(dirname "$0")/../.."

faults=$(git ls-files -co --exclude-standard -- '*.md' | while read -r file; do
    [ -e "$file" ] || continue
    awk -v file="$file" '
        /^ *```/ { code = !code }
        { limit = code || /^    / ? 0 : /^ *[|]/ ? 160 : 120 }
        limit && length($0) > limit { print file ":" NR ": " length($0) " of " limit " characters" }' "$file"
done)
[ -z "$faults" ] || { echo "$faults"; exit 1; }
