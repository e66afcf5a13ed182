/*
 * quarantine.h - refused events, kept to be looked at and tried again.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

NODISCARD bool quarantine_add(struct outbox_store *store, const struct job_item *item,
                              struct outbox_result *result);

/** The event was accepted: its row, if there is one, is resolved. */
NODISCARD bool quarantine_resolve(struct outbox_store *store, const struct job_item *item);

/** Delete at most `rows` that are too old or too many; `*done` when there are no more. */
NODISCARD bool quarantine_prune(struct outbox_store *store, int64_t rows, bool *done);
