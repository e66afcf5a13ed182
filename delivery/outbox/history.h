/*
 * history.h - delivered records that are kept, so that they can be delivered again.
 *
 * Records up to TALLY_PRUNED have been passed by all cursors. Those behind TALLY_HISTORY_FROM are
 * kept as history, for store.history and within store.history_max_size; up to there only records
 * that a retry or dead row needs are left. Bytes that nothing but the history needs are counted as
 * TALLY_HISTORY_BYTES, beside those that wait and those that are dead.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** Are records kept when no sink needs them any more? */
bool history_is_on(const struct outbox_store *store);

/** Does the history take more than history_max_size? */
bool history_is_too_large(const struct outbox_store *store);

/** Delete at most `rows` records that are too old or too many; `*done` when there are no more. */
NODISCARD bool history_prune(struct outbox_store *store, int64_t rows, bool *done);

/**
 * Give at most `rows` records to a sink that starts with the history; `*done` when there are no
 * more, or when too much waits already.
 */
NODISCARD bool history_fill(struct outbox_store *store, int64_t rows, bool *done);
