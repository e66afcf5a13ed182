#!/bin/sh
# install.sh PROGRAM - install the program, man pages, completions, the systemd units with their user and folders, the
# configuration with schemas and transforms, the examples, and the bill of materials (`make install`).
#
# UNITDIR is the folder of systemd units, ZSHDIR that of zsh's completions. PREFIX, SYSCONFDIR and DESTDIR come from the environment. Files below SYSCONFDIR belong to the operator: an existing
# file that differs is kept, and the new one is put beside it as NAME.new.
set -eu
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/usr/local}
conf=${SYSCONFDIR:-/etc}/sluice
root=${DESTDIR:-}
units=${UNITDIR:-$prefix/lib/systemd/system}
zsh=${ZSHDIR:-$prefix/share/zsh/site-functions}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Replace the paths of the tree by those of this installation. systemd sets STATE_DIRECTORY to the folder of the store.
fill_in() {
    # shellcheck disable=SC2016 # the configuration's variable, not the shell's
    sed -e "s|/usr/local/bin/|$prefix/bin/|g; s|/usr/local/share/|$prefix/share/|g; s|/etc/sluice|$conf|g" \
        -e "/^ *#/!s|: [.][.]/[.][.]/|: $conf/|g" \
        -e '/^ *#/!s|: [.][.]/var/|: ${STATE_DIRECTORY:-/var/lib/sluice}/|g' "$1" >"$work/filled"
}

put() { # MODE FILE PLACE
    install -D -m "$1" "$2" "$root$3"
}

keep() { # FILE PLACE
    if [ ! -e "$root$2" ]; then
        put 644 "$1" "$2"
    elif ! cmp -s "$1" "$root$2"; then
        put 644 "$1" "$2.new"
        echo "kept $2; the new one is $2.new"
    fi
}

put 755 "$program" "$prefix/bin/sluice"
put 644 docs/sluice.1 "$prefix/share/man/man1/sluice.1"
"$program" man | while read -r command; do
    "$program" man "$command" >"$work/page"
    put 644 "$work/page" "$prefix/share/man/man1/sluice-$command.1"
done
for shell in "bash $prefix/share/bash-completion/completions/sluice" "zsh $zsh/_sluice" \
    "fish $prefix/share/fish/vendor_completions.d/sluice.fish"; do
    "$program" completion "${shell%% *}" >"$work/completion"
    put 644 "$work/completion" "${shell#* }"
done
for unit in sluice.service sluice.socket; do
    fill_in "conf/deploy/$unit"
    put 644 "$work/filled" "$units/$unit"
done
for kind in sysusers tmpfiles; do
    fill_in "conf/deploy/sluice.$kind"
    put 644 "$work/filled" "$prefix/lib/$kind.d/sluice.conf"
done
fill_in conf/deploy/acme-hook.sh
put 755 "$work/filled" "$prefix/share/sluice/acme-hook.sh"
conf/deploy/sbom.sh "$program" >"$work/sbom"
put 644 "$work/sbom" "$prefix/share/sluice/sbom.cdx.json"

fill_in conf/sluice.yaml
keep "$work/filled" "$conf/sluice.yaml"
for file in conf/sluice.schema.json conf/transform.schema.json; do # they describe the program
    put 644 "$file" "$conf/${file#conf/}"
done
find conf/schemas conf/transforms -type f | sort | while read -r file; do
    keep "$file" "$conf/${file#conf/}"
done

for file in README.md LICENSE CHANGELOG.md docs/*.md; do
    put 644 "$file" "$prefix/share/doc/sluice/$(basename "$file")"
done
for file in docs/deploy/*.md; do
    put 644 "$file" "$prefix/share/doc/sluice/deploy/$(basename "$file")"
done
find conf/samples conf/examples -type f | sort | while read -r file; do
    fill_in "$file"
    put 644 "$work/filled" "$prefix/share/doc/sluice/${file#conf/}"
done
echo "installed $root$prefix/bin/sluice; its configuration is $root$conf/sluice.yaml"
