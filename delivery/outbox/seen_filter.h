/*
 * seen_filter.h - says of most new events without a query that the table `seen` does not have them.
 *
 * A Bloom filter of two sets of bits. A row that is added to `seen` sets bits of the first set.
 * When this set has its number of rows, the second one is cleared and becomes the first. All rows
 * whose bucket is above `floor` are in one of the two sets. A row may stay in its set although it
 * is deleted or its transaction failed: the answer "maybe" costs a query and nothing else.
 *
 * Threads: the committer's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEEN_FILTER_ROWS = 64 * 1024 }; /* of one set */

/** A set of bits for rows of `seen`. */
struct seen_filter_set {
    uint64_t *words; /* NULL until a row is added */
    size_t rows;
    int64_t highest; /* bucket */
};

struct seen_filter {
    struct seen_filter_set sets[2]; /* [0] takes the next row */
    int64_t floor;                  /* rows with a bucket up to this may be missing here */
};

/** Empty it, also a zeroed one. `seen` has no row with a bucket above `highest`. */
void seen_filter_reset(struct seen_filter *filter, int64_t highest);

/** Zeroes are allowed. */
void seen_filter_done(struct seen_filter *filter);

/** A row is added to `seen`. */
void seen_filter_add(struct seen_filter *filter, int64_t bucket, int64_t id_hash);

/** False: `seen` has no row with this bucket and id. */
bool seen_filter_may_have(const struct seen_filter *filter, int64_t bucket, int64_t id_hash);
