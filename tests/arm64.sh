#!/bin/sh
# arm64.sh - cross-compile for arm64, and run unit tests, the conformance suite and the sample event under qemu.
#
# The libraries are those of Debian's arm64 packages, unpacked into build/arm64/root. qemu's user mode runs the
# programs; the tests around them are this machine's.
set -eu
cd "$(dirname "$0")/.."

work=build/arm64
out=$work/release
root=$PWD/$work/root

tests/setup.sh arm64 test
packages=$(tests/setup.sh --list build | grep -vx -e gcc -e pkg-config | tr '\n' ',')
packages=${packages%,}
if [ "$(cat $work/packages 2>/dev/null)" != "$packages" ]; then
    echo "Unpacking Debian's libraries for arm64"
    rm -rf "$root" $work/packages
    mkdir -p $work
    # shellcheck source=/dev/null
    mmdebstrap --quiet --variant=extract --architectures=arm64 --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" \
        >$work/log 2>&1 || { cat $work/log >&2; echo "arm64.sh: no libraries for arm64" >&2; exit 1; }
    echo "$packages" >$work/packages
fi

export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
cc="aarch64-linux-gnu-gcc --sysroot=$root"
make --no-print-directory -j"$(nproc)" OUT=$out CC="${CCACHE:-} $cc" programs $out/bowtie

# Others start the programs without a word of qemu.
programs=$(cd $out && find bowtie sluice tests -type f -perm -u+x)
for program in $programs; do
    mkdir -p "$work/emulated/$(dirname "$program")"
    printf '#!/bin/sh\nexec qemu-aarch64-static -L "%s" "%s" "$@"\n' "$root" "$PWD/$out/$program" \
        >"$work/emulated/$program"
    chmod +x "$work/emulated/$program"
done
emulated() { find "$work/emulated/$1" -type f | sort; }

# What qemu's user mode does differently: a program that is not there (vfork), openpty, TCP_INFO; and what has limits of
# processor time, which is ten times as long there.
other='aws/test_process|server/cli/test_(diff|progress)|server/http/test_(watch|life)'
slow='base/test_regex|handlers/auth/test_bearer'

# shellcheck disable=SC2046 # names without spaces
tests/unit/run.sh $(emulated tests/unit | grep -vE "/($other|$slow)\$")
# shellcheck disable=SC2046
tests/conformance/run.sh $work/emulated/bowtie $(emulated tests/conformance)
SLUICE_BIN=$work/emulated/sluice /usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/e2e/test_smoke.py
