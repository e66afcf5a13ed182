/*
 * body.c - see body.h.
 */
#include "server/http/body.h"

#include "base/attr.h"
#include "server/http/connection.h"
#include "server/http/handler_set.h"
#include "server/http/loop.h"

enum {
    BODY_STEP = 4096,  /* the least that is reserved for a body, unless it is shorter */
    SHORT_BODY = 1024, /* bytes; it goes into the request's arena */
};

void http_body_release(struct http_connection *connection)
{
    struct http_exchange *ex = connection->exchange;

    buf_done(&ex->body);
    http_quota_give(&connection->loop->http->bytes, ex->reserved);
    ex->reserved = 0;
}

void http_body_expect(struct http_connection *connection, const struct http_gate *gate)
{
    const struct http *http = connection->loop->http;
    struct http_exchange *ex = connection->exchange;
    size_t max = gate->chunked ? http->options.max_body : (size_t)gate->content_length;

    if (!http_quota_has(&http->bytes, max < BODY_STEP ? max : BODY_STEP)) {
        http_exchange_refuse_for_memory(connection);
        return;
    }
    ex->max_body = max;
    buf_init_in(&ex->body, max, max <= SHORT_BODY ? arena_room(ex->request.arena, max) : NULL, max);
}

/* Reserve room for `more` bytes; at least as much again as before, so that steps grow. */
static bool reserve(struct http_connection *connection, size_t more)
{
    struct http_exchange *ex = connection->exchange;
    size_t needed = ex->body.len + more;
    size_t room = ex->reserved * 2;

    if (needed <= ex->reserved)
        return true;
    if (needed > ex->max_body) {
        http_exchange_refuse(connection, 413, NULL);
        return false;
    }
    if (room < BODY_STEP)
        room = BODY_STEP;
    if (room < needed)
        room = needed;
    if (room > ex->max_body)
        room = ex->max_body;
    if (!http_quota_take(&connection->loop->http->bytes, room - ex->reserved)) {
        http_exchange_refuse_for_memory(connection);
        return false;
    }
    ex->reserved = room;
    (void)buf_reserve(&ex->body, room - ex->body.len);
    return true;
}

void http_body_take(struct http_connection *connection, struct str piece)
{
    struct http_exchange *ex = connection->exchange;

    ex->bytes_in += piece.len;
    if (!ex->refused && ex->handler->method == HANDLER_POST && reserve(connection, piece.len))
        buf_add(&ex->body, piece);
}

/* A request that was taken out of its connection. */
struct detached {
    struct request request; /* its arena holds all of this */
    struct http *http;
    struct http_handler_set *handlers;
    struct buf body;
    size_t reserved;
};

static void drop_body(struct request *request)
{
    struct detached *detached = CONTAINER_OF(request, struct detached, request);

    buf_done(&detached->body);
    http_quota_give(&detached->http->bytes, detached->reserved);
    detached->reserved = 0;
    request->body = STR_NONE;
}

static void release_detached(struct request *request)
{
    struct http_handler_set *handlers = CONTAINER_OF(request, struct detached, request)->handlers;

    drop_body(request);
    arena_destroy(request->arena);
    http_handler_set_release(handlers); /* last: objects of the arena may use its handlers */
}

static struct str no_header(const void *connection, const char *name)
{
    (void)connection;
    (void)name;
    return STR_NONE;
}

struct request *http_body_detach(struct request *request)
{
    struct http_exchange *ex = CONTAINER_OF(request, struct http_exchange, request);
    struct http_connection *connection = ex->connection;
    struct detached *detached = arena_alloc(request->arena, sizeof(*detached));

    *detached = (struct detached){
        .request = *request,
        .http = connection->loop->http,
        .handlers = http_handler_set_share(ex->handlers),
        .body = ex->body,
        .reserved = ex->reserved,
    };
    detached->request.id = arena_copy(request->arena, request->id);
    detached->request.traceparent = arena_copy(request->arena, request->traceparent);
    detached->request.method = arena_copy(request->arena, request->method);
    detached->request.path = arena_copy(request->arena, request->path);
    detached->request.connection = NULL;
    detached->request.header = no_header;
    detached->request.detach = NULL;
    detached->request.release = release_detached;
    detached->request.drop_body = drop_body;
    ex->body = (struct buf){ 0 };
    ex->reserved = 0;
    request->body = STR_NONE;
    request->arena = arena_create();
    return &detached->request;
}
