/*
 * row_json.h - rows of a store as JSON, for the command line and the admin API.
 *
 * Members and groups have no value of an event; details have all of it. The caller writes the
 * object's braces. The rows are passed as void, as struct row_kind (cli/rows.h) has them.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"
#include "delivery/outbox/view.h"

/** Of a struct outbox_refused: what listings show. */
void row_refused_members(struct buf *out, const void *refused);

/** And the rest: the reason in full, the error units, the event's bytes. */
void row_refused_details(struct buf *out, const void *refused);

/** A whole object. */
void row_group_object(struct buf *out, const struct outbox_group *group);

/** Of a struct outbox_dead: what listings show. */
void row_dead_members(struct buf *out, const void *dead);

/** And the rest: the key, what the target answered, the record. */
void row_dead_details(struct buf *out, const void *dead);
