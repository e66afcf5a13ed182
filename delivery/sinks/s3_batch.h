/*
 * s3_batch.h - a batch of records sorted into objects: one for each distinct prefix.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delivery/sinks/s3_name.h"
#include "delivery/sinks/s3_object.h"
#include "delivery/sinks/sink.h"

enum { S3_GROUPS_MAX = 100 }; /* prefixes in one batch */

/** What is known of a prefix, beside the batch. */
struct s3_covered {
    struct str prefix;
    int64_t last; /* records up to here are in objects already; INT64_MIN: none is */
    int64_t
        doubtful; /* of an object that may be there: its last record; INT64_MIN: there is none */
};

/** Records with one prefix that are not in an object yet. */
struct s3_group {
    struct str prefix;
    struct s3_lines lines;
    int64_t covered;  /* the last sequence that is in an object; INT64_MIN: none */
    int64_t doubtful; /* as in struct s3_covered */
};

struct s3_groups {
    struct s3_group list[S3_GROUPS_MAX];
    size_t count;
    size_t taken; /* records, from the first one on; the next one would need one prefix more */
};

struct s3_sorting {
    const struct sink_batch *batch;
    const struct s3_prefix *prefix;
    const struct s3_covered *covered;
    size_t covered_count;
};

/**
 * Sort the records into groups, in the batch's arena. Outcomes are set for records that are covered
 * (delivered), and for those that have no prefix (impossible).
 */
struct s3_groups *s3_batch_sort(const struct s3_sorting *sorting, struct sink_outcome *outcomes);
