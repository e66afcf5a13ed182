#!/bin/sh
# acme-hook.sh - give a new certificate to Sluice: the deploy hook of certbot and of lego.
#
# certbot certonly ... --deploy-hook /usr/local/share/sluice/acme-hook.sh
#
# It copies chain and key to /etc/sluice/tls/cert.pem and key.pem, readable to root and the group sluice. Sluice uses
# them about two seconds later, without a signal. SLUICE_TLS and SLUICE_GROUP name another folder and group.
set -eu
folder=${SLUICE_TLS:-/etc/sluice/tls}
group=${SLUICE_GROUP:-sluice}

if [ -n "${RENEWED_LINEAGE:-}" ]; then # certbot
    chain=$RENEWED_LINEAGE/fullchain.pem
    key=$RENEWED_LINEAGE/privkey.pem
else # lego
    chain=${LEGO_CERT_PATH:?neither certbot nor lego has started this}
    key=${LEGO_CERT_KEY_PATH:?}
fi

install -d -m 0750 -g "$group" "$folder"
install -m 0640 -g "$group" "$chain" "$folder/cert.pem.new"
install -m 0640 -g "$group" "$key" "$folder/key.pem.new"
mv "$folder/key.pem.new" "$folder/key.pem"
mv "$folder/cert.pem.new" "$folder/cert.pem"
