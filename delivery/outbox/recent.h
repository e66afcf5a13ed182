/*
 * recent.h - the events remembered last, in memory, on their way into the table `seen`.
 *
 * Where a row of `seen` goes is chance, so that each would cost the log a page. So rows are first
 * appended to a small table, found by a hash table in memory, and go over sorted, thousands at a
 * time, in portions that ride with the batches (docs/decisions/012).
 *
 * For delivery/outbox*.c alone. Threads: the committer's. After a transaction that failed what is
 * in memory is wrong: recent_load() puts it right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "delivery/outbox/db.h"

enum { RECENT_IDENTITY_SIZE = 16 };

/** A row of `seen`. */
struct recent_event {
    int64_t bucket;
    int64_t id_hash;
    uint8_t identity[RECENT_IDENTITY_SIZE];
    int64_t processed_us;
};

/** Some of them, found by bucket and id, and the last one of each id by that alone. */
struct recent_part {
    struct recent_event *events;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 into events, 0: free; twice the capacity */
    uint32_t *ids;   /* the same */
};

struct recent {
    size_t portion; /* so many go over together */
    struct recent_part filling;
    struct recent_part moving; /* sorted */
    size_t moved;              /* of `moving`, that are in `seen` by now */
    int64_t next_row;          /* in the small table */
    int64_t last_moving_row;   /* with `moved` it is stored, so that a restart goes on there */
    int64_t merged;            /* rows that were in `seen` already, since the last recent_load() */
    struct recent_event mark;  /* rows that came to lie in `seen` up to here */
    int64_t below_mark;        /* are counted */
};

/** Nothing yet; `max_rows` is what all of the store may remember. */
void recent_init(struct recent *recent, int64_t max_rows);

/** Fine for zeroes. */
void recent_done(struct recent *recent);

/** Read what is in the small table. False: db_fail() tells why. */
NODISCARD bool recent_load(struct recent *recent, struct db *db);

enum recent_found {
    RECENT_NONE,      /* no other event of that id that is known here */
    RECENT_ELSEWHERE, /* others of that id, not in that bucket */
    RECENT_OTHER,     /* others of that id; `processed_us` is the first one's */
    RECENT_SAME,      /* this very one; `processed_us` is set */
};

/** Look for the event that `wanted` has bucket, id and identity of. */
enum recent_found recent_find(const struct recent *recent, const struct recent_event *wanted,
                              int64_t *processed_us);

/** Add one that is not there. */
NODISCARD bool recent_add(struct recent *recent, struct db *db, const struct recent_event *event);

/**
 * Without a database: is that the first content that came with its id, as far as the last events
 * tell? It is remembered then. Buckets do not matter.
 */
bool recent_is_first(struct recent *recent, const struct recent_event *event);

/** Rows not in `seen` yet. */
size_t recent_count(const struct recent *recent);

/** Their order in `seen`, as for qsort(). */
int recent_compare(const void *a, const void *b);

/** Take at most `rows` over into `seen`, when there are enough to begin with. */
NODISCARD bool recent_move(struct recent *recent, struct db *db, size_t rows);
