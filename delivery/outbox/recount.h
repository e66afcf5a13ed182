/*
 * recount.h - compare the counters with the rows that they count.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** Begin to count all rows. */
void recount_begin(struct outbox_store *store);

/** Has it begun and not ended? */
bool recount_is_on(const struct outbox_store *store);

/** Count at most `rows` more; at the end, correct and log counters that differ. */
NODISCARD bool recount_some(struct outbox_store *store, int64_t rows);

/** Shorten the range (first, last] of records so that all of it is counted, or none. */
int64_t recount_range_end(const struct outbox_store *store, int64_t first, int64_t last);

/* Changes in `seen` during a recount: call these before and after rows are added there, and after
 * `rows` rows were deleted from bucket `from` on and before `end`. */
void recount_before_seen(struct outbox_store *store);
void recount_after_seen(struct outbox_store *store);
void recount_delete_seen(struct outbox_store *store, int64_t from, const struct recent_event *end,
                         int64_t rows);
