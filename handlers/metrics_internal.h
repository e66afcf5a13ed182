/*
 * metrics_internal.h - the parts of the page that GET /metrics answers; for metrics*.c alone.
 *
 * Threads: any.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/tracing/exemplars.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump.h"
#include "handlers/metrics.h"
#include "handlers/status.h"

typedef _Atomic uint64_t counter;

static inline void metrics_add(counter *value, uint64_t more)
{
    atomic_fetch_add_explicit(value, more, memory_order_relaxed);
}

static inline uint64_t metrics_get(const counter *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* metrics_page.c: the two text formats. */

struct metrics_page {
    struct buf *out;
    bool is_open; /* OpenMetrics 1.0, else Prometheus' format 0.0.4 */
};

/** Does the value of an Accept header (ptr NULL: none) prefer OpenMetrics to plain text? */
bool metrics_wants_open(struct str accept);

/** Add the HELP and TYPE lines of a metric. Its series follow. */
void metrics_head(struct metrics_page *page, const char *name, const char *type, const char *help);

/** Counts by upper bound; the last bound is INT64_MAX. */
struct metrics_histogram {
    const int64_t *bounds;
    const uint64_t *counts;
    size_t count;
    uint64_t sum;
    double scale;                     /* divides bounds and sum: 1e6 from microseconds to seconds */
    const struct exemplar *exemplars; /* one for each bound; NULL: none. In OpenMetrics only */
};

/** Add the series of a histogram, after metrics_head(). `labels`: "" or `route="a"`. */
void metrics_histogram(struct metrics_page *page, const char *name, const char *labels,
                       const struct metrics_histogram *histogram);

/* metrics_events.c: events by route and outcome, and their ages. */

struct metrics_events;

/** The counters of one route. */
struct metrics_route;

struct metrics_events *metrics_events_create(void);
void metrics_events_destroy(struct metrics_events *events);

/**
 * The counters of the route of that name; "": of no route. They are made if need be, and stay. From
 * one thread at a time.
 */
struct metrics_route *metrics_events_route(struct metrics_events *events, struct str name);

/** `age_us` as in struct metrics_event. */
void metrics_events_count(struct metrics_route *route, enum condition condition, int64_t age_us);

void metrics_events_count_replay(struct metrics_events *events, enum condition condition);

void metrics_write_events(struct metrics_page *page, struct metrics_events *events);

/**
 * Add `,"routes":[{"name":...,"outcomes":{"valid":1,...}},...]`; outcomes that did not occur are
 * left out.
 */
void metrics_events_state(struct buf *out, struct metrics_events *events);

/** metrics_read() for the routes. */
void metrics_events_read(struct metrics_events *events, const struct metrics_reader *reader);

/* metrics_store.c */

/**
 * Add the counters of the store and of its sinks. All are read at one moment, so that enqueued =
 * delivered + pending + dead + dropped holds in every scrape.
 */
void metrics_write_store(struct metrics_page *page, struct outbox *outbox);

/** Add the members `store` and `sinks` for metrics_write_state(). */
void metrics_store_state(struct buf *out, struct outbox *outbox, struct pump *const *pumps,
                         size_t count);

/** metrics_read() for the sinks. */
void metrics_store_read(struct outbox *outbox, const struct metrics_reader *reader);

/** Add the number of attempts to deliver to each sink, by result, and what deliveries took. */
void metrics_write_attempts(struct metrics_page *page, struct pump *const *pumps, size_t count);
