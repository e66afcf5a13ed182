#!/bin/sh
# deb.sh FOLDER - install, upgrade and purge the Debian package in FOLDER in a chroot of this release.
#
# Needs root. The chroot is made once, in SLUICE_CHROOT (build/chroot), and copied for each run.
set -eu
cd "$(dirname "$0")/.."
package=$(ls "$1"/sluice_*.deb)
work=${SLUICE_CHROOT:-$PWD/build/chroot}
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
failed=0 passed=0

[ "$(id -u)" -eq 0 ] || { echo "deb.sh: only root can make a chroot" >&2 && exit 1; }
mkdir -p "$work"
if [ ! -f "$work/$release.tar" ]; then
    echo "Making a chroot of $release"
    mmdebstrap --quiet --variant=apt --include=systemd,curl "$release" "$work/new.tar" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
    mv "$work/new.tar" "$work/$release.tar"
fi
root=$work/root
rm -rf "$root"
mkdir -p "$root"
tar -x -C "$root" -f "$work/$release.tar"
cp /etc/resolv.conf "$root/etc/resolv.conf"
trap 'rm -rf "$root"' EXIT

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

# Processes end with their namespace.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && shift 0 && root=$1 && shift &&
            exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
                chroot "$root" "$@"' sh "$root" "$@"
}

# put FILE VERSION: the package under another version, for an upgrade.
repack() {
    dpkg-deb -R "$package" "$root/tmp/repacked"
    sed -i "s/^Version: .*/Version: $2/" "$root/tmp/repacked/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$root/tmp/repacked" "$1"
}

# Start the server as its user, post the sample event, end it.
# shellcheck disable=SC2016
serve='set -e
cd /
setpriv --reuid=sluice --regid=sluice --clear-groups env STATE_DIRECTORY=/var/lib/sluice SLUICE_LISTEN=127.0.0.1:0 \
    sluice -c /etc/sluice/sluice.yaml >/tmp/server.log &
server=$!
for _ in $(seq 300); do
    port=$(sed -n "s/.*\"event\":\"ready\".*\"port\":\([0-9]*\).*/\1/p" /tmp/server.log)
    [ -z "$port" ] || break
    sleep 0.1
done
curl -sS --max-time 30 -H "Content-Type: application/json" \
    --data @/usr/share/doc/sluice/samples/interaction.started.json "http://127.0.0.1:$port/events" | grep interaction_id
kill "$server"
wait "$server"'

cp "$package" "$root/tmp/sluice.deb"
check "it installs" inside sh -c 'apt-get -q update && apt-get -q install -y /tmp/sluice.deb'
check "it has a user" inside id sluice
check "its folders have their owners and modes" sh -c "
    [ \"\$(stat -c '%a' '$root/var/lib/sluice' '$root/etc/sluice/secrets' | xargs)\" = '700 750' ]"
check "the configuration is right" inside setpriv --reuid=sluice --regid=sluice --clear-groups \
    env STATE_DIRECTORY=/var/lib/sluice sluice check -c /etc/sluice/sluice.yaml
check "the user can serve, and the record is stored" inside sh -c "$serve"
# shellcheck disable=SC2016 # bash's own variables
check "a shell completes its commands" inside bash -c '. /usr/share/bash-completion/completions/sluice
    COMP_WORDS=(sluice che) COMP_CWORD=1; _sluice; [ "${COMPREPLY[*]}" = check ]'
check "systemd-analyze verifies the units" systemd-analyze verify --root="$root" --man=no sluice.service sluice.socket
check "the sandbox leaves an exposure of at most 2.0" systemd-analyze security --root="$root" --offline=true \
    --threshold=20 sluice.service

# What the scripts of the package tell systemd, which does not run here.
mkdir -p "$root/run/systemd/system"
printf '#!/bin/sh\necho "$@" >>/tmp/told\n' >"$root/usr/bin/deb-systemd-invoke"
told() {
    [ "$(cat "$root/tmp/told")" = "$1" ] && rm "$root/tmp/told"
}

echo '# edited' >>"$root/etc/sluice/sluice.yaml"
check "a newer version can be made" repack "$root/tmp/newer.deb" "$(conf/deploy/version.sh)+upgrade"
check "it upgrades" inside apt-get -q install -y -o Dpkg::Options::=--force-confold /tmp/newer.deb
check "an upgrade restarts the service, and leaves the socket open" told "try-restart sluice.service"
check "the edited configuration is kept" grep -q '^# edited' "$root/etc/sluice/sluice.yaml"
check "the user can serve from the same store" inside sh -c "$serve"

check "it purges" inside apt-get -q purge -y sluice
check "its units are stopped before" told "stop sluice.socket sluice.service"
check "records outlive it" test -s "$root/var/lib/sluice/sluice.db"
check "nothing else is left" sh -c "! find '$root' -xdev -path '$root/var/lib/sluice' -prune -o -path '*/var/lib/systemd/*' -prune \
    -o -path '*/var/cache/*' -prune -o -path '*/tmp/*' -prune -o -name '*sluice*' -print | grep ."
echo "deb: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
