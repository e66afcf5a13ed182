/*
 * exchange.c - see exchange.h.
 */
#include "server/http/exchange.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/memory.h"
#include "server/http/body.h"
#include "server/http/connection.h"
#include "server/http/gate.h"
#include "server/http/loop.h"

struct http_exchange *http_exchanges_take(struct http_exchanges *exchanges,
                                          struct http_connection *connection)
{
    struct http_exchange *ex =
        exchanges->count ? exchanges->spare[--exchanges->count] : mem_alloc(sizeof(*ex));

    *ex = (struct http_exchange){ .connection = connection };
    return ex;
}

void http_exchanges_give(struct http_exchanges *exchanges, struct http_exchange *exchange)
{
    if (exchanges->count == HTTP_SPARE_EXCHANGES || IS_ADDRESS_SANITIZED)
        mem_free(exchange);
    else
        exchanges->spare[exchanges->count++] = exchange;
}

void http_exchanges_done(struct http_exchanges *exchanges)
{
    while (exchanges->count)
        mem_free(exchanges->spare[--exchanges->count]);
}

void http_exchange_release(struct http_connection *connection)
{
    struct http *http = connection->loop->http;
    struct http_exchange *ex = connection->exchange;

    http_body_release(connection);
    if (ex->in_flight)
        http_quota_give(&http->in_flight, 1);
    ex->in_flight = false;
    if (ex->counts_client)
        http_addresses_leave(http->addresses, ex->client);
    ex->counts_client = false;
}

/* For the log: what a status without details means here. */
static struct str reason_of(int status)
{
    static const struct {
        int status;
        struct str reason;
    } reasons[] = {
        { 400, STR_INIT("framing") },
        { 404, STR_INIT("no such path") },
        { 405, STR_INIT("method") },
        { 408, STR_INIT("incomplete") },
        { 411, STR_INIT("no Content-Length") },
        { 413, STR_INIT("body over http.max_body") },
        { 414, STR_INIT("target too long") },
        { 415, STR_INIT("content type or encoding") },
        { 431, STR_INIT("head over http.max_head, or too many headers") },
        { 501, STR_INIT("method or transfer coding") },
    };

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return STR_NONE;
}

void http_exchange_refuse(struct http_connection *connection, int status, const char *limit)
{
    struct http_exchange *ex = connection->exchange;

    http_exchange_release(connection);
    ex->refused = true;
    response_refuse(&ex->response, ex->request.arena, status,
                    status == 415 ? HTTP_TAKEN_BODIES : limit);
    ex->response.note.reason = limit ? str_from_c(limit) : reason_of(status);
    if (limit)
        ex->response.retry_after_seconds = HTTP_RETRY_AFTER_SECONDS;
}

void http_exchange_refuse_for_memory(struct http_connection *connection)
{
    atomic_store_explicit(&connection->loop->http->memory_lacked_us, clock_monotonic_us(),
                          memory_order_relaxed);
    http_exchange_refuse(connection, 503, "memory for bodies");
}

static struct http_exchange_summary summarize(const struct http_exchange *ex, int status,
                                              int64_t now_us)
{
    bool has_body = ex->answered_us && !str_equal(ex->method, STR("HEAD"));

    return (struct http_exchange_summary){
        .method = ex->method,
        .path = ex->path,
        .id = ex->id[0] ? str_from_c(ex->id) : STR_NONE,
        .trace_id = ex->trace_id,
        .traceparent = *ex->traceparent ? str_from_c(ex->traceparent) : STR_NONE,
        .parent_span = str_from_c(ex->parent_span),
        .is_traced = ex->is_traced,
        .client = ex->client,
        .status = status,
        .bytes_in = ex->bytes_in,
        .bytes_out = has_body ? ex->response.body.len : 0,
        .duration_us = (ex->answered_us ? ex->answered_us : now_us) - ex->started_us,
        .is_quiet = ex->handler && ex->handler->is_quiet,
        .note = &ex->response.note,
    };
}

/* Once for each request: a client that has read an answer finds it counted. */
static void report_answering(const struct http_options *options, struct http_exchange *ex,
                             const struct http_exchange_summary *summary)
{
    if (!ex->reported && options->answering)
        options->answering(options->self, summary);
    ex->reported = true;
}

void http_exchange_report_answering(struct http_connection *connection, int64_t now_us)
{
    struct http_exchange *ex = connection->exchange;
    const struct http_exchange_summary summary = summarize(ex, ex->response.status, now_us);

    report_answering(&connection->loop->http->options, ex, &summary);
}

void http_exchange_report_end(struct http_connection *connection, int status, enum http_end end,
                              int64_t now_us)
{
    const struct http_options *options = &connection->loop->http->options;
    struct http_exchange_summary summary = summarize(connection->exchange, status, now_us);

    summary.end = end;
    report_answering(options, connection->exchange, &summary);
    if (options->answered)
        options->answered(options->self, &summary);
}
