/*
 * reload.h - a new configuration in the place of the present one, whole or not at all.
 *
 * The new service is built beside the old one, with its schemas loaded and its threads started, and
 * takes its place between two requests. Requests that have begun finish on the old service, which
 * is retired until they have.
 *
 * Threads: belongs to main's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config.h"
#include "server/http.h"
#include "server/http_tls.h"
#include "server/places.h"
#include "server/service.h"

/** What is in force. */
struct force {
    struct config *config;
    struct service *service;
};

/** Services that requests may still keep to. NULL: there are none. */
struct retired;

struct reload_options {
    const char *path;               /* of the configuration; NULL: the built-in defaults */
    struct service_options service; /* as it was created with */
    const struct places *places;
    struct http *http;
    struct http_tls *tls; /* NULL: plain */
};

/**
 * Read the configuration and serve by it; on failure nothing has changed, and the text begins with
 * file and line where the file is at fault. What was in force goes to `*retired`.
 */
NODISCARD bool reload(const struct reload_options *options, struct force *force,
                      struct retired **retired, struct error *err);

/** How many there are. */
size_t retired_count(const struct retired *retired);

/** End those that no request keeps to; how many are left. */
size_t retired_release(struct retired **retired);

/** Before the server ends: their threads wake nobody any more. */
void retired_stop(struct retired *retired);

/** End all of them; the server has stopped. Before what is in force is ended. */
void retired_destroy(struct retired *retired);
