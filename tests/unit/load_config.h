/*
 * load_config.h - a configuration without problems, for tests.
 */
#pragma once

#include "server/config/config.h"

/** Read the file at `path`, NULL: the built-in defaults. ERR_CONFIG with the first problem. */
NODISCARD bool load_config(const char *path, struct config **out, struct error *err);
