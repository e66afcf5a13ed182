#!/bin/sh
# architecture.sh - docs/architecture.md lists every folder and C file of the tree, and nothing else.
#
# Its section "Where things are" has one line for each, beginning "- `path`"; `base/arena.[ch]`
# stands for the pair, `conf/` (with the slash) for a folder.
set -eu
cd "$(dirname "$0")/../.."
map=docs/architecture.md
[ -f "$map" ] || { echo "$map: missing"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the page names, pairs spelled out.
# shellcheck disable=SC2016 # the backquotes are Markdown's
sed -n '/[Ww]here things are/,$ s/^ *- `\([^`]*\)`.*/\1/p' "$map" |
    sed -e 's/^\(.*\)\.\[ch\]$/\1.c\n\1.h/' | sort -u >"$work/named"

# What is there: the C files that git knows or would add, and the folders of all files.
git ls-files -co --exclude-standard >"$work/all"
while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done <"$work/all" >"$work/files"
{
    grep -E '\.[ch]$' "$work/files"
    grep / "$work/files" | sed 's|/[^/]*$||' |
        awk '{ n = split($0, part, "/"); path = ""; for (i = 1; i <= n; i++) { path = path part[i] "/"; print path } }'
} | sort -u >"$work/there"

faults=0
# A folder's line covers the folders below it, unless they hold C.
covered() {
    if grep -q "^$1[^/]*\.[ch]\$" "$work/files"; then return 1; fi
    above=$1
    while above=$(dirname "$above") && [ "$above" != . ]; do
        if grep -qxF "$above/" "$work/named"; then return 0; fi
    done
    return 1
}

while read -r path; do
    grep -qxF "$path" "$work/named" && continue
    case $path in */) covered "$path" && continue ;; esac
    echo "$map does not name $path"
    faults=1
done <"$work/there"

while read -r path; do
    [ -e "$path" ] || { echo "$map names $path, which is not there"; faults=1; }
done <"$work/named"
exit $faults
