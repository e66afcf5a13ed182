/*
 * row_json.c - see row_json.h.
 */
#include "server/row_json.h"

#include "base/log.h"
#include "base/member.h"
#include "delivery/record_origin.h"

void row_refused_members(struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    member_time(out, "first", row->first_us);
    member_time(out, "last", row->last_us);
    member_text(out, "outcome", row->outcome);
    member_text(out, "cause", row->is_registry_kind ? STR("registry") : STR("event"));
    member_text(out, "event_id", log_identifier(row->event_id));
    member_text(out, "route", row->route);
    member_text(out, "registry", row->registry);
    member_text(out, "schema", row->schema);
    member_text(out, "schema_version", row->version);
    member_text(out, "rule", row->rule);
    member_text(out, "reason", row->reason);
    member_int(out, "attempts", row->attempts);
    member_int(out, "bytes", (int64_t)row->body.len);
    member_time(out, "resolved", row->resolved_us);
}

void row_refused_details(struct buf *out, const void *refused)
{
    const struct outbox_refused *row = refused;

    member_text(out, "details", row->details);
    member_json(out, "errors", row->units);
    member_bytes(out, "body", row->body);
}

void row_group_object(struct buf *out, const struct outbox_group *group)
{
    buf_add_char(out, '{');
    member_int(out, "count", group->count);
    member_text(out, "route", group->route);
    member_text(out, "outcome", group->outcome);
    member_text(out, "rule", group->rule);
    member_time(out, "first", group->first_us);
    member_time(out, "last", group->last_us);
    member_int(out, "example", group->example);
    buf_add_char(out, '}');
}

void row_dead_members(struct buf *out, const void *dead)
{
    const struct outbox_dead *row = dead;

    member_time(out, "dead", row->dead_us);
    member_time(out, "accepted", row->accepted_us);
    member_text(out, "sink", row->sink);
    member_text(out, "reason", row->reason);
    member_text(out, "route", row->route);
    member_text(out, "registry", row->registry);
    member_text(out, "schema", row->schema);
    member_text(out, "schema_version", row->version);
    member_int(out, "sequence", row->seq);
    member_int(out, "attempts", row->attempts);
    member_int(out, "bytes", (int64_t)row->bytes.len);
}

void row_dead_details(struct buf *out, const void *dead)
{
    const struct outbox_dead *row = dead;

    member_text(out, "key", row->key);
    member_text(out, "event_id", record_origin_read(row->origin).event_id);
    member_bytes(out, "said", row->said);
    member_json(out, "record", row->bytes);
}
