/*
 * access_log.c - see access_log.h.
 */
#include "server/access_log.h"

#include <stdatomic.h>

#include "base/log.h"

enum { FIELD_MAX = 20 };

static atomic_bool shows_clients;

void access_log_configure(bool client_address)
{
    atomic_store(&shows_clients, client_address);
}

static struct str end_name(enum http_end end)
{
    static const struct str names[] = {
        [HTTP_ANSWERED] = { NULL, 0 }, /* the usual end has no field */
        [HTTP_LATE] = STR_INIT("late"),
        [HTTP_GONE] = STR_INIT("gone"),
    };

    return names[end];
}

/* 5xx are the operator's business, refusals are the sender's. */
static enum log_level level_of(const struct http_exchange_summary *summary)
{
    if (summary->is_quiet)
        return LOG_DEBUG;
    if (summary->status < 500)
        return LOG_INFO;
    return str_equal(summary->note->outcome, STR("internal")) ? LOG_ERROR : LOG_WARN;
}

void access_log(const struct http_exchange_summary *summary)
{
    enum log_level level = level_of(summary);
    const struct request_note *note = summary->note;
    struct log_field fields[FIELD_MAX];
    char client[HTTP_ADDRESS_TEXT];
    size_t count = 0;

    if (!log_enabled(level))
        return;
    fields[count++] = LOG_PLAIN("request_id", summary->id);
    fields[count++] = LOG_PLAIN("trace_id", log_identifier(summary->trace_id));
    fields[count++] = LOG_PLAIN("event_id", log_identifier(note->event_id));
    if (summary->client.family &&
        (atomic_load_explicit(&shows_clients, memory_order_relaxed) || log_enabled(LOG_DEBUG)))
        fields[count++] = LOG_STR("client", str_from_c(http_address_text(summary->client, client)));
    fields[count++] = LOG_PLAIN("method", summary->method);
    fields[count++] = LOG_STR("path", summary->path);
    fields[count++] = LOG_INT("status", summary->status);
    fields[count++] = LOG_PLAIN("outcome", note->outcome);
    fields[count++] = LOG_STR("route", note->route);
    fields[count++] = LOG_STR("schema", note->schema);
    fields[count++] = LOG_STR("schema_version", note->schema_version);
    fields[count++] = LOG_STR("rule", note->rule);
    fields[count++] = LOG_STR("reason", note->reason);
    if (note->events > 0) {
        fields[count++] = LOG_INT("events", note->events);
        fields[count++] = LOG_INT("refused", note->refused);
    }
    fields[count++] = LOG_INT("bytes_in", summary->bytes_in);
    fields[count++] = LOG_INT("bytes_out", summary->bytes_out);
    fields[count++] = LOG_INT("duration_us", summary->duration_us);
    fields[count++] = LOG_PLAIN("end", end_name(summary->end));
    log_write(level, "request", fields, count);
}
