#!/bin/sh
# build.sh - build the container image `sluice` with whichever builder is here.
set -eu
cd "$(dirname "$0")/../.."

for builder in docker podman buildah; do
    command -v "$builder" >/dev/null || continue
    case $builder in
    docker) exec docker build -t sluice . ;;
    *) exec "$builder" build --format docker -t sluice . ;; # the OCI format has no HEALTHCHECK
    esac
done
echo "make image needs docker, podman or buildah" >&2
exit 1
