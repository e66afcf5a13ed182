/*
 * tally.h - a store's counters, changed in the transaction of the rows that they count.
 *
 * The committer works on a copy in memory, and writes the changes at the end of the transaction. If
 * the transaction fails, the copy is discarded.
 *
 * Threads: a value; store_internal.h says which thread owns which.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "delivery/outbox/db.h"
#include "delivery/outbox/outbox.h"
#include "delivery/outbox/recent.h"

enum tally_number {
    TALLY_NEXT_SEQ, /* of the next record */
    TALLY_ACCEPTED,
    TALLY_DUPLICATES,
    TALLY_IDS_REUSED,
    TALLY_PRUNED,       /* records up to here are deleted, unless a retry or dead row needs them */
    TALLY_HISTORY_FROM, /* records up to here are not kept as history (history.h) */
    TALLY_WAITING,      /* bytes of records that a sink waits for */
    TALLY_DEAD_BYTES,   /* bytes of records that only dead rows need */
    TALLY_HISTORY_BYTES,
    TALLY_DEAD_EVICTED, /* dead rows dropped to make room */
    TALLY_CORRECTIONS,  /* counters that differed from the rows they count */
    TALLY_SEEN,         /* rows */
    TALLY_REFUSED_ROWS,
    TALLY_REFUSED_BYTES,
    TALLY_REFUSED_EVICTED,   /* deleted: too old or too many */
    TALLY_REFUSED_CROWDED,   /* of those, not resolved and not too old */
    TALLY_REFUSED_TOO_LARGE, /* larger than the quarantine, never kept */
    TALLY_LATEST_US, /* the latest time of day at which an event was remembered, to a minute */
    TALLY_COUNT,
};

enum {
    TALLY_KINDS = 64,       /* of refused events (quarantine.c), */
    TALLY_KIND_RESOLVED = 0 /* and that of those that were accepted later */
};

struct tally_kind {
    int64_t rows;
    int64_t bytes;
};

struct tally_outcome {
    char name[OUTBOX_NAME_SIZE];
    int64_t count;
};

/** Each is counted by itself; enqueued = delivered + pending + dead + dropped is checked. */
struct tally_sink {
    int64_t id;
    char name[OUTBOX_NAME_SIZE];
    int64_t configured;    /* a boolean; no padding in here, so that it can be compared */
    int64_t cursor;        /* all records up to here are settled or in a retry row */
    int64_t until;         /* a removed sink does not get the records after this */
    int64_t head_attempts; /* of an ordered sink: failures of the record behind the cursor, */
    int64_t head_next_us;  /* which is not tried before this */
    int64_t enqueued;
    int64_t delivered;
    int64_t pending; /* behind the cursor, or in retry rows */
    int64_t dead;
    int64_t dropped;
    int64_t bit;        /* its number in the masks of records; free again when it is dropped */
    int64_t since;      /* in records up to this one, the bit is that of another, older sink */
    int64_t behind;     /* those of `pending` behind the cursor */
    int64_t paused;     /* a boolean: an operator has stopped its deliveries */
    int64_t fill;       /* the history after this, */
    int64_t fill_until; /* and up to this, is still to be put into its retry rows */
    int64_t slot;       /* its bit in outbox_event.sinks; -1: none; not stored */
    int64_t unkeyed;    /* retry rows that were made without an order key; not stored */
};

/**
 * Rows are counted again, a portion at a time: the sums of the portions so far, which follow all
 * changes of those rows (recount.c).
 */
struct tally_recount {
    bool on;
    enum { RECOUNT_RECORDS, RECOUNT_REFUSED, RECOUNT_SEEN } part;
    int64_t position; /* records up to here are counted; 0: none */
    int64_t waiting;
    int64_t dead_bytes;
    int64_t history;
    int64_t pending[OUTBOX_SINKS_MAX]; /* by index into the tally's sinks */
    int64_t behind[OUTBOX_SINKS_MAX];
    int64_t dead[OUTBOX_SINKS_MAX];
    size_t kind; /* refused events, counted next: those of kinds before this are counted, */
    int64_t refused_position; /* and those of this kind up to this row */
    struct tally_kind kinds[TALLY_KINDS];
    struct recent_event seen_position; /* remembered events, counted last, likewise */
    int64_t seen;
};

struct tally {
    int64_t numbers[TALLY_COUNT];
    size_t outcome_count;
    struct tally_outcome outcomes[OUTBOX_OUTCOMES_MAX];
    size_t sink_count;
    struct tally_sink sinks[OUTBOX_SINKS_MAX];
    struct tally_kind kinds[TALLY_KINDS];
    struct tally_recount recount; /* not stored */
};

/** Read all counters. False: db_fail() returns why. */
NODISCARD bool tally_read(struct db *db, struct tally *tally);

/** Each configured sink has the slot that the sink of its name has in `before`, if there is one. */
void tally_keep_slots(struct tally *tally, const struct tally *before);

/** The sink's bit in the masks of records. */
static inline int64_t tally_mask(const struct tally_sink *sink)
{
    return (int64_t)(UINT64_C(1) << sink->bit);
}

/** Write what differs from `before`, in the transaction under way. */
NODISCARD bool tally_write(struct db *db, const struct tally *tally, const struct tally *before);

/** Count one more event refused for `outcome`. */
void tally_count_outcome(struct tally *tally, const char *outcome);

/** The sink of that name, or NULL. */
struct tally_sink *tally_find_sink(struct tally *tally, const char *name);

/** The sink with that id, or NULL. */
struct tally_sink *tally_sink_by_id(struct tally *tally, int64_t id);

/** The sink in that slot, or NULL. */
struct tally_sink *tally_sink_by_slot(struct tally *tally, size_t slot);

/** Is there room for those of the sinks that are not known yet? Else ERR_CONFIG. */
NODISCARD bool tally_has_room(struct tally *tally, const struct outbox_sink *sinks, size_t count,
                              struct error *err);

/** Add a configured sink that starts at the next record. There must be room. */
struct tally_sink *tally_add_sink(struct tally *tally, const char *name, size_t slot);

/** Remove the sink. The indexes of those behind it change. */
void tally_forget_sink(struct tally *tally, struct tally_sink *sink);

/* Count changes of the rows that belong to record `seq`. */
void tally_add_waiting(struct tally *tally, int64_t seq, int64_t bytes);
void tally_add_dead_bytes(struct tally *tally, int64_t seq, int64_t bytes);
void tally_add_history(struct tally *tally, int64_t seq, int64_t bytes);
void tally_add_pending(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count);
void tally_add_behind(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count);
void tally_add_dead(struct tally *tally, struct tally_sink *sink, int64_t seq, int64_t count);

/** Count the refused event in row `id`; INT64_MAX: a new one. */
void tally_add_refused(struct tally *tally, int64_t id, size_t kind, struct tally_kind more);

/** Bytes that wait for sinks, with a retry row for each record and sink. */
int64_t tally_waiting(const struct tally *tally);

/** No sink's cursor needs the records up to this one. */
int64_t tally_floor(const struct tally *tally);

/** Copy to `out` what is in the store. */
void tally_show(const struct tally *tally, struct outbox_counters *out);
