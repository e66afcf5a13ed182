#!/bin/sh
# try.sh PROGRAM - start PROGRAM with the shipped configuration and print how to try it.
set -eu
cd "$(dirname "$0")/.."

cat <<END

Serving on http://${SLUICE_LISTEN:-127.0.0.1:8080}; stop with Ctrl-C. In another terminal:

  curl -i -H 'Content-Type: application/json' --data @conf/samples/interaction.started.json \\
       http://${SLUICE_LISTEN:-127.0.0.1:8080}/events

END
exec "$1" serve -c conf/sluice.yaml
