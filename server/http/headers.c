/*
 * headers.c - see headers.h.
 */
#include "server/http/headers.h"

#include <string.h>

#include "base/tracing/tracer.h"
#include "server/http/body.h"
#include "server/http/connection.h"
#include "server/http/loop.h"
#include "server/http/mhd.h"

enum { FORWARDS_MAX = 16 };

/* The gate, and the check for bytes that MHD does not show. */
struct headers {
    struct http_gate *gate;
    struct http_mhd_head head;
};

/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's choice */
static enum MHD_Result on_header(void *self, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct headers *headers = self;
    struct str name_text = { name, name_len };
    struct str value_text = { value, value_len };

    (void)kind;
    http_gate_header(headers->gate, name_text, value_text);
    http_mhd_head_header(&headers->head, name_text, value_text);
    return MHD_YES;
}

void http_headers_read(const struct http_connection *connection, const struct http_line *line,
                       struct http_gate *gate)
{
    struct headers headers = { .gate = gate };

    http_mhd_head_begin(&headers.head, line);
    (void)MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, on_header, &headers);
    if (!http_mhd_head_is_complete(&headers.head, line, connection->mhd))
        gate->malformed = true;
}

void http_headers_read_refused(const struct http_connection *connection, struct http_gate *gate)
{
    struct headers headers = { .gate = gate };

    (void)MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, on_header, &headers);
}

static struct str find_header(const void *mhd, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    /* MHD's own parameter is not const, but a look-up changes nothing. */
    if (MHD_lookup_connection_value_n((struct MHD_Connection *)mhd, MHD_HEADER_KIND, name,
                                      strlen(name), &value, &len) != MHD_YES)
        return STR_NONE;
    /* MHD leaves white space after a value, which is not part of it (RFC 9110, 5.5). */
    return str_trim((struct str){ value ? value : "", len });
}

static struct str known_method(struct str method)
{
    static const struct str known[] = { STR_INIT("POST"), STR_INIT("GET"), STR_INIT("HEAD") };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_equal(method, known[i]))
            return known[i];
    return STR("other");
}

/* Copied: MHD reuses the memory of headers when it fails a request by itself. */
static void set_ids(struct http_connection *connection, const struct http_gate *gate)
{
    struct http_exchange *ex = connection->exchange;
    struct str id = str_trim(gate->values[HTTP_REQUEST_ID]);

    if (http_id_is_valid(id))
        memcpy(ex->id, id.ptr, id.len);
    else
        http_id_create(&connection->loop->ids, ex->id);
}

static void set_trace_id(struct http_exchange *ex, struct str id)
{
    if (!id.ptr || id.len >= sizeof(ex->trace_text))
        return;
    memcpy(ex->trace_text, id.ptr, id.len);
    ex->trace_id = (struct str){ ex->trace_text, id.len };
}

/* The request becomes a span of its sender's trace, or of a new one. */
static void begin_span(struct http_exchange *ex, struct trace_context *context)
{
    memcpy(ex->parent_span, context->span_id, sizeof(ex->parent_span));
    if (!*context->trace_id)
        trace_new_id(context->trace_id);
    trace_new_span(context->span_id);
    context->sampled = TRACE_SAMPLED_YES;
    trace_context_write(context, ex->traceparent);
    if (!ex->trace_id.ptr)
        set_trace_id(ex, str_from_c(context->trace_id));
    ex->is_traced = true;
}

/* The context that is passed on: of the request's own span, or else the sender's. */
static void set_trace(struct http_connection *connection, struct str traceparent, struct str amzn)
{
    const struct tracer *tracer = connection->loop->http->options.tracer;
    struct http_exchange *ex = connection->exchange;
    struct trace_context context = { 0 };
    bool has_sent = false;

    if (LIKELY(!traceparent.ptr && !amzn.ptr && !tracer))
        return;
    has_sent = trace_context_read(traceparent, amzn, &context);
    set_trace_id(ex, trace_id_for_log(traceparent, amzn));
    if (tracer && tracer_samples(tracer, context.sampled, http_id_random(&connection->loop->ids))) {
        begin_span(ex, &context);
    } else if (trace_text_is_whole(str_trim(traceparent))) {
        memcpy(ex->traceparent, str_trim(traceparent).ptr, TRACE_PARENT_LEN);
    } else if (has_sent) {
        if (!*context.span_id)
            trace_new_span(context.span_id);
        trace_context_write(&context, ex->traceparent);
    }
}

void http_headers_describe(struct http_connection *connection, const struct http_gate *gate,
                           const struct http_line *line)
{
    struct http_exchange *ex = connection->exchange;

    set_ids(connection, gate);
    set_trace(connection, gate->values[HTTP_TRACEPARENT], gate->values[HTTP_AMZN_TRACE_ID]);
    ex->method = known_method(line->method);
    ex->request = (struct request){
        .arena = arena_create(),
        .method = line->method,
        .path = line->path,
        .id = str_from_c(ex->id),
        .traceparent = *ex->traceparent ? str_from_c(ex->traceparent) : STR_NONE,
        .is_traced = ex->is_traced,
        .deadline_us = ex->started_us + connection->loop->http->options.deadline_us,
        .connection = connection->mhd,
        .header = find_header,
        .detach = http_body_detach,
    };
}

struct forwards {
    struct str values[FORWARDS_MAX];
    size_t count;
};

/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's choice */
static enum MHD_Result on_forward(void *self, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct forwards *forwards = self;

    (void)kind;
    if (!str_equal_ignore_case((struct str){ name, name_len }, STR("X-Forwarded-For")))
        return MHD_YES;
    if (forwards->count == FORWARDS_MAX) { /* the last ones count */
        memmove(forwards->values, forwards->values + 1,
                (FORWARDS_MAX - 1) * sizeof(forwards->values[0]));
        forwards->count--;
    }
    forwards->values[forwards->count++] = (struct str){ value ? value : "", value_len };
    return MHD_YES;
}

void http_headers_find_client(struct http_connection *connection)
{
    struct http_exchange *ex = connection->exchange;

    ex->client = connection->address;
    if (connection->proxied) {
        struct forwards forwards = { 0 };

        (void)MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, on_forward, &forwards);
        ex->client = http_networks_client(&connection->loop->http->options.trusted_proxies,
                                          forwards.values, forwards.count, connection->address);
    }
    ex->request.sender = ex->client.prefix ^ (uint64_t)ex->client.family << 32;
}
