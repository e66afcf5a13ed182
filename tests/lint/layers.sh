#!/bin/sh
# shellcheck disable=SC2046,SC2086 # lists of file names without blanks
# layers.sh - check that includes point one way, that each library has one owner, and that functions
# that invite mistakes are not used. Prints each line that breaks a rule; fails if there is one.
set -eu
cd "$(dirname "$0")/../.."
faults=0
sources=$(find base aws schema settings delivery handlers server tests -name '*.[ch]' 2>/dev/null | sort)
own=$(echo "$sources" | grep -v '^tests/')

# complain WHAT REGEX FILE...: no file may have a line that matches. Comments and strings that fill
# a line of their own are not looked at.
complain() {
    what=$1 pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    found=$(grep -HnE "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+: *(/?\*|//|")' || :)
    [ -z "$found" ] || { printf '%s\n%s\n' "$what:" "$found"; faults=1; }
}

# The C files of one folder. main.c stands above all of them.
in_folder() {
    echo "$sources" | grep -E "^$1/[^/]*\$" | grep -v "^server/main\.c\$" || :
}

# but OWNER: our own files whose path does not match.
but() {
    echo "$own" | grep -vE "^($1)\$" || :
}

# room ROOM ROOMS...: the C files of a room include headers of that room and of ROOMS only. One of ROOMS may be
# the beginning of the names of headers, as in delivery/record_.
rooms=''
room() {
    name=$1
    shift
    rooms="$rooms $name"
    allowed=$(for part in "$name" "$@"; do case $part in *_) echo "$part" ;; *) echo "$part/" ;; esac; done |
        paste -sd '|')
    found=$(grep -HnE '^#include "' $(in_folder "$name") /dev/null |
        grep -vE "^[^:]+:[0-9]+:#include \"($allowed)[^/\"]*\"" || :)
    [ -z "$found" ] || { printf '%s may include its own headers and those of: %s\n%s\n' "$name" "$*" "$found"; faults=1; }
}

engine='schema base'
registry="schema/registry $engine aws"
served="base/tracing schema/format delivery delivery/sinks delivery/outbox settings $registry"
process="server/http server/config handlers handlers/auth $served"

room base
room base/tracing base
room aws base
room schema schema/format base
room schema/format base
room schema/registry $engine aws
room settings $engine
room delivery/outbox base
room delivery/sinks delivery/record_ base/tracing aws base
room delivery delivery/outbox delivery/sinks base/tracing base
room handlers/auth handlers aws base
room handlers handlers/auth $served
room server/http handlers base/tracing base
room server/config server/http handlers handlers/auth $served
room server $process
room server/cli server $process

# Every folder with C files of the program is one of these rooms.
for folder in $(echo "$own" | sed 's,/[^/]*$,,' | sort -u); do
    case "$rooms " in *" $folder "*) ;; *) echo "$folder: is not a room of tests/lint/layers.sh"; faults=1 ;; esac
done

# A private header, x_internal.h, is included only within its own folder.
found=$(grep -HnE '^#include "[^"]*_internal\.h"' $own |
    awk -F'[:"]' '{ from = $1; to = $4; sub(/[^\/]*$/, "", from); sub(/[^\/]*$/, "", to) } from != to')
[ -z "$found" ] || { printf 'private headers of another room:\n%s\n' "$found"; faults=1; }
complain 'include by path from the root' '^#include "[^/"]*"' $own

# Each library has one owner; the rest of the program cannot tell it is there.
complain 'microhttpd belongs to server/http/' '^#include <microhttpd\.h>' $(but 'server/http/[a-z_]*\.[ch]')
complain 'curl belongs to base/fetch.c' '^#include <curl/' $(but 'base/fetch\.c')
complain 'OpenSSL belongs to five files' '^#include <openssl/' \
    $(but '(base/secret|base/signature|base/private_key|base/trust|aws/sigv4)\.c')
complain 'json-c belongs to base/json*' '^#include <json-c/' $(but 'base/json[a-z0-9_]*\.[ch]')
complain 'the engine and the events have flat trees only' '^#include "base/json\.h"' \
    $(echo "$own" | grep -E '^(schema/|schema/format/|handlers/)[a-z_]*\.[ch]$')
complain 'json-c writes a double that the program makes with 17 digits' 'json_object_new_double\(' $(but 'base/json_read\.c')
complain 'SQLite belongs to delivery/outbox/' '^#include <sqlite3\.h>' $(but 'delivery/outbox/[a-z_]*\.[ch]')
complain 'librdkafka belongs to one file' '^#include <librdkafka/' $(but 'delivery/sinks/kafka_producer\.c')
complain 'PCRE2 belongs to base/regex.c' '^#include <pcre2' $(but 'base/regex[a-z_]*\.[ch]')
complain 'libyaml belongs to settings/yaml.c' '^#include <yaml\.h>' $(but 'settings/yaml\.c')
complain 'zlib and libzstd belong to base/compress.c' '^#include <(zlib|zstd)\.h>' $(but 'base/compress\.c')
complain 'GnuTLS belongs to three files' '^#include <gnutls/' $(but 'server/http/(tls|certificate|chain)\.c')

# Functions that invite mistakes.
call='(^|[^A-Za-z0-9_.>])'
complain 'banned' "$call(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|gets|scanf|sscanf|fscanf|atoi|atol|atoll|strtol|strtoll|strtoul|strtoull|alloca|localtime|gmtime|ctime|asctime|strerror|system|popen|rand|srand|exit) ?\\(" $own
complain 'allocate through base/memory and base/arena' "$call(malloc|calloc|realloc|strdup|strndup|free) ?\\(" $(but 'base/memory\.c')
complain 'the environment is read by the configuration, systemd.c and aws/' "$call(getenv|secure_getenv|setenv|unsetenv|putenv) ?\\(" $(but '(server/config/[a-z_]*|server/systemd|settings/interpolate)\.c|aws/[a-z0-9_]*\.c')
complain 'printing is the command line'\''s' "$call(printf|puts|putchar) ?\\(" $(but 'server/(cli/)?[a-z_]*\.c')
complain 'no goto' '^ *goto ' $own
complain 'structs and enums have no typedef' '^ *typedef +(struct|enum|union)' $own
complain 'every header has #pragma once' '^#ifndef [A-Z_]+_H_?$' $own

exit $faults
