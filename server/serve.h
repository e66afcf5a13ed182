/*
 * serve.h - run the server, from its configuration to the exit.
 *
 * Threads: main only.
 */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"

/**
 * Start everything, serve until SIGTERM or SIGINT, answer what is in flight, and stop. SIGHUP
 * reloads the configuration from `path` (NULL: the built-in defaults). `config` is taken over.
 * False: something could not be started.
 */
NODISCARD bool serve(const char *path, struct config *config, struct error *err);
