/*
 * capacity.h - whether the store has room, by max_size and on the volume.
 *
 * Threads: the committer's; capacity_batch_bytes() too.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** Would `more` bytes of a record be too many? */
bool capacity_is_full(const struct outbox_store *store, size_t more);

/**
 * Is there room for `more` bytes of a refused event? It may use half of the reserve on the volume,
 * or free pages.
 */
bool capacity_can_keep(const struct outbox_store *store, size_t more);

/** Is the disk so full that the history must make room? */
bool capacity_needs_room(const struct outbox_store *store);

/** The most bytes of events in one transaction. */
size_t capacity_batch_bytes(const struct outbox_store *store);

/** Will the database's file grow by much when the log is moved? Then the log must be moved now. */
bool capacity_has_grown(const struct outbox_store *store);

/** A log longer than this is moved in any case. */
int64_t capacity_longest_log(const struct outbox_store *store);

/** Look at the volume; decide and publish whether events are accepted. */
void capacity_update(struct outbox_store *store);

/** A write did not fit on the disk. True: the ballast was removed, so it may fit now. */
bool capacity_disk_full(struct outbox_store *store);

/** Make the ballast unless it is there. False: there is no room for it. */
bool capacity_make_ballast(struct outbox_store *store);

/** The store is full: try whether it still is. False: the store must be opened again. */
NODISCARD bool capacity_retry(struct outbox_store *store, struct error *err);
