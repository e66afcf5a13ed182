/*
 * s3_put.h - writes records as one object, or finds that they are in one already.
 *
 * Threads: a writer belongs to one thread at a time, except for s3_writer_interrupt().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/sinks/s3.h"
#include "delivery/sinks/s3_bucket.h"
#include "delivery/sinks/s3_object.h"

/** What all writers of a sink have in common; must outlive them. */
struct s3_put_options {
    struct sink_s3_options options;
    struct s3_bucket bucket;
    struct str layout; /* s3_object.h */
};

struct s3_writer;

/** The caller owns it. ERR_CONFIG: no region is configured, or the endpoint is not a URL. */
NODISCARD bool s3_writer_create(const struct s3_put_options *options, struct s3_writer **out,
                                struct error *err);

/** NULL is fine. */
void s3_writer_destroy(struct s3_writer *writer);

/** Free what is left of earlier results. */
void s3_writer_begin(struct s3_writer *writer);

/** Make the current request and all later ones fail at once. Any thread. */
void s3_writer_interrupt(struct s3_writer *writer);

/** The records of one prefix. */
struct s3_put {
    struct str prefix;
    struct str store; /* the store's id */
    struct s3_lines lines;
};

/** Why records are not in an object. */
struct s3_failure {
    enum sink_result result;
    const char *reason; /* NULL: none; valid until s3_writer_begin() */
    int64_t retry_after_us;
};

struct s3_put_result {
    size_t count; /* how many of the records, from the first one on, the failure is about; */
    int64_t last; /* delivered: the last sequence that is in the object */
    struct s3_failure failure; /* its result can be SINK_DELIVERED */
};

/**
 * Write the records as one object. The result is SINK_DELIVERED for at least the first record, or
 * SINK_IMPOSSIBLE for the first record or all, or why nothing was written.
 */
void s3_writer_put(struct s3_writer *writer, const struct s3_put *put,
                   struct s3_put_result *result);
