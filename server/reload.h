/*
 * reload.h - a new configuration in the place of the present one, whole or not at all.
 *
 * The new service is built beside the old one, with its schemas loaded and its threads started, and
 * takes its place between two requests. Requests that have begun finish on the old service, which
 * is retired until they have.
 *
 * Threads: belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"
#include "server/http/http.h"
#include "server/http/tls.h"
#include "server/listeners.h"
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

/** End both. */
void force_end(struct force *force);

/**
 * Read the configuration and build what it asks for beside `now`; takes as long as the disk and the
 * registry take. The caller owns `*next`: it goes to reload_take() or force_end(). On failure
 * nothing has changed, and the text begins with file and line where the file is at fault.
 */
NODISCARD bool reload_prepare(const struct reload_options *options, const struct force *now,
                              struct force *next, struct error *err);

/**
 * Serve by `next` from now on, which becomes `*force`; what was in force goes to `*retired`. Waits
 * for nothing but requests that are between two of their steps.
 */
void reload_take(const struct reload_options *options, struct force *force,
                 const struct force *next, struct retired **retired);

/** How many there are. */
size_t retired_count(const struct retired *retired);

/** End those that no request keeps to; how many are left. */
size_t retired_release(struct retired **retired);

/** Before the server ends: their threads wake nobody any more. */
void retired_stop(struct retired *retired);

/** End all of them; the server has stopped. Before what is in force is ended. */
void retired_destroy(struct retired *retired);
