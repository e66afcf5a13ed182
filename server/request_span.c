/*
 * request_span.c - see request_span.h.
 */
#include "server/request_span.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

enum { ATTRIBUTES_MAX = 20, NAME_SIZE = 64, STATUS_SIZE = 16 };

struct attributes {
    struct span_attribute list[ATTRIBUTES_MAX];
    size_t count;
};

/* An attribute without a text is left out. */
static void add_text(struct attributes *to, const char *key, struct str text)
{
    if (text.len > 0)
        to->list[to->count++] = (struct span_attribute){ .key = key, .text = text };
}

static void add_number(struct attributes *to, const char *key, int64_t number)
{
    to->list[to->count++] = (struct span_attribute){ .key = key, .number = number };
}

static void add_note(struct attributes *to, const struct request_note *note)
{
    add_text(to, "sluice.outcome", note->outcome);
    add_text(to, "sluice.event_id", log_identifier(note->event_id));
    add_text(to, "sluice.route", note->route);
    add_text(to, "sluice.schema", note->schema);
    add_text(to, "sluice.schema_version", note->schema_version);
    add_text(to, "sluice.rule", note->rule);
    add_text(to, "sluice.reason", note->reason);
    if (note->events == 0)
        return;
    add_number(to, "sluice.events", (int64_t)note->events);
    add_number(to, "sluice.refused", (int64_t)note->refused);
}

/* A server's span has failed by a 5xx, or without an answer; a 4xx is the sender's failure. */
static bool has_failed(const struct http_exchange_summary *summary)
{
    return summary->status >= 500 || summary->status == 0;
}

static struct str error_type(const struct http_exchange_summary *summary,
                             char text[static STATUS_SIZE])
{
    if (summary->status < 400 && summary->status != 0)
        return STR_NONE;
    if (summary->status == 0)
        return summary->end == HTTP_LATE ? STR("late") : STR("gone");
    (void)snprintf(text, STATUS_SIZE, "%d", summary->status);
    return str_from_c(text);
}

/* The summary says `other` of methods and paths that are not served. */
static bool is_served(struct str text)
{
    return !str_equal(text, STR("other"));
}

/* OpenTelemetry's conventions for HTTP servers. */
static void add_http(struct attributes *to, const struct http_exchange_summary *summary,
                     const char *scheme)
{
    add_text(to, "http.request.method",
             is_served(summary->method) ? summary->method : STR("_OTHER"));
    add_text(to, "url.scheme", str_from_c(scheme));
    if (is_served(summary->path)) {
        add_text(to, "url.path", summary->path);
        add_text(to, "http.route", summary->path);
    }
    if (summary->status)
        add_number(to, "http.response.status_code", summary->status);
    add_number(to, "http.request.body.size", (int64_t)summary->bytes_in);
}

/* The method and the route. */
static struct str span_name(const struct http_exchange_summary *summary,
                            char text[static NAME_SIZE])
{
    struct str method = is_served(summary->method) ? summary->method : STR("HTTP");

    if (!is_served(summary->path))
        return method;
    (void)snprintf(text, NAME_SIZE, "%.*s %.*s", STR_ARG(method), STR_ARG(summary->path));
    return str_from_c(text);
}

void request_span_add(struct tracer *tracer, const struct http_exchange_summary *summary,
                      const char *scheme)
{
    struct attributes attributes = { .count = 0 };
    struct span span = { .kind = SPAN_SERVER, .parent = summary->parent_span };
    char name[NAME_SIZE];
    char status[STATUS_SIZE];

    if (!summary->is_traced || summary->is_quiet ||
        !trace_context_read(summary->traceparent, STR_NONE, &span.context))
        return;
    add_http(&attributes, summary, scheme);
    add_text(&attributes, "error.type", error_type(summary, status));
    add_text(&attributes, "sluice.request_id", summary->id);
    add_note(&attributes, summary->note);
    span.name = span_name(summary, name);
    span.ended_us = clock_now_us();
    span.started_us = span.ended_us - summary->duration_us;
    span.has_failed = has_failed(summary);
    span.attributes = attributes.list;
    span.attribute_count = attributes.count;
    tracer_add(tracer, &span);
}
