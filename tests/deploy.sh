#!/bin/sh
# deploy.sh - check the files of conf/deploy/ with the tools of their kinds: cfn-lint for CloudFormation.
set -eu
cd "$(dirname "$0")/.."
wanted="cfn-lint==1.51.0"
tools=build/deploy-tools

if [ "$(cat $tools/installed 2>/dev/null)" != "$wanted" ]; then
    echo "Installing from PyPI: $wanted"
    rm -rf $tools
    mkdir -p build
    { /usr/bin/python3 -m venv $tools && $tools/bin/pip install -q --disable-pip-version-check $wanted; } \
        >build/setup.log 2>&1 || { cat build/setup.log >&2; exit 1; }
    echo "$wanted" >$tools/installed
fi
$tools/bin/cfn-lint conf/deploy/eventbridge/*.yaml
echo "deploy: 1 passed, 0 failed"
