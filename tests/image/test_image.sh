#!/bin/sh
# test_image.sh - build the Dockerfile and run the image, on a machine without a container engine.
#
# Needs root. A minimal Debian from the package archive replaces debian:trixie-slim. buildah builds
# in a chroot; podman and runc run the image on the host's network.
set -eu
cd "$(dirname "$0")/../.."

work=build/image
engine="--root $PWD/$work/storage --runroot $PWD/$work/run --storage-driver vfs"
limits="--ulimit nofile=1024:1024 --ulimit nproc=4096:4096"
name=sluice-image-test
version=$(conf/deploy/version.sh)
failed=0 passed=0

# shellcheck disable=SC2086 # lists of options, here and below
pod() { podman $engine "$@"; }

check() {
    what=$1
    shift
    if "$@" >"$work/check.log" 2>&1; then
        echo "  ok    $what"
        passed=$((passed + 1))
    else
        echo "  FAIL  $what"
        cat "$work/check.log"
        failed=$((failed + 1))
    fi
}

# start OPTION...: run the image in the background.
start() {
    pod rm -f -i "$name" >/dev/null 2>&1 || :
    # shellcheck disable=SC2086
    pod --runtime runc run -d --name "$name" $limits --no-healthcheck --network host "$@" "sluice:$version" >/dev/null
}

wait_ready() {
    for _ in $(seq 100); do
        if pod logs "$name" 2>/dev/null | grep -q '"event":"ready"'; then return 0; fi
        sleep 0.1
    done
    pod logs "$name"
    return 1
}

post() {
    curl -sS --max-time 10 -H 'Content-Type: application/json' --data @conf/samples/interaction.started.json \
        "http://127.0.0.1:$port/events" | grep -q '"interaction_id":"inter-98765432'
}

mkdir -p "$work"
tests/setup.sh build image
# shellcheck disable=SC2086
if ! buildah $engine inspect --type image docker.io/library/debian:trixie-slim >/dev/null 2>&1; then
    echo "Making debian:trixie-slim from packages"
    [ -f "$work/base.tar" ] || mmdebstrap --quiet --variant=minbase trixie "$work/base.tar"
    pod import -q "$work/base.tar" docker.io/library/debian:trixie-slim >/dev/null
fi
echo "Building the image"
# shellcheck disable=SC2086
buildah $engine bud -q --isolation chroot --pull=never --format docker --build-arg "VERSION=$version" -t "sluice:$version" -t sluice . >"$work/build.log" 2>&1 ||
    { tail -n 50 "$work/build.log"; exit 1; }

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
trap 'pod rm -f -i "$name" >/dev/null 2>&1; pod volume rm -f "$name-var" >/dev/null 2>&1' EXIT

start -e "SLUICE_LISTEN=0.0.0.0:$port"
check "beyond loopback it wants a credential" sh -c "[ \$(podman $engine wait $name) = 3 ]"

start -e "SLUICE_LISTEN=0.0.0.0:$port" -e SLUICE_AUTH_OPEN=true
check "it says that it is ready" wait_ready
check "the sample event becomes its record" post
check "the health command is content" pod exec "$name" /usr/local/bin/sluice health -c /etc/sluice/sluice.yaml
check "it does not run as root" sh -c "[ \$(podman $engine exec $name id -u) = 65532 ]"
check "the configuration in the image is right" pod exec "$name" /usr/local/bin/sluice check -c /etc/sluice/sluice.yaml
check "every user can read the configuration" pod exec --user 1000:1000 "$name" test -r /etc/sluice/sluice.yaml
check "its label names the version" sh -c "[ \$(podman $engine image inspect \
    -f '{{index .Labels \"org.opencontainers.image.version\"}}' sluice) = $version ]"
check "its bill of materials has the libraries with their versions" sh -c "podman $engine exec $name \
    cat /usr/local/share/sluice/sbom.cdx.json | grep -c 'pkg:deb/debian/.*@.*distro=debian-13' | grep -qE '^1[0-9]'"
check "compilers stay behind" sh -c "! podman $engine exec $name sh -c 'command -v gcc || command -v make'"
pod stop -t 20 "$name" >/dev/null
check "it stops cleanly" sh -c "[ \$(podman $engine inspect -f '{{.State.ExitCode}}' $name) = 0 ]"

start -e "SLUICE_LISTEN=0.0.0.0:$port" -e SLUICE_AUTH_OPEN=true --read-only \
    -v "$name-var:/var/lib/sluice/var"
check "a read-only root file system is enough" wait_ready
check "and events are served from it" post
pod kill -s KILL "$name" >/dev/null
start -e "SLUICE_LISTEN=0.0.0.0:$port" -e SLUICE_AUTH_OPEN=true --read-only \
    -v "$name-var:/var/lib/sluice/var"
check "it is ready again" wait_ready
check "what was stored is there after a kill" sh -c "podman $engine exec $name /usr/local/bin/sluice outbox status -c /etc/sluice/sluice.yaml | grep '1 accepted'"

size=$(pod image inspect -f '{{.Size}}' sluice)
base=$(pod image inspect -f '{{.Size}}' docker.io/library/debian:trixie-slim)
echo "image: $((size / 1048576)) MiB, $(((size - base) / 1048576)) MiB of it on top of Debian"
check "it adds less than 60 MiB to Debian" test $((size - base)) -lt 62914560
echo "image: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
