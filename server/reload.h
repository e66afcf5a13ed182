/*
 * reload.h - replace the running configuration by a new one, completely or not at all.
 *
 * The new service is built beside the old one: its schemas are loaded and its threads started
 * before it serves. Requests that have begun finish on the old service, which is retired and
 * destroyed after the last of them.
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

/** A configuration and the service that was made from it. */
struct generation {
    struct config *config;
    struct service *service;
};

/** A list of replaced generations that requests may still use. NULL: empty. */
struct retired;

struct reload_options {
    const char *path;               /* of the configuration; NULL: the built-in defaults */
    struct service_options service; /* those that the first service was created with */
    const struct listeners *listeners;
    struct http *http;
    struct http *admin;   /* NULL: there is no admin address */
    struct http_tls *tls; /* NULL: no TLS */
};

/** Destroy both. */
void generation_destroy(struct generation *generation);

/**
 * Read the configuration and build its service beside `now`; may wait for the disk and the
 * registry. The caller owns `*next`, for reload_swap() or generation_destroy(). On failure nothing
 * has changed, and the text begins with file and line where the file is wrong.
 */
NODISCARD bool reload_prepare(const struct reload_options *options, const struct generation *now,
                              struct generation *next, struct error *err);

/**
 * Serve `next` from now on: it becomes `*current`, and what was there is added to `*retired`. Does
 * not wait. The caller calls epoch_wait() (base/epoch.h) before retired_release().
 */
void reload_swap(const struct reload_options *options, struct generation *current,
                 const struct generation *next, struct retired **retired);

/** The length of the list. */
size_t retired_count(const struct retired *retired);

/** Destroy those that no request uses any more; returns how many are left. */
size_t retired_release(struct retired **retired);

/** Stop their threads, which wake requests, before the server stops. */
void retired_stop(struct retired *retired);

/** Destroy all of them, after the server has stopped and before the current generation. */
void retired_destroy(struct retired *retired);
