/*
 * deadlines.c - see deadlines.h.
 */
#include "server/http/deadlines.h"

#include "base/clock.h"
#include "server/http/connection.h"
#include "server/http/loop.h"
#include "server/http/request.h"
#include "server/http/watch.h"

static int64_t limit_us(const struct http *http, enum http_queue queue)
{
    switch (queue) {
    case HTTP_QUEUE_REQUEST:
    case HTTP_QUEUE_HANDLER:
        return http->options.deadline_us;
    case HTTP_QUEUE_SENDING:
        return http->options.idle_timeout_us;
    case HTTP_QUEUE_SETTLING:
        return HTTP_SETTLED_US;
    default:
        return atomic_load_explicit(&http->idle_limit_us, memory_order_relaxed);
    }
}

/*
 * MHD misses the end of a stream that came together with the request before it. Few connections
 * stay idle for long, so checking those that do costs little.
 */
static void settle(struct http_connection *connection, int64_t now_us)
{
    int64_t since_us = connection->since_us;
    bool received = connection->used
                        ? http_watch_has_received(connection->fd, now_us - since_us)
                        : http_watch_has_received_more(connection->fd, connection->header_len);

    if (http_watch_is_ended(connection->fd)) {
        http_connection_cut(connection);
    } else if (received) {
        http_connection_enter(connection, HTTP_READING, since_us);
    } else {
        http_connection_enter(connection, HTTP_IDLE, since_us);
        http_connection_watch(connection);
    }
}

static void expire(struct http_connection *connection, enum http_queue queue, int64_t now_us)
{
    if (queue == HTTP_QUEUE_SETTLING)
        settle(connection, now_us);
    else if (queue == HTTP_QUEUE_HANDLER)
        http_request_resume(connection, HANDLER_EXPIRED);
    else
        http_connection_cut(connection);
}

/* When the first connection of a queue is due; INT64_MAX: there is none. */
static int64_t due_us(const struct http_loop *loop, enum http_queue queue)
{
    const struct http_connection *first = http_connections_first(&loop->connections, queue);

    return first ? first->since_us + limit_us(loop->http, queue) : INT64_MAX;
}

/* An expired connection moves to a later queue, so one pass sees all of them. */
int64_t http_deadlines_expire(const struct http_loop *loop)
{
    int64_t now_us = clock_monotonic_us();
    int64_t next_us = INT64_MAX;

    for (enum http_queue queue = 0; queue < HTTP_QUEUE_CLOSING; queue++) {
        int64_t first_us;

        while ((first_us = due_us(loop, queue)) <= now_us)
            expire(http_connections_first(&loop->connections, queue), queue, now_us);
        next_us = first_us < next_us ? first_us : next_us;
    }
    return next_us;
}

/* A byte on an idle connection begins a request: its deadline counts from now. */
void http_deadlines_on_bytes(struct http_connection *connection)
{
    if (connection->state == HTTP_TLS_SUSPENDED) {
        http_connection_enter(connection, HTTP_READING, 0);
        http_connection_resume(connection);
    } else if (connection->state == HTTP_IDLE) { /* else MHD was faster */
        if (http_watch_is_ended(connection->fd))
            http_connection_cut(connection);
        else
            http_connection_enter(connection, HTTP_READING, clock_monotonic_us());
    }
}
