/*
 * transaction.h - one transaction: begin, apply, write the counters, commit, publish.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

enum commit {
    COMMIT_DURABLE,
    COMMIT_DISK_FULL, /* nothing changed, and the store can go on */
    COMMIT_FAILED     /* it is not known what was written: the store must be opened again */
};

/**
 * Run `apply` in a transaction, make it durable together with the counters that it changed, and
 * publish them. Sets `err` unless it became durable.
 */
enum commit transaction_run(struct outbox_store *store,
                            bool (*apply)(struct outbox_store *, void *), void *arg,
                            struct error *err);

/** Commit all work of the list, finish each piece, and empty the list. False: as COMMIT_FAILED. */
NODISCARD bool transaction_commit_batch(struct outbox_store *store, struct list *list,
                                        struct error *err);

/** Do not log losses that happened before the start. */
void transaction_skip_losses(struct outbox_store *store);
