#!/bin/sh
# shellcheck disable=SC2046,SC2086 # lists of file names without blanks
# layers.sh - keep the include graph pointing one way, each library with its one owner, and the
# functions that invite mistakes out. Prints each line that breaks a rule; fails if there is one.
set -eu
cd "$(dirname "$0")/../.."
faults=0
sources=$(find base aws schema delivery handlers server tests -name '*.[ch]' 2>/dev/null | sort)
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

# The C files of one folder.
in_folder() {
    echo "$sources" | grep -E "^$1/[^/]*\$" || :
}

# but OWNER: our own files whose path does not match.
but() {
    echo "$own" | grep -vE "^($1)\$" || :
}

# A folder may include only itself and the folders below it.
complain 'base stands alone' '^#include "(aws|schema|delivery|handlers|server|tests)/' $(in_folder base)
complain 'aws stands on base' '^#include "(schema|delivery|handlers|server|tests)/' $(in_folder aws)
complain 'schema knows no events' '^#include "(delivery|handlers|server|tests)/' $(in_folder schema)
complain 'delivery knows no schemas' '^#include "(schema|handlers|server|tests)/' $(in_folder delivery)
complain 'handlers know no server' '^#include "(server|tests)/' $(in_folder handlers)
complain 'server is not a test' '^#include "tests/' $(in_folder server)
complain 'include by path from the root' '^#include "[^/"]*"' $own

# Each library has one owner; the rest of the program cannot tell it is there.
complain 'microhttpd belongs to server/http*.c' '^#include <microhttpd\.h>' $(but 'server/http[a-z_]*\.[ch]')
complain 'curl belongs to base/fetch.c' '^#include <curl/' $(but 'base/fetch\.c')
complain 'OpenSSL belongs to three files' '^#include <openssl/' $(but '(base/secret|base/signature|aws/sigv4)\.c')
complain 'json-c belongs to base/json*' '^#include <json-c/' $(but 'base/json[a-z0-9_]*\.[ch]')
complain 'SQLite belongs to delivery/outbox*.c' '^#include <sqlite3\.h>' $(but 'delivery/outbox[a-z_]*\.[ch]')
complain 'PCRE2 belongs to base/regex.c' '^#include <pcre2' $(but 'base/regex[a-z_]*\.[ch]')
complain 'libyaml belongs to base/yaml.c' '^#include <yaml\.h>' $(but 'base/yaml\.c')
complain 'GnuTLS belongs to two files' '^#include <gnutls/' $(but 'server/http_(tls|certificate)\.c')

# Functions that invite mistakes.
call='(^|[^A-Za-z0-9_.>])'
complain 'banned' "$call(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|gets|scanf|sscanf|fscanf|atoi|atol|atoll|strtol|strtoll|strtoul|strtoull|alloca|localtime|gmtime|ctime|asctime|strerror|system|popen|rand|srand|exit) ?\\(" $own
complain 'allocate through base/memory and base/arena' "$call(malloc|calloc|realloc|strdup|strndup|free) ?\\(" $(but 'base/memory\.c')
complain 'the environment is read by the configuration, systemd.c and aws/' "$call(getenv|secure_getenv|setenv|unsetenv|putenv) ?\\(" $(but 'server/(config[a-z_]*|systemd)\.c|aws/[a-z0-9_]*\.c')
complain 'printing is the command line'\''s' "$call(printf|puts|putchar) ?\\(" $(but 'server/[a-z_]*\.c')
complain 'no goto' '^ *goto ' $own
complain 'structs and enums have no typedef' '^ *typedef +(struct|enum|union)' $own
complain 'every header has #pragma once' '^#ifndef [A-Z_]+_H_?$' $own

exit $faults
