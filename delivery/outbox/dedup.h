/*
 * dedup.h - which events were accepted before.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

enum dedup { DEDUP_NEW, DEDUP_SEEN, DEDUP_ID_REUSED, DEDUP_BROKEN };

/** Was it accepted before? DEDUP_SEEN sets `*processed_us`; DEDUP_BROKEN: db_fail() returns why. */
enum dedup dedup_find(struct outbox_store *store, const struct job_item *item,
                      int64_t *processed_us);

/** Remember it. */
NODISCARD bool dedup_add(struct outbox_store *store, const struct job_item *item);

/** Move at most `rows` recent events into the table `seen`. */
NODISCARD bool dedup_move(struct outbox_store *store, size_t rows);

/** Delete at most `rows` that are too old or too many; `*done` when there are no more. */
NODISCARD bool dedup_prune(struct outbox_store *store, int64_t rows, bool *done);
