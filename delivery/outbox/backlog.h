/*
 * backlog.h - the records that one sink still has to deliver.
 *
 * A sink has a cursor into the sequence of records. Records behind the cursor are pending. The
 * cursor has passed all others: they were delivered, moved to the sink's retry rows, set aside as
 * dead, or dropped. The cursor of a strictly ordered sink stops at a record that fails.
 *
 * Records are handed out in batches, several at a time, and settled in any order. What is settled
 * behind a record that is still under way waits in memory (window.h), since the cursor cannot pass
 * that record. The committer makes results durable, so a crash may repeat a delivery but never
 * loses one. Without a store there are no cursors and rows, and dead records are dropped
 * (memory.c).
 *
 * Threads: a backlog belongs to the one thread that takes and settles; it has its own read-only
 * connection. All calls may block. Only backlog_wake() and backlog_store() may be called from any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/list.h"
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
    struct str bytes;     /* the record: compact JSON */
    struct str order_key; /* records with the same one belong together */
    uint64_t order_hash;  /* of that, never 0; 0: the backlog is not ordered by key */
    struct str route;     /* its name; ptr NULL: not known */
    struct str origin;    /* as in struct outbox_event */
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

enum backlog_order {
    BACKLOG_UNORDERED,
    BACKLOG_BY_KEY, /* no record passes an earlier one with its `order_key` that is not delivered */
    BACKLOG_STRICT, /* it stops at the first failure; one batch at a time */
};

struct backlog_options {
    const char *sink; /* copied */
    enum backlog_order order;

    /** The order key of a record, in `arena`; STR_NONE, or NULL: its idempotency key. */
    struct str (*order_key)(void *self, struct str bytes, struct arena *arena);
    void *self;
};

/**
 * The backlog of a configured sink. ERR_CONFIG: the store does not know the sink; ERR_SYSTEM: the
 * connection cannot be opened. The caller owns it.
 */
NODISCARD bool backlog_open(struct outbox *outbox, const struct backlog_options *options,
                            struct backlog **out, struct error *err);

/**
 * Give all batches back, and make durable what is settled, if the store can write. NULL is
 * allowed.
 */
void backlog_close(struct backlog *backlog);

/** The id of the store: letters and digits, random, given when the store was made. Any thread. */
const char *backlog_store(const struct backlog *backlog);

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

    /** The bytes of a record that count; NULL: the length of `bytes`. */
    size_t (*cost)(void *self, const struct backlog_record *record);
    void *self;
};

/** Records that are handed out together, until they are settled. */
struct backlog_batch {
    struct backlog_record *records; /* in sequence */
    size_t count;                   /* at least 1 */
    enum backlog_lane lane;         /* that they are from */
    bool is_full;                   /* the next record does not fit */
    struct str said; /* set before it is settled: what the target answered, kept with DEAD records;
                        ptr NULL: not known */
    /* Private: */
    struct list_link link; /* in the backlog's list of those that are not settled */
    struct arena *arena;
    size_t capacity;
    size_t cost;
    size_t key_bytes;
    size_t held_bytes; /* of memory, about */
    void *spots;       /* memory.c: where the records are */
};

/**
 * Take the next records that are ready and not under way: retries that are due, or records behind
 * the cursor. `*batch` NULL: a new batch, allocated in `arena` with its records, which must live
 * until it is settled; it stays NULL if no record is ready. Else more records of the same lane are
 * added to `*batch`, in the same arena; it is given back, and NULL, if an operator has paused the
 * sink. Of a backlog that is ordered by key, records that are under
 * way have different keys. A strictly ordered sink gets none before the time of its
 * first record's next attempt. ERR_SYSTEM: reading failed; try again later.
 */
NODISCARD bool backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds,
                            struct arena *arena, struct backlog_batch **batch, struct error *err);

/**
 * Can another batch be taken? What is under way is bounded, however much waits: at most about 32
 * MiB in several batches.
 */
bool backlog_has_room(const struct backlog *backlog);

/**
 * Settle a batch with one result for each record, in the same order; they are copied. UNTRIED
 * records can be taken again at once. For a strictly ordered sink all after the first that is
 * neither DELIVERED nor DEAD must be UNTRIED. backlog_commit() makes it durable.
 */
void backlog_settle(struct backlog *backlog, struct backlog_batch *batch,
                    const struct backlog_result *results);

/**
 * Begin to make durable what is settled, if something is and no commit is under way; a commit that
 * ends, ends a wait. `wait`: return when all is durable. ERR_UNAVAILABLE: the store cannot write
 * now, or the last commit failed; nothing is lost, call it again later.
 */
NODISCARD bool backlog_commit(struct backlog *backlog, bool wait, struct error *err);

/**
 * Wait until backlog_wake(), until a commit ends, or until `latest_us` (clock_monotonic_us()).
 * `for_records`: also until there may be records to take; returns at once if there is news since
 * the last backlog_take().
 */
void backlog_wait(struct backlog *backlog, bool for_records, int64_t latest_us);

/** End a wait, now or the next one. */
void backlog_wake(struct backlog *backlog);
