/*
 * answer.c - see answer.h.
 */
#include "server/http/answer.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "server/http/body.h"
#include "server/http/connection.h"
#include "server/http/loop.h"

enum { LONG_ANSWER = 16 * 1024 }; /* bytes; a shorter one takes less than its connection does */

static bool add_header(struct MHD_Response *reply, const char *name, const char *value)
{
    return !value || MHD_add_response_header(reply, name, value) == MHD_YES;
}

static bool add_list(struct MHD_Response *reply, const char *const *headers)
{
    bool ok = true;

    for (size_t i = 0; ok && headers && headers[i]; i += 2)
        ok = add_header(reply, headers[i], headers[i + 1]);
    return ok;
}

static bool add_headers(struct MHD_Response *reply, const struct http_exchange *ex, bool closes)
{
    const struct response *response = &ex->response;
    const char *type = response->content_type;
    const char *retry_after = NULL;

    if (response->retry_after_seconds)
        retry_after = arena_printf(ex->request.arena, "%u", response->retry_after_seconds).ptr;
    return add_header(reply, "Content-Type", type ? type : "application/json") &&
           add_header(reply, "X-Request-Id", ex->id) && add_header(reply, "Allow", ex->allow) &&
           add_header(reply, "WWW-Authenticate", response->www_authenticate) &&
           add_header(reply, "Retry-After", retry_after) &&
           add_header(reply, "Sluice-Duplicate", response->duplicate ? "true" : NULL) &&
           add_list(reply, response->headers) &&
           add_header(reply, "Connection", closes ? "close" : NULL);
}

static struct str *note_text(struct request_note *note, size_t index)
{
    struct str *const texts[] = { &note->event_id, &note->outcome,        &note->route,
                                  &note->schema,   &note->schema_version, &note->rule,
                                  &note->reason };

    return index < COUNT_OF(texts) ? texts[index] : NULL;
}

/*
 * The body has been used, and the answer may take long to leave: of a request that took much memory
 * only the answer and its note are kept.
 */
static void shrink(struct http_connection *connection)
{
    struct http_exchange *ex = connection->exchange;
    struct arena *arena = ex->request.arena;
    struct str *text;

    http_body_release(connection);
    if (ex->bytes_in < HTTP_HEAVY_BODY)
        return;
    ex->request.arena = arena_create();
    for (size_t i = 0; (text = note_text(&ex->response.note, i)); i++)
        if (text->ptr)
            *text = arena_copy(ex->request.arena, *text);
    ex->response.body = arena_copy(ex->request.arena, ex->response.body);
    arena_destroy(arena);
    http_trim_note_heavy(&connection->loop->trim);
}

/* The answer is with MHD, or sent. Long answers that are not read yet are counted, see evict.h. */
static void note_answer(struct http_connection *connection, enum http_state state)
{
    struct http_exchange *ex = connection->exchange;
    int64_t now_us = clock_monotonic_us();

    ex->answered_us = now_us;
    connection->loop->now_us = now_us;
    http_exchange_report_answering(connection, now_us);
    if (ex->response.body.len >= LONG_ANSWER) {
        ex->unread = ex->response.body.len;
        atomic_fetch_add_explicit(&connection->loop->http->unread, ex->unread,
                                  memory_order_relaxed);
    }
    http_connection_enter(connection, state, now_us);
}

/* The body is not copied: it lives in the arena, which ends after MHD is done with it. */
enum MHD_Result http_answer_queue(struct http_connection *connection)
{
    const struct http *http = connection->loop->http;
    const struct http_exchange *ex = connection->exchange;

    shrink(connection);

    struct str body = ex->response.body;
    bool closes = ex->closes || atomic_load_explicit(&http->draining, memory_order_relaxed);
    struct MHD_Response *reply = MHD_create_response_from_buffer(
        body.len, body.len ? (void *)body.ptr : NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_NO;

    if (!reply)
        return MHD_NO;
    if (add_headers(reply, ex, closes))
        queued = MHD_queue_response(connection->mhd, (unsigned)ex->response.status, reply);
    MHD_destroy_response(reply);
    if (queued == MHD_YES)
        note_answer(connection, HTTP_SENDING);
    return queued;
}

static struct str answer_text(const struct http_exchange *ex)
{
    const struct response *response = &ex->response;
    struct timespec now;
    struct tm parts;
    char date[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return arena_printf(ex->request.arena,
                        "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nX-Request-Id: %s\r\n"
                        "Content-Length: %zu\r\n\r\n%.*s",
                        response->status, response_reason(response->status), date, ex->id,
                        response->body.len, STR_ARG(response->body));
}

void http_answer_send(struct http_connection *connection)
{
    struct str text = answer_text(connection->exchange);
    const union MHD_ConnectionInfo *tls =
        connection->endpoint->tls
            ? MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)
            : NULL;

    if (tls)
        http_tls_say(tls->tls_session, text);
    else
        (void)send(connection->fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(connection->fd, SHUT_WR);
    note_answer(connection, HTTP_SENT);
}
