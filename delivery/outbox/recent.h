/*
 * recent.h - the events remembered last, in memory, before they are moved into the table `seen`.
 *
 * The rows of `seen` are in random order, so each insert there would write a page to the log.
 * Therefore rows are first appended to a small table, those of a transaction as one blob, and found
 * by a hash table in memory. They are moved sorted, thousands together, a portion with each batch
 * (docs/decisions/012).
 *
 * Threads: the committer's. After a transaction that failed, call recent_load().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "delivery/outbox/db.h"
#include "delivery/outbox/seen_filter.h"

enum { RECENT_IDENTITY_SIZE = 16 };

/** A row of `seen`. */
struct recent_event {
    int64_t bucket;
    int64_t id_hash;
    uint8_t identity[RECENT_IDENTITY_SIZE];
    int64_t processed_us;
};

/** Events, found by bucket and id; the last one of each id also by the id alone. */
struct recent_part {
    struct recent_event *events;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 into events, 0: free; twice the capacity */
    uint32_t *ids;   /* the same */
};

struct recent {
    size_t portion; /* so many are moved together */
    struct recent_part filling;
    struct recent_part moving; /* sorted */
    size_t moved;              /* those of `moving` that are in `seen` */
    size_t written;            /* those of `filling` that are in the small table */
    int64_t next_row;          /* in the small table */
    int64_t last_moving_row;   /* stored with `moved`, so that a restart continues there */
    int64_t merged;            /* rows that were in `seen` already, since the last recent_load() */
    struct recent_event mark;  /* position of the recount in `seen` (recount.c) */
    struct seen_filter filter; /* of the rows moved last */
    int64_t below_mark;        /* rows that were added to `seen` at or below `mark` */
};

/** Empty; `max_rows`: the most events that the store may remember. */
void recent_init(struct recent *recent, int64_t max_rows);

/** Zeroes are allowed. */
void recent_done(struct recent *recent);

/** Read the small table. False: db_fail() returns why. */
NODISCARD bool recent_load(struct recent *recent, struct db *db);

enum recent_found {
    RECENT_NONE,      /* no other event with that id is known here */
    RECENT_ELSEWHERE, /* others with that id, not in that bucket */
    RECENT_OTHER,     /* others with that id; `processed_us` is the first one's */
    RECENT_SAME,      /* this event; `processed_us` is set */
};

/** Look for the event with the bucket, id and identity of `wanted`. */
enum recent_found recent_find(const struct recent *recent, const struct recent_event *wanted,
                              int64_t *processed_us);

/** Add an event that is not there. */
void recent_add(struct recent *recent, const struct recent_event *event);

/** Write what was added into the small table. Call it before the transaction ends. */
NODISCARD bool recent_flush(struct recent *recent, struct db *db);

/**
 * Without a database: among the last events, is this the first content with its id, or the same
 * content again? A first one is remembered. Buckets are ignored.
 */
bool recent_is_first(struct recent *recent, const struct recent_event *event);

/** Must `seen` be searched for this event, too? False: it has none with that bucket and id. */
bool recent_may_be_moved(const struct recent *recent, const struct recent_event *wanted);

/** Rows not in `seen` yet. */
size_t recent_count(const struct recent *recent);

/** Their order in `seen`, as for qsort(). */
int recent_compare(const void *a, const void *b);

/** Move at most `rows` into `seen`, once there are enough for a portion. */
NODISCARD bool recent_move(struct recent *recent, struct db *db, size_t rows);
