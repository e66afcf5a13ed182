#!/bin/sh
# build.sh - build the container image with docker, podman or buildah; tags: the version and latest.
set -eu
cd "$(dirname "$0")/../.."
version=$(conf/deploy/version.sh)

for builder in docker podman buildah; do
    command -v "$builder" >/dev/null || continue
    case $builder in
    docker) exec docker build --build-arg "VERSION=$version" -t "sluice:$version" -t sluice:latest . ;;
    *) exec "$builder" build --format docker --build-arg "VERSION=$version" -t "sluice:$version" -t sluice:latest . ;; # the OCI format has no HEALTHCHECK
    esac
done
echo "make image needs docker, podman or buildah" >&2
exit 1
