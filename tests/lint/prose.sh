#!/bin/sh
# prose.sh - check that lines of the documentation have at most 120 characters, except in tables and code.
set -eu
cd "$(dirname "$0")/../.."

faults=$(git ls-files -co --exclude-standard -- '*.md' | grep -v '^docs/map\.md$' | while read -r file; do
    [ -e "$file" ] || continue
    awk -v file="$file" '
        /^ *```/ { code = !code }
        !code && !/^    / && !/^ *[|]/ && length($0) > 120 { print file ":" NR ": " length($0) " characters" }' "$file"
done)
[ -z "$faults" ] || { echo "$faults"; exit 1; }
