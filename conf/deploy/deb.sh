#!/bin/sh
# deb.sh FOLDER - build the Debian package in FOLDER, from a copy of this tree (`make deb`).
#
# The version is that of base/version.h. lintian must find nothing.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "$1"
out=$(realpath "$1")
version=$(conf/deploy/version.sh)

rm -rf "$out/sluice-$version" "$out"/sluice*.deb
mkdir -p "$out/sluice-$version"
conf/deploy/files.sh | tar -c -T - | tar -x -C "$out/sluice-$version"
cd "$out/sluice-$version"
cp -r conf/deploy/debian .
cat >debian/changelog <<END
sluice ($version) unstable; urgency=medium

  * See /usr/share/doc/sluice/changelog.gz.

 -- Sluice maintainers <maintainers@sluice.invalid>  $(date -u -R -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
END
dpkg-buildpackage -us -uc -b >"$out/log" 2>&1 || { tail -n 40 "$out/log" >&2; exit 1; }
cd "$out"
lintian --allow-root --fail-on error,warning,info --suppress-tags initial-upload-closes-no-bugs ./*.changes
echo "built $(ls "$out"/sluice_*.deb)"
