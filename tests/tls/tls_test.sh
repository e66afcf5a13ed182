#!/bin/sh
# tls_test.sh PROGRAM CERT KEY CA - test the server's TLS with other tools.
#
# testssl.sh (Debian's package) tests protocols, ciphers and vulnerabilities: no finding of severity LOW
# or above, except about the certificate, which is made for tests. Then openssl s_client resumes a
# session of TLS 1.2 and one of TLS 1.3.
set -eu
program=$1 cert=$2 key=$3 ca=$4
work=build/tls-test
# Ignored findings: those about the certificate; one that is a race of testssl.sh with its own standard
# input, tested separately below; and that the client's order of ciphers and groups counts. All of these
# are good, and the client knows which it computes fast and which key share it has sent.
excluded='^(cert_|secure_client_renego$|cipher_order$)'
rm -rf "$work" && mkdir -p "$work"

cat >"$work/sluice.yaml" <<END
http: { listen: "127.0.0.1:0", threads: 2, tls: { cert_file: "$(realpath "$cert")", key_file: "$(realpath "$key")" } }
store: { path: "" }
sinks: []
END
"$program" serve -c "$work/sluice.yaml" >"$work/server.log" &
server=$!
trap 'kill $server' EXIT
port=""
tries=0
while [ -z "$port" ]; do
    port=$(sed -n 's/.*"event":"ready".*"port":\([0-9]*\).*/\1/p' "$work/server.log")
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "the server does not start" >&2 && exit 1; }
    sleep 0.05
done

faults=0
testssl --quiet --color 0 --warnings off --ip one -p -s -f -P -U --jsonfile "$work/findings.json" \
    "127.0.0.1:$port" >"$work/testssl.txt" 2>&1 || :
grep -q '"id" *: *"LUCKY13"' "$work/findings.json" ||
    { echo "testssl.sh did not get to its end; see $work/testssl.txt" >&2 && exit 1; }
found=$(/usr/bin/python3 - "$work/findings.json" "$excluded" <<'END'
import json, re, sys

for one in json.load(open(sys.argv[1])):
    if one["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL"):
        if not re.match(sys.argv[2], one["id"]):
            print(f"{one['severity']} {one['id']}: {one['finding']}")
END
)
if [ -n "$found" ]; then
    printf 'testssl.sh found:\n%s\n' "$found"
    faults=1
else
    echo "testssl.sh: nothing at LOW or above ($(grep -c '"id"' "$work/findings.json") findings)"
fi

# s_client sends a request, so that the ticket of TLS 1.3 has come before the session is kept.
ask() {
    printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        openssl s_client -connect "127.0.0.1:$port" -CAfile "$ca" -ign_eof "$@" 2>/dev/null
}
for version in tls1_2 tls1_3; do
    ask -"$version" -sess_out "$work/session" >"$work/first.txt"
    ask -"$version" -sess_in "$work/session" >"$work/second.txt"
    if grep -q '^New, TLSv1' "$work/first.txt" && grep -q '^Reused, TLSv1' "$work/second.txt" &&
        grep -q '"status":"ok"' "$work/second.txt"; then
        echo "openssl s_client -$version: the session was resumed"
    else
        echo "openssl s_client -$version: the session was not resumed; see $work"
        faults=1
    fi
done
# A client that tries to renegotiate is disconnected.
(sleep 1; echo R; sleep 2) |
    openssl s_client -connect "127.0.0.1:$port" -CAfile "$ca" -tls1_2 >"$work/renego.txt" 2>&1 || :
if tail -n 1 "$work/renego.txt" | grep -q '^closed'; then
    echo "openssl s_client: no renegotiation"
else
    echo "openssl s_client: the client may renegotiate; see $work/renego.txt"
    faults=1
fi
exit $faults
