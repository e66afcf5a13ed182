/*
 * batch.h - how both kinds of backlog fill a batch of records that is handed out.
 *
 * Threads: as a backlog's.
 */
#pragma once

#include "delivery/outbox/outbox_internal.h"

/** As backlog_has_room(). */
bool batch_has_room(const struct backlog *backlog);

/** Set the record's order key, and its hash if the backlog needs it. */
void batch_find_order_key(const struct backlog *backlog, struct arena *arena,
                          struct backlog_record *record);

/**
 * Would the record still fit into the batch (NULL: a new one)? If not, the batch is full. The
 * record may point to memory that is not kept.
 */
bool batch_fits(const struct backlog *backlog, const struct backlog_bounds *bounds,
                struct backlog_batch *batch, const struct backlog_record *record);

/** Add a record, to a new batch if `*batch` is NULL; what it points to must live as long. */
void batch_add(struct backlog *backlog, const struct backlog_bounds *bounds, struct arena *arena,
               struct backlog_batch **batch, const struct backlog_record *record);

/** It is settled. */
void batch_remove(struct backlog *backlog, struct backlog_batch *batch);
