#!/bin/sh
# dev_cert.sh FOLDER - make a certificate for localhost, for TLS trials: cert.pem and key.pem for the
# server, ca.pem for its clients. The CA's key is not kept.
set -eu
mkdir -p "$1"
cd "$1"
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

cat >leaf.ext <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
END
# shellcheck disable=SC2086 # a list of options
{
    openssl req -x509 $new -days 90 -subj "/CN=Sluice development CA" -keyout ca.key -out ca.pem \
        -addext "keyUsage = critical, keyCertSign" &&
        openssl req -new $new -subj /CN=localhost -keyout key.pem -out leaf.csr &&
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile leaf.ext -out cert.pem
} 2>openssl.log || { cat openssl.log >&2; exit 1; }
rm -f ca.key ca.srl leaf.csr leaf.ext openssl.log
chmod 600 key.pem
echo "$1: cert.pem and key.pem for the server, ca.pem for its clients"
