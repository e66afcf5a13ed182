/*
 * outbox_tally.h - a store's counters, changed in the transaction of the rows that they count.
 *
 * For delivery/outbox*.c alone. The committer works on a copy in memory and writes what a
 * transaction changed at its end; the copy is thrown away when the transaction fails.
 *
 * Threads: a value; see outbox_internal.h for who may touch which.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "delivery/outbox.h"
#include "delivery/outbox_db.h"

enum tally_number {
    TALLY_NEXT_SEQ, /* of the next record */
    TALLY_ACCEPTED,
    TALLY_DUPLICATES,
    TALLY_IDS_REUSED,
    TALLY_WAITING,    /* bytes of record, retry and dead rows */
    TALLY_DEAD_BYTES, /* the dead rows' share of that */
    TALLY_SEEN,       /* rows */
    TALLY_REFUSED_ROWS,
    TALLY_REFUSED_BYTES,
    TALLY_REFUSED_EVICTED,
    TALLY_COUNT,
};

struct tally_outcome {
    char name[OUTBOX_NAME_SIZE];
    int64_t count;
};

/** pending = enqueued - delivered - dead - dropped. */
struct tally_sink {
    int64_t id;
    char name[OUTBOX_NAME_SIZE];
    int64_t configured;    /* a boolean; no padding in here, so that it can be compared */
    int64_t cursor;        /* up to here every record is decided or in a retry row */
    int64_t until;         /* of a removed sink: what is behind this is none of its */
    int64_t head_attempts; /* of an ordered sink: the record behind the cursor failed so often */
    int64_t head_next_us;  /* and is not to be tried before */
    int64_t enqueued;
    int64_t delivered;
    int64_t dead;
    int64_t dropped;
};

struct tally {
    int64_t numbers[TALLY_COUNT];
    size_t outcome_count;
    struct tally_outcome outcomes[OUTBOX_OUTCOMES_MAX];
    size_t sink_count;
    struct tally_sink sinks[OUTBOX_SINKS_MAX];
};

/** Read it all. False: outbox_db_fail() tells why. */
NODISCARD bool tally_read(struct outbox_db *db, struct tally *tally);

/** Write what differs from `before`, in the transaction under way. */
NODISCARD bool tally_write(struct outbox_db *db, const struct tally *tally,
                           const struct tally *before);

/** Count one more event refused for `outcome`. */
void tally_count_outcome(struct tally *tally, const char *outcome);

/** The sink of that name, or NULL. */
struct tally_sink *tally_find_sink(struct tally *tally, const char *name);

int64_t tally_pending(const struct tally_sink *sink);

/** No sink needs a record up to and including this one. */
int64_t tally_floor(const struct tally *tally);

/** Put it into the shape for readers; what is not in the store stays as it is. */
void tally_show(const struct tally *tally, struct outbox_counters *out);
