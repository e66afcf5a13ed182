#!/bin/sh
# files.sh - list the files of the source tree: those that git knows and new ones, or without git all but build/.
set -eu
cd "$(dirname "$0")/../.."
if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -co --exclude-standard | while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done
else
    find . \( -path ./build -o -path ./var \) -prune -o -type f -print
fi
