/*
 * linger.c - see linger.h.
 */
#include "server/http/linger.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    RESTS_MAX = 256,              /* the oldest is dropped for another one */
    PATIENCE_US = 5 * US_PER_S,   /* with a client that does not read */
    INTERVAL_US = 10 * US_PER_MS, /* how often to try */
};

struct rest {
    struct list_link link;
    int64_t since_us;
    struct http_transport transport;
};

void http_linger_init(struct http_linger *linger)
{
    list_init(&linger->rests);
    linger->count = 0;
}

static struct rest *first(const struct http_linger *linger)
{
    const struct list_link *link = list_first(&linger->rests);

    return link ? CONTAINER_OF(link, struct rest, link) : NULL;
}

static void drop(struct http_linger *linger, struct rest *rest)
{
    list_remove(&rest->link);
    linger->count--;
    (void)close(rest->transport.fd);
    http_transport_done(&rest->transport);
    mem_free(rest);
}

void http_linger_add(struct http_linger *linger, struct http_transport *transport)
{
    int copy = fcntl(transport->fd, F_DUPFD_CLOEXEC, 0);
    struct rest *rest;

    if (copy < 0)
        return; /* no descriptor is left */
    if (linger->count == RESTS_MAX)
        drop(linger, first(linger));
    rest = mem_alloc(sizeof(*rest));
    rest->since_us = clock_monotonic_us();
    rest->transport = *transport;
    rest->transport.fd = copy;
    rest->transport.may_be_corked = true;
    *transport = (struct http_transport){ .fd = transport->fd };
    list_append(&linger->rests, &rest->link);
    linger->count++;
}

void http_linger_run(struct http_linger *linger)
{
    struct rest *rest = first(linger);

    while (rest) {
        const struct list_link *link = list_next(&linger->rests, &rest->link);
        struct rest *next = link ? CONTAINER_OF(link, struct rest, link) : NULL;

        if (http_transport_flush(&rest->transport) ||
            clock_monotonic_us() - rest->since_us > PATIENCE_US)
            drop(linger, rest);
        rest = next;
    }
}

int64_t http_linger_due_us(const struct http_linger *linger)
{
    return linger->count > 0 ? clock_monotonic_us() + INTERVAL_US : INT64_MAX;
}

void http_linger_done(struct http_linger *linger)
{
    struct rest *rest;

    while ((rest = first(linger)))
        drop(linger, rest);
}
