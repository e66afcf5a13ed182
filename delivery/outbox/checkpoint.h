/*
 * checkpoint.h - moving the write-ahead log into the database.
 *
 * Where a function returns false with `err` set, the store must be opened again.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** Is the log worth a checkpoint now that nothing comes? */
bool checkpoint_is_due(const struct outbox_store *store);

NODISCARD bool checkpoint_idle(struct outbox_store *store, struct error *err);

/** After a batch: move the log if it has grown too long. */
NODISCARD bool checkpoint_after_batch(struct outbox_store *store, struct error *err);

/** When checkpoint_is_due() may be true without another batch; INT64_MAX: never. */
int64_t checkpoint_next_us(const struct outbox_store *store);
