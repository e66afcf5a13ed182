/*
 * linger.h - the last bytes of connections that MHD has closed, when the kernel did not accept them
 * at once because the client reads slowly.
 *
 * Threads: belongs to its loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "server/http/transport.h"

struct http_linger {
    struct list rests; /* the oldest first */
    size_t count;
};

void http_linger_init(struct http_linger *linger);

/** Take over what waits, with a copy of the descriptor, until it is sent or the client takes long.
 */
void http_linger_add(struct http_linger *linger, struct http_transport *transport);

/** Send what the kernel accepts now. */
void http_linger_run(struct http_linger *linger);

/** When to call http_linger_run() again (clock_monotonic_us()); INT64_MAX: nothing waits. */
int64_t http_linger_due_us(const struct http_linger *linger);

/** Drop everything. */
void http_linger_done(struct http_linger *linger);
