#!/bin/sh
# sbom.sh PROGRAM - print a bill of materials (CycloneDX 1.5): the program and the shared libraries that it names, as
# the packages of this Debian system that have them. Without dpkg a library has no version.
set -eu
program=$1
version=$("$program" version | cut -d' ' -f2)

# Lines of library and package, of the libraries that a package has. A merged /usr hides which of two names dpkg knows.
owners() {
    # shellcheck disable=SC2046 # paths of libraries
    dpkg -S $(ldd "$program" | awk '$3 ~ /^\// { print $3; print "/usr" $3 }') 2>/dev/null |
        awk -F ': ' '{ library = $2; sub(/.*\//, "", library); print library, $1 }'
}

components() {
    owned=$(owners || :)
    # shellcheck disable=SC2016,SC2046 # dpkg's variables; names of packages
    packages=$(dpkg-query -W -f '${binary:Package} ${Package} ${Version} ${Architecture}\n' \
        $(echo "$owned" | cut -d' ' -f2 | sort -u) 2>/dev/null || :)
    objdump -p "$program" | awk '$1 == "NEEDED" && $2 !~ /^ld-linux/ { print $2 }' | while read -r library; do
        package=$(echo "$owned" | awk -v name="$library" '$1 == name { print $2; exit }')
        # shellcheck disable=SC2046 # three words
        set -- $(echo "$packages" | awk -v name="$package" '$1 == name || $2 == name { print $2, $3, $4; exit }')
        if [ $# -eq 3 ]; then
            url="pkg:deb/$ID/$1@$(printf %s "$2" | sed 's/+/%2B/g; s/:/%3A/g; s/~/%7E/g')?arch=$3&distro=$ID-$VERSION_ID"
            printf '    { "type": "library", "bom-ref": "%s", "name": "%s", "version": "%s", "purl": "%s" }\n' \
                "$url" "$1" "$2" "$url"
        else
            printf '    { "type": "library", "bom-ref": "%s", "name": "%s" }\n' "$library" "$library"
        fi
    done | sort -u | sed '$!s/$/,/'
}

# shellcheck source=/dev/null
. /etc/os-release
cat <<END
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": {
      "type": "application", "bom-ref": "sluice", "name": "sluice", "version": "$version",
      "licenses": [ { "license": { "id": "Apache-2.0" } } ]
    }
  },
  "components": [
$(components)
  ]
}
END
