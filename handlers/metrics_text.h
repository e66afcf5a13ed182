/*
 * metrics_text.h - pieces of Prometheus' text format 0.0.4; for metrics*.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** What a metric is, before its series. */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);

/** Counts by upper bound; the last bound is INT64_MAX. */
struct metrics_histogram {
    const int64_t *bounds;
    const uint64_t *counts;
    size_t count;
    uint64_t sum;
    double scale; /* so many units of bounds and sum make one of the metric's own */
};

/** Its series, after metrics_head(). */
void metrics_histogram(struct buf *out, const char *name,
                       const struct metrics_histogram *histogram);
