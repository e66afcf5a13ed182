/*
 * backlog.h - the records that one sink still has to deliver.
 *
 * A sink has a cursor into the sequence of records. Records behind the cursor are pending. The
 * cursor has passed all others: they were delivered, moved to the sink's retry rows, set aside as
 * dead, or dropped. The cursor of an ordered sink stops at a record that fails. The committer makes
 * results durable, so a crash may repeat a delivery but never loses one. Without a store there are
 * no cursors and rows, and dead records are dropped (memory.c).
 *
 * Threads: a backlog belongs to the one thread that delivers; it has its own read-only connection.
 * All calls may block. Only backlog_wake() may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/outbox/outbox.h"

struct backlog;

struct backlog_record {
    int64_t seq;         /* grows with each accepted record, never used twice */
    int64_t accepted_us; /* time of day */
    int64_t attempts;    /* failed ones, by the record's own fault */
    struct str key;      /* idempotency key: the same each time this record is delivered */
    struct str registry; /* of its schema */
    struct str schema;
    struct str version;
    struct str bytes; /* the record: compact JSON */
};

enum backlog_verdict {
    BACKLOG_DELIVERED,
    BACKLOG_FAILED,  /* by its own fault: attempts + 1, again at `next_at_us` */
    BACKLOG_DELAYED, /* not its fault (throttled, ...): attempts stay, again at `next_at_us` */
    BACKLOG_DEAD,    /* set aside for the operator; counts as an attempt */
    BACKLOG_UNTRIED, /* nothing changes for it, whether it was tried or not */
};

struct backlog_result {
    int64_t seq;
    enum backlog_verdict verdict;
    int64_t next_at_us; /* time of day, for FAILED and DELAYED */
    const char *reason; /* for people, kept with the row, for FAILED, DELAYED and DEAD */
};

/**
 * The backlog of a configured sink. `ordered`: it stops at the first failure. ERR_CONFIG: the store
 * does not know the sink; ERR_SYSTEM: the connection cannot be opened. The caller owns it.
 */
NODISCARD bool backlog_open(struct outbox *outbox, const char *sink, bool ordered,
                            struct backlog **out, struct error *err);

/** NULL is allowed. */
void backlog_close(struct backlog *backlog);

/** Where records wait. Without a store all are BACKLOG_NEW. */
enum backlog_lane {
    BACKLOG_ANY,     /* the lanes take turns; an ordered sink's retries come before all new ones */
    BACKLOG_NEW,     /* behind the cursor */
    BACKLOG_RETRIES, /* the sink's own retry rows */
    BACKLOG_LANES
};

/** What to take. 0: no bound. */
struct backlog_bounds {
    size_t records;         /* at most, at least 1, */
    size_t bytes;           /* of all records; a first one is taken even if it is longer */
    size_t retries;         /* at most, if they are retries; 0: as `records` */
    size_t key_bytes;       /* of all keys; likewise */
    int64_t longest_us;     /* no retry waits longer; if one seems to, the clock was set back */
    enum backlog_lane lane; /* take from this one */
};

/**
 * The next records to try, in sequence: retries that are due, or records behind the cursor. An
 * ordered sink gets none before the time of its first record's next attempt. The records are valid
 * until the next call. `*count` is 0 if none is due. ERR_SYSTEM: reading failed; try again later.
 */
NODISCARD bool backlog_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                            const struct backlog_record **records, size_t *count,
                            struct error *err);

/** The id of the store: letters and digits, random, given when the store was made. Any thread. */
const char *backlog_store(const struct backlog *backlog);

/** The lane of the last records. */
enum backlog_lane backlog_lane(const struct backlog *backlog);

/**
 * Make the results of the last backlog_next() durable: one for each record, in the same order.
 * All or nothing. New records that are UNTRIED must be the last ones; for an ordered sink, all
 * after the first that is neither DELIVERED nor DEAD must be UNTRIED. ERR_UNAVAILABLE: the store
 * cannot write now; call it again with the same results, or call backlog_next() and deliver again.
 */
NODISCARD bool backlog_settle(struct backlog *backlog, const struct backlog_result *results,
                              size_t count, struct error *err);

/**
 * Wait until backlog_next() may return records, until backlog_wake(), or until `latest_us`
 * (clock_monotonic_us()). Returns at once if there is news since the last backlog_next().
 */
void backlog_wait(struct backlog *backlog, int64_t latest_us);

/** End a wait, now or the next one. */
void backlog_wake(struct backlog *backlog);
