#!/bin/sh
# trixie.sh [short] - build and test on Debian 13, in a chroot made of its packages.
#
# Needs root. The chroot is made once, in SLUICE_TRIXIE (build/trixie), and again when the list of
# packages changes. Each run copies the tree in; what was built there stays. Without "short" it runs
# all of make test. With "short" it takes a few minutes: build, unit tests of server/, the sample event
# and 100 connections over plain HTTP and TLS.
set -eu
cd "$(dirname "$0")/.."

work=${SLUICE_TRIXIE:-$PWD/build/trixie}
root=$work/root

# shellcheck disable=SC2016 # for the shell in the chroot
case ${1:-all} in
all) inside='make test' ;;
short) inside='tests=$(ls tests/unit/server/test_*.c tests/unit/server/*/test_*.c | sed "s,\(.*\)\.c,build/release/\1,")
make -j"$(nproc)" build/sluice $tests
tests/unit/run.sh $tests
/usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/e2e/test_smoke.py' ;;
*) echo "usage: tests/trixie.sh [short]" >&2 && exit 2 ;;
esac

[ "$(id -u)" -eq 0 ] || { echo "trixie.sh: only root can make a chroot" >&2 && exit 1; }
tests/setup.sh trixie test

# Made aside, so that half a chroot is never taken for a whole one.
packages=$(tests/setup.sh --list build test | tr '\n' ',')make
if [ "$(cat "$work/packages" 2>/dev/null)" != "$packages" ]; then
    echo "Making a chroot of Debian 13"
    rm -rf "$root" "$root.new" "$work/packages"
    mkdir -p "$work"
    mmdebstrap --quiet --variant=apt --include="$packages" --aptopt='APT::Install-Recommends "false"' \
        trixie "$root.new" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; echo "trixie.sh: no chroot of Debian 13 could be made" >&2; exit 1; }
    mv "$root.new" "$root"
    echo "$packages" >"$work/packages"
fi

# The tree as git sees it, with what is not committed. Times are kept, so that make builds little.
mkdir -p "$root/src/build"
git ls-files -co --exclude-standard |
    while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done |
    tar -c -T - | tar -x -C "$root/src"
[ -d "$root/src/build/suite" ] || cp -rL build/suite "$root/src/build/suite"
cat >"$root/src/build/trixie.sh" <<END
cd /src
. /etc/os-release
echo "\$PRETTY_NAME, libmicrohttpd \$(dpkg-query -W -f='\${Version}' libmicrohttpd-dev)"
$inside
END

# Mounts and processes end with their namespaces.
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" &&
        exec env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 chroot "$1" sh -e /src/build/trixie.sh' sh "$root"
