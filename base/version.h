/*
 * version.h - this program's version (semver.org).
 */
#pragma once

#define SLUICE_VERSION "0.1.0"
