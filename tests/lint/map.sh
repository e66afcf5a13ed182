#!/bin/sh
# map.sh - write docs/map.md: every C file of the tree with the first sentence of its first comment.
#
#   tests/lint/map.sh          write it
#   tests/lint/map.sh check    fail if it is out of date
set -eu
cd "$(dirname "$0")/../.."
map=docs/map.md

# The purpose of each folder. A folder with C files that is missing here is an error.
folders='
base           foundations: memory, text, JSON, regular expressions, logs, clocks
base/tracing   the trace of a request, and the export of its spans
aws            credentials, signatures and requests to AWS
schema         the JSON Schema engine, behind schema.h
schema/format  the formats of JSON Schema
schema/registry  where schemas come from, and which version is live
settings       a YAML file checked by a JSON Schema, with errors at file and line
delivery       from the store to the sinks
delivery/outbox  the store: what is accepted and not yet delivered, and what was refused
delivery/sinks  where records go, one file for each kind
handlers       what is served: events, health, metrics
handlers/auth  who may send: API keys, Basic, bearer tokens
server         the process
server/http    the HTTP server, on libmicrohttpd and GnuTLS
server/config  the configuration
server/cli     the command line, one file for each command
tests/attack   attacks on a running server
tests/aws      the signer, compared with that of botocore
tests/bench    measurements
tests/bowtie   the harness of Bowtie, the JSON Schema comparison
tests/conformance  the JSON Schema test suite
tests/patterns     event patterns, compared with the matcher of AWS
tests/transforms   random transforms, compared with a model in Python
tests/crash    kill -9, power loss, full disks
tests/fuzz     fuzzers, one for each parser of untrusted bytes
tests/tsan     what ThreadSanitizer needs
tests/unit     unit tests; their folders mirror those of the program and are not listed here
'

# The first sentence of the first comment of FILE, without "name - ".
sentence() {
    awk '
        /^ \*\/|^$/ || (started && /^ \*$/) { exit }
        /^ \* / { started = 1; text = text (text ? " " : "") substr($0, 4) }
        END {
            sub(/^[A-Za-z0-9_.]+ - /, "", text)
            if (match(text, /\.( |$)/)) text = substr(text, 1, RSTART - 1)
            print text
        }' "$1"
}

# entry NAME FILE: the point of FILE in the map.
entry() {
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    printf -- '- `%s` %s\n' "$1" "$(sentence "$2")" | fold -s -w 118 | sed 's/ *$//; 2,$s/^/  /'
}

# All C files of FOLDER, one point each; x.c and x.h are one point.
list() {
    for file in $(git ls-files -co --exclude-standard -- "$1/*.[ch]" | grep -E "^$1/[^/]*\$" | sort); do
        [ -e "$file" ] || continue
        stem=${file%.[ch]}
        if [ -e "$stem.c" ] && [ -e "$stem.h" ]; then
            case $file in *.h) continue ;; esac
            entry "${stem##*/}.[ch]" "$stem.h"
        else
            entry "${file##*/}" "$file"
        fi
    done
}

write() {
    echo '# Map'
    echo
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    echo 'Every C file with the first sentence of its first comment. `make map` writes this page.'
    echo "$folders" | while read -r folder text; do
        [ -n "$folder" ] || continue
        printf '\n## %s/\n\n%s.\n\n' "$folder" "$text"
        list "$folder"
    done
}

faults=0
for folder in $(git ls-files -co --exclude-standard -- '*.c' '*.h' | sed 's,/[^/]*$,,' | sort -u); do
    case $folder in tests/unit/*) continue ;; esac
    echo "$folders" | grep -q "^$folder  *[^ ]" || { echo "tests/lint/map.sh does not say what $folder is for"; faults=1; }
done
[ "$faults" -eq 0 ]
case ${1:-} in
check) write | diff -u "$map" - || { echo "$map is out of date: make map"; exit 1; } ;;
*) write >"$map" ;;
esac
