#!/bin/sh
# setup.sh - install the missing Debian packages of a task, and for peers those of PyPI and Maven.
#
#   tests/setup.sh [--list] build|test|lint|coverage|fuzz|bench|cert|tls|attack|image|deb|deploy|oauth|console|
#                           screenshots|peers|patterns|trixie|arm64...
#
# Prints what it installs; prints nothing when everything is installed. "a|b" means: a, unless b is
# installed. --list prints the packages, one per line, and installs nothing.
set -eu
cd "$(dirname "$0")/.."

build="gcc libc6-dev pkg-config libmicrohttpd-dev libgnutls28-dev libjson-c-dev libcurl4-openssl-dev|libcurl4-gnutls-dev
       libssl-dev libyaml-dev libpcre2-dev libidn2-dev libunistring-dev libsqlite3-dev zlib1g-dev libzstd-dev
       librdkafka-dev"
test="openssl curl python3-pytest python3-pytest-xdist python3-hypothesis python3-jsonschema python3-yaml python3-botocore
      python3-cryptography"
lint="clang-format clang-tidy clang shellcheck"
coverage="gcovr"
fuzz="clang libclang-rt-dev"
bench="nginx wrk valgrind"
oauth="nodejs npm|nodejs"
console="chromium python3-venv nodejs npm|nodejs"
screenshots="pngquant"
cert="openssl"
tls="testssl.sh openssl"
attack="slowhttptest"
peers="prometheus python3-venv maven default-jdk-headless|openjdk-17-jdk-headless"
patterns="default-jdk-headless maven"
trixie="mmdebstrap"
arm64="gcc-aarch64-linux-gnu pkg-config mmdebstrap qemu-user-static"
deb="build-essential dpkg-dev debhelper lintian binutils"
deploy="python3-venv nginx haproxy caddy certbot prometheus nodejs npm|nodejs iproute2"
image="buildah podman runc conmon containernetworking-plugins iptables mmdebstrap"

have() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The packages of the list that are not there; of "a|b" the first, when neither is.
missing() {
    for choice in $1; do
        found=""
        for package in $(echo "$choice" | tr '|' ' '); do
            if have "$package"; then found=1; fi
        done
        [ -n "$found" ] || echo "${choice%%|*}"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_missing() {
    wanted=$(missing "$1" | tr '\n' ' ')
    [ -n "$wanted" ] || return 0
    echo "Installing with apt: $wanted"
    as_root apt-get -q update >build/setup.log 2>&1 || { cat build/setup.log >&2; return 1; }
    # shellcheck disable=SC2086 # a list of package names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        $wanted >build/setup.log 2>&1 || { cat build/setup.log >&2; return 1; }
}

# The JSON Schema test suite, from the package that carries it; its Perl side is not needed.
fetch_suite() {
    inside=usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance
    [ ! -d build/suite/tests ] || return 0
    rm -rf build/suite build/suite.new
    if [ -d "/$inside/tests" ]; then
        ln -s "/$inside" build/suite
        return 0
    fi
    echo "Fetching the JSON Schema test suite (libtest-json-schema-acceptance-perl)"
    mkdir -p build/suite.new
    (
        cd build/suite.new
        apt-get -q download libtest-json-schema-acceptance-perl >../setup.log 2>&1 ||
            { as_root apt-get -q update && apt-get -q download libtest-json-schema-acceptance-perl; } \
                >../setup.log 2>&1 || { cat ../setup.log >&2; exit 1; }
        dpkg-deb -x ./*.deb .
    )
    mv "build/suite.new/$inside" build/suite
    rm -rf build/suite.new
}

# oidc-provider, in the version that tests/oauth/package.json names.
install_oauth() {
    mkdir -p build/oauth
    cp tests/oauth/provider.js build/oauth/
    if cmp -s tests/oauth/package.json build/oauth/package.json; then return 0; fi
    echo "Installing oidc-provider with npm"
    cp tests/oauth/package.json build/oauth/new.json
    npm install --prefix build/oauth --no-save --no-audit --no-fund --loglevel=error \
        "oidc-provider@$(sed -n 's/.*"oidc-provider": "\(.*\)".*/\1/p' tests/oauth/package.json)"
    mv build/oauth/new.json build/oauth/package.json
}

# Playwright, which drives Debian's browser, and axe-core, which looks for barriers.
install_console() {
    wanted="playwright==1.65.2 axe-core@4.11.0"
    [ "$(cat build/console-test/installed 2>/dev/null)" != "$wanted" ] || return 0
    echo "Installing from PyPI and with npm: $wanted"
    rm -rf build/console-test
    {
        /usr/bin/python3 -m venv --system-site-packages build/console-test/venv &&
            build/console-test/venv/bin/pip install -q --disable-pip-version-check "${wanted% *}" &&
            npm install --prefix build/console-test --no-save --no-audit --no-fund --loglevel=error "${wanted#* }"
    } >build/setup.log 2>&1 || { cat build/setup.log >&2; return 1; }
    echo "$wanted" >build/console-test/installed
}

# moto and boto3, of known versions, in a virtual environment that has Debian's pytest too.
fetch_peers() {
    wanted="moto[server]==5.2.5 boto3==1.44.5 prometheus_client==0.26.0 opentelemetry-proto==1.45.2"
    [ "$(cat build/peers/installed 2>/dev/null)" != "$wanted" ] || return 0
    echo "Installing from PyPI: $wanted"
    rm -rf build/peers
    # shellcheck disable=SC2086 # a list of requirements
    {
        /usr/bin/python3 -m venv --system-site-packages build/peers &&
            build/peers/bin/pip install -q --disable-pip-version-check $wanted
    } >build/setup.log 2>&1 || { cat build/setup.log >&2; return 1; }
    echo "$wanted" >build/peers/installed
}

# Emulators of AWS. What cannot be installed here is left out, and its tests are skipped with the reason.
fetch_emulators() {
    if [ ! -e build/peers-ministack/installed ]; then
        echo "Installing from PyPI: ministack 1.5.33"
        if /usr/bin/python3 -m venv build/peers-ministack && build/peers-ministack/bin/pip install -q \
            --disable-pip-version-check ministack==1.5.33 >build/setup.log 2>&1; then
            touch build/peers-ministack/installed
        else
            tail -3 build/setup.log >&2
        fi
    fi
    if [ ! -e build/peers-npm/node_modules/kinesis-local ] && command -v npm >/dev/null; then
        echo "Installing with npm: s3rver 3.7.1, dynalite 4.0.0, kinesis-local 0.6.2"
        npm install --prefix build/peers-npm --no-save --no-audit --no-fund --loglevel=error \
            s3rver@3.7.1 dynalite@4.0.0 kinesis-local@0.6.2 || :
    fi
    if [ ! -e build/peers-bin/versitygw ] && command -v go >/dev/null; then
        echo "Building with go: versitygw 1.8.0, a few minutes"
        GOBIN=$PWD/build/peers-bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 >build/setup.log 2>&1 ||
            tail -3 build/setup.log >&2
    fi
    if [ ! -e build/peers-bin/collector ] && command -v go >/dev/null; then
        echo "Building with go: OpenTelemetry Collector 0.161.0, some minutes"
        rm -rf build/collector
        cp -r tests/peers/collector build/collector
        (cd build/collector && go mod tidy && go build -o ../peers-bin/collector .) >build/setup.log 2>&1 ||
            tail -3 build/setup.log >&2
    fi
}

# What makes requests of docs/openapi.yaml, in an environment of its own: it wants another pytest than Debian's.
fetch_schemathesis() {
    wanted="schemathesis==4.32.5"
    [ "$(cat build/peers-schemathesis/installed 2>/dev/null)" != "$wanted" ] || return 0
    echo "Installing from PyPI: $wanted"
    rm -rf build/peers-schemathesis
    if /usr/bin/python3 -m venv build/peers-schemathesis && build/peers-schemathesis/bin/pip install -q \
        --disable-pip-version-check "$wanted" >build/setup.log 2>&1; then
        echo "$wanted" >build/peers-schemathesis/installed
    else
        tail -3 build/setup.log >&2
    fi
}

# The checkers of the files in conf/deploy/. What cannot be installed here is left out, and its tests are skipped with
# the reason.
fetch_deploy() {
    at=$PWD/build/deploy-tools
    wanted="cfn-lint==1.51.0 kubernetes-validate==1.37.0 python-hcl2==7.3.1"
    if [ "$(cat "$at/pypi" 2>/dev/null)" != "$wanted" ]; then
        echo "Installing from PyPI: $wanted"
        rm -rf "$at/venv"
        # shellcheck disable=SC2086 # a list of requirements
        if /usr/bin/python3 -m venv "$at/venv" &&
            "$at/venv/bin/pip" install -q --disable-pip-version-check $wanted >build/setup.log 2>&1; then
            echo "$wanted" >"$at/pypi"
        else
            tail -3 build/setup.log >&2
        fi
    fi
    if [ ! -e "$at/node_modules/@kubernetes-models" ] && command -v npm >/dev/null; then
        echo "Installing with npm: @kubernetes-models/prometheus-operator 6.0.0"
        npm install --prefix "$at" --no-save --no-audit --no-fund --loglevel=error \
            @kubernetes-models/prometheus-operator@6.0.0 || :
    fi
    if ! ls "$at"/cdktf_*.whl >/dev/null 2>&1; then
        echo "Fetching from PyPI: cdktf-cdktf-provider-aws 21.22.1"
        "$at/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$at" \
            cdktf-cdktf-provider-aws==21.22.1 >build/setup.log 2>&1 || tail -3 build/setup.log >&2
    fi
    if [ ! -e "$at/bin/lambda-adapter" ] && command -v cargo >/dev/null; then
        echo "Building with cargo: lambda_web_adapter 1.0.0-rc1, a few minutes"
        cargo install --locked --root "$at" lambda_web_adapter@1.0.0-rc1 >build/setup.log 2>&1 ||
            tail -3 build/setup.log >&2
    fi
    command -v go >/dev/null || return 0
    rie=github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie
    for program in "helm helm.sh/helm/v3/cmd/helm@v3.22.0" \
        "aws-lambda-rie $rie@v0.0.0-20261030222936-bef5c4ba774d" \
        "compose-spec github.com/compose-spec/compose-go/v2/cmd@v2.16.2" \
        "pebble github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3"; do
        [ ! -e "$at/bin/${program%% *}" ] || continue
        echo "Building with go: ${program#* }, a few minutes"
        if GOBIN=$at/go go install "${program#* }" >build/setup.log 2>&1; then
            mkdir -p "$at/bin"
            mv "$at"/go/* "$at/bin/${program%% *}"
        else
            tail -3 build/setup.log >&2
        fi
    done
}

# Brokers of Apache Kafka and their part of the tests. librdkafka before 2.6.1 needs the older one for SCRAM.
fetch_kafka() {
    for version in 4.1.2 3.9.1; do
        lib=$PWD/build/kafka/$version
        [ ! -d "$lib" ] || continue
        echo "Installing with Maven: Apache Kafka $version"
        rm -rf "$lib.new"
        mvn -q -B -f tests/kafka/pom.xml -Dkafka=$version dependency:copy-dependencies -DoutputDirectory="$lib.new" \
            >build/setup.log 2>&1 || { cat build/setup.log >&2; return 1; }
        mv "$lib.new" "$lib"
    done
    javac -cp 'build/kafka/4.1.2/*' -d build/kafka/classes tests/kafka/MskTokens.java
}

# AWS's deserializer of messages with Glue's header. If it cannot be installed its test is skipped.
fetch_deserializer() {
    lib=$PWD/build/glue/lib
    if [ ! -d "$lib" ]; then
        echo "Installing with Maven: AWS's schema-registry-serde 1.1.24"
        rm -rf "$lib.new"
        mvn -q -B -f tests/peers/glue_pom.xml dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$lib.new" >build/setup.log 2>&1 || { tail -3 build/setup.log >&2; return 0; }
        mv "$lib.new" "$lib"
    fi
    javac -cp 'build/glue/lib/*' -d build/glue/classes tests/peers/GlueRecords.java
}

list=""
if [ "${1:-}" = --list ]; then
    list=1
    shift
fi
mkdir -p build
if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: see tests/setup.sh for what is needed." >&2
    exit 0
fi
wanted=""
for task in "$@"; do
    case $task in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    coverage) wanted="$wanted $coverage" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    bench) wanted="$wanted $bench" ;;
    cert) wanted="$wanted $cert" ;;
    tls) wanted="$wanted $tls" ;;
    attack) wanted="$wanted $attack" ;;
    image) wanted="$wanted $image" ;;
    deb) wanted="$wanted $deb" ;;
    deploy) wanted="$wanted $deploy" ;;
    trixie) wanted="$wanted $trixie" ;;
    arm64) wanted="$wanted $arm64" ;;
    peers) wanted="$wanted $peers" ;;
    oauth) wanted="$wanted $oauth" ;;
    console) wanted="$wanted $console" ;;
    screenshots) wanted="$wanted $screenshots" ;;
    patterns) command -v javac mvn >/dev/null || wanted="$wanted $patterns" ;;
    *) echo "setup.sh: no such task: $task" >&2 && exit 2 ;;
    esac
done
if [ -n "$list" ]; then
    for choice in $wanted; do echo "${choice%%|*}"; done
    exit
fi
install_missing "$wanted"
case " $* " in *" test "*) fetch_suite ;; esac
case " $* " in *" oauth "*) install_oauth ;; esac
case " $* " in *" console "*) install_console ;; esac
case " $* " in *" deploy "*) fetch_deploy ;; esac
case " $* " in *" peers "*) fetch_peers && fetch_kafka && fetch_emulators && fetch_deserializer && fetch_schemathesis ;; esac
