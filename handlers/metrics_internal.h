/*
 * metrics_internal.h - the parts of the page that GET /metrics answers; for metrics*.c alone.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump.h"

/* metrics.c */

/** Add the HELP and TYPE lines of a metric. Its series follow. */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);

/** Counts by upper bound; the last bound is INT64_MAX. */
struct metrics_histogram {
    const int64_t *bounds;
    const uint64_t *counts;
    size_t count;
    uint64_t sum;
    double scale; /* divides bounds and sum: 1e6 from microseconds to seconds */
};

/** Add the series of a histogram, after metrics_head(). */
void metrics_histogram(struct buf *out, const char *name,
                       const struct metrics_histogram *histogram);

/* metrics_store.c */

/**
 * Add the counters of the store and of its sinks. All are read at one moment, so that enqueued =
 * delivered + pending + dead + dropped holds in every scrape.
 */
void metrics_write_store(struct buf *out, struct outbox *outbox);

/** Add the number of attempts to deliver to each sink, by result. */
void metrics_write_attempts(struct buf *out, struct pump *const *pumps, size_t count);
