/*
 * connection.c - see connection.h.
 */
#include "server/http/connection.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/memory.h"
#include "server/http/failure.h"
#include "server/http/loop.h"
#include "server/http/watch.h"

static const enum http_queue queue_of[] = {
    [HTTP_SETTLING] = HTTP_QUEUE_SETTLING,     [HTTP_IDLE] = HTTP_QUEUE_IDLE,
    [HTTP_READING] = HTTP_QUEUE_REQUEST,       [HTTP_TLS_WANT_READ] = HTTP_QUEUE_REQUEST,
    [HTTP_TLS_SUSPENDED] = HTTP_QUEUE_REQUEST, [HTTP_HEAD] = HTTP_QUEUE_REQUEST,
    [HTTP_BODY] = HTTP_QUEUE_REQUEST,          [HTTP_SUSPENDING] = HTTP_QUEUE_HANDLER,
    [HTTP_SUSPENDED] = HTTP_QUEUE_HANDLER,     [HTTP_SENDING] = HTTP_QUEUE_SENDING,
    [HTTP_SENT] = HTTP_QUEUE_SENDING,          [HTTP_CLOSING] = HTTP_QUEUE_CLOSING,
};

void http_connections_init(struct http_connections *connections)
{
    for (size_t i = 0; i < HTTP_QUEUE_COUNT; i++)
        list_init(&connections->queues[i]);
    list_init(&connections->suspending);
    list_init(&connections->unsent);
}

struct http_connection *http_connection_next(const struct http_connection *connection)
{
    const struct list *queue = &connection->loop->connections.queues[queue_of[connection->state]];
    const struct list_link *link = list_next(queue, &connection->queued);

    return link ? CONTAINER_OF(link, struct http_connection, queued) : NULL;
}

/* Nearly all connections wait from now on, so the place is at the end. */
static void enqueue(struct http_connection *connection, enum http_queue queue, int64_t since_us)
{
    struct list_link *ends = &connection->loop->connections.queues[queue].ends;
    struct list_link *place = ends->previous;

    while (place != ends &&
           CONTAINER_OF(place, struct http_connection, queued)->since_us > since_us)
        place = place->previous;
    connection->since_us = since_us;
    list_insert_after(place, &connection->queued);
}

static bool is_to_be_suspended(enum http_state state)
{
    return state == HTTP_TLS_WANT_READ || state == HTTP_SUSPENDING;
}

void http_connection_enter(struct http_connection *connection, enum http_state state,
                           int64_t since_us)
{
    enum http_state before = connection->state;

    if (before == HTTP_CLOSING)
        return;
    connection->state = state;
    if (is_to_be_suspended(before))
        list_remove(&connection->suspending);
    if (is_to_be_suspended(state))
        list_append(&connection->loop->connections.suspending, &connection->suspending);
    if (queue_of[state] == queue_of[before] && state != HTTP_SETTLING)
        return;
    list_remove(&connection->queued);
    enqueue(connection, queue_of[state], since_us);
}

void http_connection_resume(struct http_connection *connection)
{
    connection->loop->resumed = true;
    MHD_resume_connection(connection->mhd);
}

void http_connection_cut(struct http_connection *connection)
{
    bool suspended = connection->state == HTTP_TLS_SUSPENDED || connection->state == HTTP_SUSPENDED;

    http_connection_enter(connection, HTTP_CLOSING, clock_monotonic_us());
    (void)shutdown(connection->fd, SHUT_RDWR);
    if (suspended)
        http_connection_resume(connection);
}

void http_connection_watch(struct http_connection *connection)
{
    http_watch_add(&connection->loop->watch, connection->fd, connection, connection->watched);
    connection->watched = true;
}

void http_connections_suspend(struct http_connections *connections)
{
    struct list_link *link;

    while ((link = list_first(&connections->suspending))) {
        struct http_connection *connection = CONTAINER_OF(link, struct http_connection, suspending);
        bool handshake = connection->state == HTTP_TLS_WANT_READ;

        MHD_suspend_connection(connection->mhd);
        http_connection_enter(connection, handshake ? HTTP_TLS_SUSPENDED : HTTP_SUSPENDED, 0);
        if (handshake)
            http_connection_watch(connection);
    }
}

