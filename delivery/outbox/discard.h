/*
 * discard.h - give up rows that an operator has looked at: refused events, dead records.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox_internal.h"

/**
 * Give up the row `id`, on the committer's thread. `*is_gone`: it was there. False: the database
 * failed.
 */
typedef bool (*discard_row)(struct outbox_store *store, int64_t id, bool *is_gone);

struct discard {
    discard_row row;
    const int64_t *ids;
    size_t count;
    size_t gone; /* set: the number of rows that were there */
};

/** Give up all rows of `order` in one transaction, or none. */
NODISCARD bool discard_rows(struct outbox *outbox, struct discard *order, struct error *err);
