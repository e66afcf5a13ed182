#!/bin/sh
# names.sh - check that no two files of a folder have a static function of the same name, so that
# debuggers, profilers and searches can tell them apart. Prints each repeated name; fails if there is one.
set -eu
cd "$(dirname "$0")/../.."

faults=$(git ls-files -co --exclude-standard -- 'base/*.[ch]' 'aws/*.[ch]' 'schema/*.[ch]' 'settings/*.[ch]' \
    'delivery/*.[ch]' 'handlers/*.[ch]' 'server/*.[ch]' | while read -r file; do
    [ -e "$file" ] || continue
    sed -nE 's/^static [^;=(]*[ *]([a-z_0-9]+)\(.*/\1/p' "$file" | sort -u | sed "s,\$, $file,"
done | awk '
    { folder = $2; sub(/\/[^\/]*$/, "", folder); key = folder " " $1; count[key]++; where[key] = where[key] " " $2 }
    END { for (key in count) if (count[key] > 1) { split(key, part, " "); print part[2] "() is in" where[key] } }' |
    sort)
[ -z "$faults" ] || { echo "$faults"; exit 1; }
