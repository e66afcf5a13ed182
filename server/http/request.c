/*
 * request.c - see request.h.
 *
 * A refusal waits for the end of the body, which is read and dropped, so that the connection stays
 * usable and the sender is sure to see the answer. A refusal is sent at once, and ends the
 * connection, when the framing is in doubt, when the sender asked first (Expect), and when the body
 * is too long to be read for nothing. The deadline bounds the rest.
 *
 * A request with a complete head that MHD refuses by itself is answered here without MHD. All
 * others that it refuses (with a page of HTML) reach http_request_end() only, and not even that
 * when the request line was not understood.
 */
#include "server/http/request.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/admit.h"
#include "server/http/answer.h"
#include "server/http/body.h"
#include "server/http/connection.h"
#include "server/http/gate.h"
#include "server/http/handler_set.h"
#include "server/http/headers.h"
#include "server/http/loop.h"
#include "server/http/mhd.h"

enum { DROP_MAX = 4 * 1024 * 1024 }; /* a refused body that is longer ends the connection */

/* The head. */

void *http_request_begin(void *self, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *connection = info->socket_context;
    struct http_exchange *ex = http_exchanges_take(&connection->loop->exchanges, connection);
    int64_t now_us = clock_monotonic_us();

    (void)self;
    assert(!connection->exchange); /* MHD begins no request before the end of the last one */
    connection->exchange = ex;
    connection->loop->progressed = true;
    connection->loop->now_us = now_us;
    connection->used = true;
    http_connection_enter(connection, HTTP_HEAD, now_us);
    ex->started_us = connection->since_us;
    ex->method = STR("other");
    ex->path = STR("other");
    if (target) {
        ex->target_len = strlen(target);
        ex->target_is_valid = http_gate_is_target((struct str){ target, ex->target_len });
        ex->query_first = http_mhd_cut_query(target);
    }
    return connection;
}

/*
 * The query of the raw target. It still lies in MHD's buffer behind the path, with NUL instead of
 * the `?` and of its first character.
 */
static struct str query_of(const struct http_exchange *ex, struct str target)
{
    size_t start = target.len + 1;

    if (!ex->query_first || ex->target_len <= start)
        return STR_NONE;
    return arena_printf(ex->request.arena, "%c%.*s", ex->query_first,
                        (int)(ex->target_len - start - 1), target.ptr + start + 1);
}

/* A refusal that does not wait for the body. */
static bool ends_at_once(const struct http_exchange *ex, const struct http_gate *gate)
{
    bool body_follows = gate->chunked || gate->content_length > 0;

    return ex->closes ||
           (body_follows && (gate->values[HTTP_EXPECT].ptr || gate->content_length > DROP_MAX));
}

/*
 * MHD is also lenient with the lines between chunks and with trailers, and does not show them. So
 * the bytes after a chunked body are not read as another request: the answer ends the connection.
 */
static enum MHD_Result on_headers(struct http_connection *connection, struct http_line *line)
{
    struct http *http = connection->loop->http;
    struct http_exchange *ex = connection->exchange;
    struct http_gate gate = { 0 };
    int status = 400;

    http_connection_enter(connection, HTTP_BODY, 0);
    ex->handlers = http_handler_set_acquire(&http->handlers);
    http_headers_read(connection, line, &gate);

    struct str target = line->path;

    line->path = http_gate_path(target);
    http_headers_describe(connection, &gate, line);
    http_headers_find_client(connection);

    struct http_match match =
        http_handler_set_find(ex->handlers, connection->endpoint->index, line->method, line->path);

    ex->path = match.path;
    if (match.handler && match.handler->takes_query)
        ex->request.query = query_of(ex, target);
    if (ex->target_is_valid)
        status = http_gate_judge(&gate, line, http->options.max_head);
    if (status) {
        ex->closes = true;
        http_exchange_refuse(connection, status, NULL);
    } else {
        http_admit(connection, &gate, &match);
    }
    if (ex->refused && ends_at_once(ex, &gate))
        return http_answer_queue(connection);
    ex->closes = gate.chunked;
    return MHD_YES;
}

/* Has MHD read the whole head, and not answered it yet? */
static bool is_judged_by_mhd(const struct http_connection *connection)
{
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return connection->state == HTTP_HEAD && head && head->header_size > 0 &&
           !MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
}

bool http_request_refuse(struct http_connection *connection, int status)
{
    static const struct http_line unknown = { 0 };
    struct http_gate gate = { 0 };

    if (!is_judged_by_mhd(connection))
        return false;
    http_headers_read_refused(connection, &gate);
    http_headers_describe(connection, &gate, &unknown);

    int verdict = http_gate_judge_headers(&gate);

    http_exchange_refuse(connection, verdict ? verdict : status, NULL);
    http_answer_send(connection);
    return true;
}

/* The handler. */

static enum handler_step begin_handler(struct http_exchange *ex)
{
    return ex->handler->handle(ex->handler->self, &ex->request, &ex->response);
}

