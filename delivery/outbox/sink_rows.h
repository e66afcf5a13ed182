/*
 * sink_rows.h - the sinks that the store knows.
 *
 * Threads: the committer's, except where a comment says otherwise.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** In a transaction: make the rows agree with the options. ERR_CONFIG: too many. */
NODISCARD bool sink_rows_configure(struct outbox_store *store, const struct outbox_options *options,
                                   struct error *err);

/** outbox_add_sinks() and outbox_remove_sink(), in the caller's thread. */
NODISCARD bool sink_rows_add(struct outbox *outbox, const struct outbox_sink *sinks, size_t count,
                             struct error *err);
NODISCARD bool sink_rows_remove(struct outbox *outbox, const char *name, struct error *err);

/**
 * The cursors pass records that are not for their sinks, at most `rows` each; `*done` when there
 * are no more.
 */
NODISCARD bool sink_rows_pass(struct outbox_store *store, int64_t rows, bool *done);

/** Put at most `rows` records of removed sinks into retry rows; `*done` when there are no more. */
NODISCARD bool sink_rows_move_removed(struct outbox_store *store, int64_t rows, bool *done);
