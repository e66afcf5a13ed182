#!/bin/sh
# release.sh trixie|noble|resolute [short] - build and test on Debian 13, Ubuntu 24.04 or 26.04, in a chroot of
# its packages.
#
# Needs root. The chroot is made once, in build/RELEASE (trixie: SLUICE_TRIXIE, if set), and again when the list of
# packages changes. Each run copies the tree in; what was built there stays. Without "short" it runs all of make test.
# With "short" it takes a few minutes: build, unit tests of server/, the sample event and 100 connections over plain
# HTTP and TLS.
set -eu
cd "$(dirname "$0")/.."

release=${1:-}
work=$PWD/build/$release
case $release in
trixie) system="Debian 13" work=${SLUICE_TRIXIE:-$work} ;;
noble) system="Ubuntu 24.04" ;;
resolute) system="Ubuntu 26.04" ;;
*) echo "usage: tests/release.sh trixie|noble|resolute [short]" >&2 && exit 2 ;;
esac
root=$work/root

# shellcheck disable=SC2016 # for the shell in the chroot
case ${2:-all} in
all) inside='make test' ;;
short) inside='tests=$(ls tests/unit/server/test_*.c tests/unit/server/*/test_*.c | sed "s,\(.*\)\.c,build/release/\1,")
make -j"$(nproc)" build/sluice $tests
tests/unit/run.sh $tests
/usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/e2e/test_smoke.py' ;;
*) echo "usage: tests/release.sh $release [short]" >&2 && exit 2 ;;
esac

[ "$(id -u)" -eq 0 ] || { echo "release.sh: only root can make a chroot" >&2 && exit 1; }
tests/setup.sh trixie test

# Ubuntu's keys, from the package that carries them: Debian has none. The checksum stands for the package's signature.
fetch_ubuntu_keys() {
    curl -sSf --retry 3 -o "$work/keys.deb" "$ubuntu/pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
    echo "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8 $work/keys.deb" | sha256sum -c --quiet
    dpkg-deb --fsys-tarfile "$work/keys.deb" | tar -xO ./usr/share/keyrings/ubuntu-archive-keyring.gpg >"$work/keys.gpg"
}

# Made aside, so that half a chroot is never taken for a whole one.
packages=$(tests/setup.sh --list build test | tr '\n' ',')make
if [ "$(cat "$work/packages" 2>/dev/null)" != "$packages" ]; then
    echo "Making a chroot of $system"
    rm -rf "$root" "$root.new" "$work/packages"
    mkdir -p "$work"
    set -- "$release" "$root.new"
    case $system in
    Ubuntu*)
        ubuntu=http://archive.ubuntu.com/ubuntu
        fetch_ubuntu_keys
        set -- --keyring="$work/keys.gpg" "$@"
        for suite in "$release" "$release-updates" "$release-security"; do
            set -- "$@" "deb $ubuntu $suite main universe"
        done
        ;;
    esac
    unshare --mount mmdebstrap --quiet --variant=apt --include="$packages" --dpkgopt=force-unsafe-io \
        --aptopt='APT::Install-Recommends "false"' "$@" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; echo "release.sh: no chroot of $system could be made" >&2; exit 1; }
    mv "$root.new" "$root"
    echo "$packages" >"$work/packages"
fi

# The tree as git sees it, with what is not committed. Times are kept, so that make builds little.
mkdir -p "$root/src/build"
git ls-files -co --exclude-standard |
    while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done |
    tar -c -T - | tar -x -C "$root/src"
[ -d "$root/src/build/suite" ] || cp -rL build/suite "$root/src/build/suite"
cat >"$root/src/build/release.sh" <<END
cd /src
. /etc/os-release
echo "\$PRETTY_NAME, libmicrohttpd \$(dpkg-query -W -f='\${Version}' libmicrohttpd-dev)"
$inside
END

# Mounts and processes end with their namespaces.
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" &&
        exec env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 chroot "$1" sh -e /src/build/release.sh' sh "$root"
