/*
 * records.h - one copy of each record, and the retry and dead rows that refer to it.
 *
 * Threads: the committer's.
 */
#pragma once

#include "delivery/outbox/store_internal.h"

/** A record that is set aside for the operator. */
struct records_death {
    int64_t seq;
    int64_t attempts;
    struct str reason;
    struct str said; /* what the target answered; ptr NULL: not known */
};

/** Delete a sink's retry row; `*gone`: there was one. */
NODISCARD bool records_delete_retry(struct outbox_store *store, struct tally_sink *sink,
                                    int64_t seq, bool *gone);

/** The sink's retry row, if there is one, becomes a dead row. */
NODISCARD bool records_bury_retry(struct outbox_store *store, struct tally_sink *sink,
                                  const struct records_death *death);

/** The sink's cursor passes all numbers up to `seq`, of which none is a record for the sink. */
void records_skip(struct tally_sink *sink, int64_t seq);

/** The sink's cursor passes `seq`, the first record behind it that is for the sink. */
void records_pass(struct tally *tally, struct tally_sink *sink, int64_t seq);

/** The first record behind the sink's cursor becomes a dead row. */
NODISCARD bool records_bury_head(struct outbox_store *store, struct tally_sink *sink,
                                 const struct records_death *death);

/** A dead row becomes a retry row that is due. */
NODISCARD bool records_revive(struct outbox_store *store, struct tally_sink *sink, int64_t id,
                              int64_t seq);

/** Delete a dead row. `sink` may be NULL: the store does not know it. */
NODISCARD bool records_delete_dead(struct outbox_store *store, struct tally_sink *sink, int64_t id,
                                   int64_t seq);

/** Delete at most `rows` records that nothing needs; `*done` when there are no more. */
NODISCARD bool records_prune(struct outbox_store *store, int64_t rows, bool *done);

/**
 * Look at up to `rows` records behind the cursor of a sink that lags, and delete those that are for
 * other sinks alone and that these have passed; `*done` when it keeps few of them.
 */
NODISCARD bool records_sweep(struct outbox_store *store, int64_t rows, bool *done);

/** Do dead records take more than `dead_max_size`? */
bool records_dead_is_full(const struct outbox_store *store);

/** Drop at most `rows` of the oldest dead records, while they take too much. */
NODISCARD bool records_prune_dead(struct outbox_store *store, int64_t rows, bool *done);
