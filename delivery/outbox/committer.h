/*
 * committer.h - the thread that writes to the store, and its queue.
 *
 * There is no timer: what is queued while the committer uses the disk is the next batch, and a
 * single event is written at once (docs/decisions/011).
 *
 * Threads: start and stop as in outbox.h. Any thread may call the rest, but the committer itself
 * must not call committer_run(): it would wait for itself.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** The operations of an outbox with a store. */
NODISCARD bool committer_start(struct outbox *outbox, struct error *err);
void committer_stop(struct outbox *outbox);
NODISCARD bool committer_run(struct outbox *outbox, outbox_task *task, void *arg,
                             struct error *err);

/** Queue it if there is room and the committer runs; else ERR_UNAVAILABLE. */
NODISCARD bool committer_enqueue(struct outbox_store *store, struct work *work, struct error *err);

/** A reader found no database at the path: let the committer open the store again. */
void committer_suspect(struct outbox_store *store);
