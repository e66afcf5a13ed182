/*
 * evict.c - see evict.h.
 */
#include "server/http/evict.h"

#include "base/clock.h"
#include "server/http/connection.h"
#include "server/http/deadlines.h"
#include "server/http/loop.h"

enum {
    CANDIDATES = 64,            /* of each queue: the oldest ones */
    PROVED_GRACE_US = US_PER_S, /* a connection that was let in and answered is safe so long, */
    READING_US = US_PER_S,      /* and one that was not has so long to read its answer */
};

void http_evict_unread(struct http_loop *loop)
{
    struct http *http = loop->http;
    struct http_connection *next = http_connections_first(&loop->connections, HTTP_QUEUE_SENDING);

    while (next && atomic_load_explicit(&http->unread, memory_order_relaxed) >
                       http->options.max_inflight_bytes) {
        struct http_connection *connection = next;
        struct http_exchange *ex = connection->exchange;

        next = http_connection_next(connection);
        if (!ex->unread)
            continue;
        atomic_fetch_sub_explicit(&http->unread, ex->unread, memory_order_relaxed);
        ex->unread = 0;
        http_connection_cut(connection);
    }
}

struct victim {
    struct http_connection *connection; /* NULL: none found yet */
    int64_t weight;
    int64_t age_us;
};

static void consider(struct http_connection *connection, int64_t now_us, struct victim *victim)
{
    size_t count = http_addresses_count(connection->loop->http->addresses, connection->address);
    int64_t age_us = now_us - connection->since_us;
    int64_t weight = (age_us + 1) * (int64_t)(count ? count : 1);
    bool is_in = connection->proved || (connection->exchange && connection->exchange->admitted);
    bool spared = connection->state == HTTP_SENDING
                      ? is_in || age_us < READING_US
                      : connection->proved && age_us < PROVED_GRACE_US;

    if (!spared && weight > victim->weight)
        *victim = (struct victim){ connection, weight, age_us };
}

void http_evict_for_newcomer(struct http_loop *loop)
{
    static const enum http_queue queues[] = { HTTP_QUEUE_REQUEST, HTTP_QUEUE_IDLE,
                                              HTTP_QUEUE_SETTLING, HTTP_QUEUE_SENDING };
    struct victim victim = { 0 };

    if (LIKELY(!atomic_load_explicit(&loop->http->room_wanted, memory_order_relaxed)))
        return;

    if (http_arrivals_evict(loop, HTTP_SETTLED_US)) {
        atomic_store(&loop->http->room_wanted, false);
        return;
    }

    int64_t now_us = clock_monotonic_us();

    for (size_t i = 0; i < COUNT_OF(queues); i++) {
        struct http_connection *each = http_connections_first(&loop->connections, queues[i]);

        for (size_t k = 0; each && k < CANDIDATES; k++, each = http_connection_next(each))
            consider(each, now_us, &victim);
    }
    /* A new connection must have time to send its request. */
    if (victim.age_us >= HTTP_SETTLED_US && atomic_exchange(&loop->http->room_wanted, false))
        http_connection_cut(victim.connection);
}
