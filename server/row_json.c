/*
 * row_json.c - see row_json.h.
 */
#include "server/row_json.h"

#include <inttypes.h>

#include "base/log.h"
#include "delivery/record_origin.h"
#include "server/output.h"

void row_refused_members(struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    output_time(out, "first", row->first_us);
    output_time(out, "last", row->last_us);
    output_text(out, "outcome", row->outcome);
    output_text(out, "cause", row->is_registry_kind ? STR("registry") : STR("event"));
    output_text(out, "event_id", log_identifier(row->event_id));
    output_text(out, "route", row->route);
    output_text(out, "registry", row->registry);
    output_text(out, "schema", row->schema);
    output_text(out, "schema_version", row->version);
    output_text(out, "rule", row->rule);
    output_text(out, "reason", row->reason);
    buf_printf(out, ",\"attempts\":%" PRId64 ",\"bytes\":%zu", row->attempts, row->body.len);
    output_time(out, "resolved", row->resolved_us);
}

void row_refused_details(struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    output_text(out, "details", row->details);
    output_json(out, "errors", row->units);
    output_bytes(out, "body", row->body);
}

void row_group_object(struct buf *out, const struct outbox_group *group)
{
    buf_printf(out, "{\"count\":%" PRId64, group->count);
    output_text(out, "route", group->route);
    output_text(out, "outcome", group->outcome);
    output_text(out, "rule", group->rule);
    output_time(out, "first", group->first_us);
    output_time(out, "last", group->last_us);
    buf_printf(out, ",\"example\":%" PRId64 "}", group->example);
}

void row_dead_members(struct buf *out, const void *dead)
{
    const struct outbox_dead *row = dead;

    output_time(out, "dead", row->dead_us);
    output_time(out, "accepted", row->accepted_us);
    output_text(out, "sink", row->sink);
    output_text(out, "reason", row->reason);
    output_text(out, "route", row->route);
    output_text(out, "registry", row->registry);
    output_text(out, "schema", row->schema);
    output_text(out, "schema_version", row->version);
    buf_printf(out, ",\"sequence\":%" PRId64 ",\"attempts\":%" PRId64 ",\"bytes\":%zu", row->seq,
               row->attempts, row->bytes.len);
}

void row_dead_details(struct buf *out, const void *dead)
{
    const struct outbox_dead *row = dead;

    output_text(out, "key", row->key);
    output_text(out, "event_id", record_origin_read(row->origin).event_id);
    output_bytes(out, "said", row->said);
    output_json(out, "record", row->bytes);
}