static void forget_unsent(struct http_connection *connection)
{
    if (connection->is_unsent)
        list_remove(&connection->unsent);
    connection->is_unsent = false;
}

/* What the kernel does not accept waits for a later turn; MHD's epoll reports when it does. */
void http_connections_flush(struct http_connections *connections)
{
    struct list_link *link = list_first(&connections->unsent);

    while (link) {
        struct http_connection *connection = CONTAINER_OF(link, struct http_connection, unsent);

        link = list_next(&connections->unsent, link);
        if (http_tls_flush(&connection->tls))
            forget_unsent(connection);
    }
}

void http_connections_abandon(struct http_connections *connections)
{
    struct http_connection *connection;

    while ((connection = http_connections_first(connections, HTTP_QUEUE_HANDLER)))
        http_connection_cut(connection);
    connection = http_connections_first(connections, HTTP_QUEUE_REQUEST);
    for (; connection; connection = http_connection_next(connection))
        if (connection->state == HTTP_TLS_SUSPENDED) {
            http_connection_enter(connection, HTTP_READING, 0);
            http_connection_resume(connection);
        }
}

/* TLS. */

static void on_tls_want_read(struct http_tls_session *session)
{
    struct http_connection *connection = CONTAINER_OF(session, struct http_connection, tls);

    http_connection_enter(connection, HTTP_TLS_WANT_READ, clock_monotonic_us());
}

static void on_tls_unsent(struct http_tls_session *session)
{
    struct http_connection *connection = CONTAINER_OF(session, struct http_connection, tls);

    if (!connection->is_unsent)
        list_append(&connection->loop->connections.unsent, &connection->unsent);
    connection->is_unsent = true;
}

/* The client's part of the handshake is complete; what it sends from now on is a request. */
static void on_tls_finished(struct http_tls_session *session)
{
    struct http_connection *connection = CONTAINER_OF(session, struct http_connection, tls);

    connection->used = true;
    http_connection_enter(connection, HTTP_SETTLING, clock_monotonic_us());
}

static void begin_tls(struct http_connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    connection->tls.transport.fd = connection->fd;
    connection->tls.unsent = on_tls_unsent;
    connection->tls.want_read = on_tls_want_read;
    connection->tls.finished = on_tls_finished;
    if (info)
        http_tls_begin(connection->endpoint->tls, info->tls_session, &connection->tls,
                       connection->loop->http->options.deadline_us);
}

/* Start and end. */

struct http_connection *http_connection_start(struct http_loop *loop, struct MHD_Connection *mhd)
{
    struct http_connection *connection = mem_alloc(sizeof(*connection));

    connection->loop = loop;
    connection->mhd = mhd;
    connection->endpoint = loop->adding->endpoint;
    connection->address = loop->adding->address;
    connection->proxied = loop->adding->proxied;
    connection->header_len = loop->adding->header_len;
    connection->fd = loop->adding->fd;
    loop->adding = NULL;
    enqueue(connection, HTTP_QUEUE_SETTLING, clock_monotonic_us());
    if (connection->endpoint->tls)
        begin_tls(connection);
    return connection;
}

void http_connection_end(struct http_connection *connection)
{
    assert(!connection->exchange); /* MHD ends each request that it began */
    http_failure_report(connection);
    list_remove(&connection->queued);
    if (is_to_be_suspended(connection->state))
        list_remove(&connection->suspending);
    if (connection->watched)
        http_watch_drop(&connection->loop->watch, connection->fd);
    forget_unsent(connection);
    connection->tls.transport.may_be_corked = false; /* close() pushes what is there */
    if (!http_tls_flush(&connection->tls))
        http_linger_add(&connection->loop->linger, &connection->tls.transport);
    http_tls_end(&connection->tls);
    http_loop_count_out(connection->loop, connection->proxied ? NULL : &connection->address);
    mem_free(connection);
}
