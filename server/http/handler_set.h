/*
 * handler_set.h - the handlers of each listener; replaced as a whole while requests run.
 *
 * A request keeps the set that was in force when its headers were complete, until it is over. So
 * what the handlers of an old set use may be freed once http_handler_set_is_idle().
 *
 * Threads: created and destroyed by main's; acquired and released by any loop thread, under
 * base/epoch.h: a thread that has exchanged the pointer and waited sees every request that still
 * got the old set.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "handlers/handler.h"
#include "server/http/http.h"

struct http_route {
    struct str path;
    struct handler handler;
};

struct http_routes {
    struct http_route *list;
    size_t count;
};

struct http_handler_set {
    atomic_size_t users; /* requests that keep it */
    size_t listener_count;
    struct http_routes listeners[]; /* in the order of http_options.listeners */
};

/** The handlers of these listeners, copied. The caller owns the set. */
struct http_handler_set *http_handler_set_create(const struct http_handlers *lists, size_t count);

/** The set that `*current` points to, until http_handler_set_release(). */
struct http_handler_set *http_handler_set_acquire(_Atomic(struct http_handler_set *) *current);

/** One more user of a set that the caller has acquired. */
struct http_handler_set *http_handler_set_share(struct http_handler_set *set);

/** NULL is fine. */
void http_handler_set_release(struct http_handler_set *set);

/** What a set has for a path. */
struct http_match {
    const struct handler *handler; /* NULL: none for this method */
    struct str path;               /* as logs and metrics show it: "other", if it has no handler */
    bool takes_get;                /* some handler does; HEAD too */
    bool takes_post;
};

/** Find the handler for a method and a path on listener `index`. */
struct http_match http_handler_set_find(const struct http_handler_set *set, size_t index,
                                        struct str method, struct str path);
