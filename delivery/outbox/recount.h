/*
 * recount.h - compare the counters with the rows that they count.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** Begin to count all rows. */
void recount_begin(struct outbox_store *store);

/** Is a recount in progress? */
bool recount_is_on(const struct outbox_store *store);

/** Count at most `rows` more. After the last row, correct and log counters that differ. */
NODISCARD bool recount_some(struct outbox_store *store, int64_t rows);

/**
 * The end of a part of the records (first, last] that begins at `first` and of which either all
 * records are counted already or none.
 */
int64_t recount_range_end(const struct outbox_store *store, int64_t first, int64_t last);

/*
 * Changes of the table `seen` during a recount. Call the first two before and after rows are added,
 * the third after `rows` rows from bucket `from` to before `end` are deleted.
 */
void recount_before_seen(struct outbox_store *store);
void recount_after_seen(struct outbox_store *store);
void recount_delete_seen(struct outbox_store *store, int64_t from, const struct recent_event *end,
                         int64_t rows);
