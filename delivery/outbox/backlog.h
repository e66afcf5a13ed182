/*
 * backlog.h - what one sink still has to deliver.
 *
 * A sink has a cursor into the sequence of records: what lies behind the cursor is pending, what
 * lies before it was delivered, moved to the sink's own retry rows, set aside as dead, or dropped.
 * An ordered sink has no retry rows: its cursor stops at a record that fails. Results are made
 * durable by the committer, so that a crash repeats a delivery and never loses one. Without a store
 * there is neither cursor nor row, and the dead are dropped (memory.c).
 *
 * Threads: a backlog belongs to the one thread that delivers; it has its own read-only connection.
 * All calls may block. backlog_wake() alone may be called from any thread.
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
    int64_t seq;         /* grows with each accepted record, never comes twice */
    int64_t accepted_us; /* time of day */
    int64_t attempts;    /* that failed before, by the record's own fault */
    struct str key;      /* idempotency key: the same each time this record is delivered */
    struct str registry; /* of the schema that it was checked with */
    struct str schema;
    struct str version;
    struct str bytes; /* the record: compact JSON */
};

enum backlog_verdict {
    BACKLOG_DELIVERED,
    BACKLOG_FAILED,  /* by its own fault: attempts + 1, again at `next_at_us` */
    BACKLOG_DELAYED, /* not its fault (throttled, ...): attempts stay, again at `next_at_us` */
    BACKLOG_DEAD,    /* set aside for the operator; counts as an attempt */
    BACKLOG_UNTRIED, /* stays where it is */
};

struct backlog_result {
    int64_t seq;
    enum backlog_verdict verdict;
    int64_t next_at_us; /* time of day, for FAILED and DELAYED */
    const char *reason; /* for people, kept with the row, for FAILED, DELAYED and DEAD */
};

/**
 * The backlog of a configured sink. `ordered`: the first failure stops it. ERR_CONFIG: the store
 * was not told of this sink; ERR_SYSTEM: the connection cannot be opened. The caller owns it.
 */
NODISCARD bool backlog_open(struct outbox *outbox, const char *sink, bool ordered,
                            struct backlog **out, struct error *err);

/** NULL is fine. */
void backlog_close(struct backlog *backlog);

/** Where records wait. Without a store all are BACKLOG_NEW. */
enum backlog_lane {
    BACKLOG_ANY,     /* the lanes take turns; an ordered sink's retries come before all new ones */
    BACKLOG_NEW,     /* behind the cursor */
    BACKLOG_RETRIES, /* the sink's own retry rows */
    BACKLOG_LANES
};

/** What to take. Zeroes set no bound. */
struct backlog_bounds {
    size_t records;     /* at most so many, at least 1, */
    size_t bytes;       /* of together at most so many; but always one where there is one */
    size_t retries;     /* at most so many where they are retries; 0: as `records` */
    size_t key_bytes;   /* of all keys together; but always one where there is one */
    int64_t longest_us; /* no time to wait is longer: where it seems to be, the clock has moved */
    enum backlog_lane lane; /* to take from */
};

/**
 * The next records to try, in sequence: retries that are due, or else what is behind the cursor. Of
 * an ordered sink, nothing before the time of its head's next attempt. They and their bytes last
 * until the next call. `*count` is 0 when nothing is due. ERR_SYSTEM: reading failed; try again
 * later.
 */
NODISCARD bool backlog_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                            const struct backlog_record **records, size_t *count,
                            struct error *err);

/** The lane of the last records. */
enum backlog_lane backlog_lane(const struct backlog *backlog);

/**
 * Make the results of the last backlog_next() durable: one for each record, in the same order.
 * All or nothing. Records behind the cursor that are UNTRIED must be the last ones; of an ordered
 * sink, all behind the first that is neither DELIVERED nor DEAD must be UNTRIED. ERR_UNAVAILABLE:
 * the store cannot now; call it again with the same results, or after another backlog_next()
 * deliver again.
 */
NODISCARD bool backlog_settle(struct backlog *backlog, const struct backlog_result *results,
                              size_t count, struct error *err);

/**
 * Wait until backlog_next() may have something, until backlog_wake(), or until `latest_us`
 * (clock_monotonic_us()). Returns at once when there was news since the last call.
 */
void backlog_wait(struct backlog *backlog, int64_t latest_us);

/** End a wait, now or the next one. */
void backlog_wake(struct backlog *backlog);
