#!/bin/sh
# names.sh - check that no two files of a folder have a static function, static data, or a struct, enum or union of the
# same name, so that debuggers, profilers and searches can tell them apart. Prints each repeated name; fails if there is
# one.
set -eu
cd "$(dirname "$0")/../.."

# shellcheck disable=SC2016 # awk's own $0
git ls-files -co --exclude-standard -- 'base/*.[ch]' 'aws/*.[ch]' 'schema/*.[ch]' 'settings/*.[ch]' \
    'delivery/*.[ch]' 'handlers/*.[ch]' 'server/*.[ch]' | while read -r file; do
    [ ! -e "$file" ] || echo "$file"
done | xargs awk '
    # A definition of FILENAME at the margin.
    function define(name) {
        folder = FILENAME
        sub(/[^\/]*$/, "", folder)
        key = folder " " name
        if (index(where[key] " ", " " FILENAME " ") == 0) {
            where[key] = where[key] " " FILENAME
            count[key]++
        }
    }
    { sub(/^NODISCARD /, "") }
    # A function whose name is on a line of its own.
    result && /^[a-z_0-9]+\(/ { $0 = "static " $0 }
    { result = /^static [^;=(,]*\*?$/ && !/[a-z_0-9]$/ }
    /^static [^;=(]*\(/ {
        name = $0
        sub(/\(\*(const )?/, "", name) # a table of functions
        sub(/[[(].*/, "", name)
        sub(/.*[ *]/, "", name)
        define(name)
    }
    /^static [^=(;]*( = .*|;.*)$/ {
        name = $0
        sub(/ =.*|;.*/, "", name)
        gsub(/\[[^]]*\]/, "", name)
        sub(/.*[ *]/, "", name)
        define(name)
    }
    /^(static )?(const )?(struct|enum|union) [a-z_0-9]+ \{$/ {
        name = $0
        sub(/ \{$/, "", name)
        sub(/.* /, "", name)
        define("struct " name)
    }
    END {
        for (key in count)
            if (count[key] > 1) {
                print substr(key, index(key, " ") + 1) " is in" where[key]
                faults = 1
            }
        exit faults
    }'
