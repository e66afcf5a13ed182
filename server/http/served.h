/*
 * served.h - what is served on each listener; exchanged whole while requests run.
 *
 * A request keeps to what was served when its headers came, until it is over; so what stands behind
 * the handlers may go once http_served_is_idle().
 *
 * Threads: created and destroyed by main's; taken and given back by any loop thread. A
 * request counts itself under base/epoch.h, so that whoever has exchanged the pointer and waited
 * sees every request that still got the old one.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "handlers/handler.h"
#include "server/http/http.h"

/* Something that is served: a handler and its path's length. */
struct http_route {
    struct str path;
    struct handler handler;
};

struct http_routes {
    struct http_route *list;
    size_t count;
};

struct http_served {
    atomic_size_t in_use; /* requests that keep to it */
    size_t site_count;
    struct http_routes sites[]; /* in the order of the listeners */
};

/** The handlers of these listeners, copied. The caller owns it. */
struct http_served *http_served_create(const struct http_handlers *lists, size_t count);

/** What `*current` points to, until http_served_give(). */
struct http_served *http_served_take(_Atomic(struct http_served *) *current);

/** Count a further holder of what the caller holds. */
struct http_served *http_served_share(struct http_served *served);

/** NULL is fine. */
void http_served_give(struct http_served *served);
