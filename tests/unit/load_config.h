/*
 * load_config.h - read a configuration that must be valid, for tests.
 */
#pragma once

#include "server/config/config.h"

/** Read the file `path`; NULL: use the built-in defaults. ERR_CONFIG: the first problem. */
NODISCARD bool load_config(const char *path, struct config **out, struct error *err);
