/*
 * upkeep.h - maintenance of the store, in portions too small to delay events.
 *
 * Where a function returns false with `err` set, the store must be opened again.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** A portion in the transaction of a batch of `events`. False: db_fail() returns why. */
NODISCARD bool upkeep_in_batch(struct outbox_store *store, size_t events);

/** A portion between batches. */
NODISCARD bool upkeep_idle(struct outbox_store *store, struct error *err);

/** After a batch: move the write-ahead log if it has grown too long. */
NODISCARD bool upkeep_after_batch(struct outbox_store *store, struct error *err);

/** Nothing to do before this (clock_monotonic_us()): the committer may sleep until then. */
int64_t upkeep_next_us(const struct outbox_store *store);
