#!/bin/sh
# version.sh - print this program's version, which base/version.h has.
sed -n 's/.*define SLUICE_VERSION "\(.*\)".*/\1/p' "$(dirname "$0")/../../base/version.h"