static enum MHD_Result suspend(struct http_connection *connection)
{
    http_connection_enter(connection, HTTP_SUSPENDING, connection->since_us);
    connection->loop->now_us = clock_monotonic_us();
    return MHD_YES;
}

/* The body is complete. When this run of MHD has taken long, other connections are served first. */
static enum MHD_Result handle(struct http_connection *connection)
{
    struct http_exchange *ex = connection->exchange;
    bool can_wait = ex->handler->resume != NULL;

    ex->request.body = buf_str(&ex->body);
    if (can_wait)
        ex->request.waker = http_loop_waker(connection);
    if (can_wait && !http_loop_has_time(connection->loop, ex->request.body.len)) {
        ex->postponed = true;
        waker_wake(ex->request.waker);
        return suspend(connection);
    }
    if (begin_handler(ex) == HANDLER_WAIT)
        return suspend(connection);
    return http_answer_queue(connection);
}

static enum handler_step resume_handler(struct http_connection *connection,
                                        enum resume_reason reason)
{
    struct http_exchange *ex = connection->exchange;

    if (!ex->postponed)
        return ex->handler->resume(ex->handler->self, &ex->request, &ex->response, reason);
    ex->postponed = false;
    if (reason == HANDLER_WOKEN)
        return begin_handler(ex);
    response_refuse(&ex->response, ex->request.arena, 503, "deadline");
    ex->response.retry_after_seconds = HTTP_RETRY_AFTER_SECONDS;
    return HANDLER_DONE;
}

/* In CLOSING, http_request_step() makes MHD close the connection. */
void http_request_resume(struct http_connection *connection, enum resume_reason reason)
{
    if (resume_handler(connection, reason) == HANDLER_WAIT) {
        connection->loop->now_us = clock_monotonic_us();
        if (reason == HANDLER_WOKEN)
            return;
        LOG_EVENT(LOG_ERROR, "handler_waits_beyond_its_deadline",
                  LOG_STR("path", connection->exchange->path));
        http_connection_enter(connection, HTTP_CLOSING, connection->loop->now_us);
    } else if (http_answer_queue(connection) != MHD_YES) {
        http_connection_enter(connection, HTTP_CLOSING, connection->loop->now_us);
    }
    http_connection_resume(connection);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's choice */
enum MHD_Result http_request_step(void *self, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct http_connection *connection = *state;

    (void)self;
    (void)mhd;
    connection->loop->progressed = true;
    switch (connection->state) {
    case HTTP_CLOSING:
        return MHD_NO;
    case HTTP_HEAD: {
        struct http_line line = { str_from_c(method), str_from_c(path), str_from_c(version),
                                  connection->exchange->target_len };

        return on_headers(connection, &line);
    }
    case HTTP_SUSPENDING: /* MHD calls again when it got no answer */
        return MHD_YES;
    default:
        break;
    }
    if (*len > 0) {
        http_body_take(connection, (struct str){ data, *len });
        *len = 0;
        return MHD_YES;
    }
    return connection->exchange->refused ? http_answer_queue(connection) : handle(connection);
}

/* The end. MHD counts its own refusals as errors, and sees an error after an answer without it. */
static enum http_end end_of(const struct http_connection *connection, int status,
                            enum MHD_RequestTerminationCode code)
{
    if (connection->state == HTTP_CLOSING)
        return HTTP_LATE;

    bool sent = connection->state != HTTP_SENDING || code == MHD_REQUEST_TERMINATED_COMPLETED_OK;

    return status && sent ? HTTP_ANSWERED : HTTP_GONE;
}

/* The status that was answered, by us or by MHD; 0: none was. */
static int answered_status(const struct http_connection *connection)
{
    const struct http_exchange *ex = connection->exchange;

    if (ex->answered_us)
        return ex->response.status;

    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);

    return info ? (int)info->http_status : 0;
}

void http_request_end(void *self, struct MHD_Connection *mhd, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct http_connection *connection = *state;
    struct http_loop *loop = connection->loop;
    struct http_exchange *ex = connection->exchange;
    int status = answered_status(connection);
    int64_t now_us = clock_monotonic_us();

    (void)self;
    (void)mhd;
    *state = NULL;
    connection->proved |= connection->state == HTTP_SENDING && ex->admitted;
    if (status || ex->handlers)
        http_exchange_report_end(connection, status, end_of(connection, status, code), now_us);
    if (ex->bytes_in >= HTTP_HEAVY_BODY)
        http_trim_note_heavy(&loop->trim);
    http_exchange_release(connection);
    atomic_fetch_sub_explicit(&loop->http->unread, ex->unread, memory_order_relaxed);
    http_loop_forget_waker(connection);
    arena_destroy(ex->request.arena);
    http_handler_set_release(ex->handlers); /* last: objects of the arena may use its handlers */
    http_exchanges_give(&loop->exchanges, ex);
    connection->exchange = NULL;
    http_connection_enter(connection, HTTP_SETTLING, now_us);
}
