/*
 * metrics.h - the counters behind GET /metrics, in Prometheus' text format 0.0.4, or as OpenMetrics
 * 1.0 when the request's Accept asks for it.
 *
 * Threads: counting and scraping from any thread; counters are atomic.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/tracing/tracer.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump.h"
#include "handlers/handler.h"
#include "handlers/health.h"
#include "handlers/slow_lane.h"
#include "handlers/status.h"
#include "schema/registry/catalog.h"

struct metrics;
struct aws_session;

/** The counters. They outlive a reload; gauges are read at each scrape. */
struct metrics_counts;

struct metrics_options {
    const char *version; /* of the program; this and the pointers below outlive the metrics */
    struct catalog *catalog;
    const struct health *health;
    struct outbox *outbox;     /* NULL: no store */
    struct pump *const *pumps; /* one for each sink */
    size_t pump_count;
    const struct tracer *tracer;                  /* NULL: none */
    struct slow_lane *lane;                       /* NULL: there is none */
    size_t (*connections)(void *self);            /* open now */
    size_t (*inflight_bytes)(void *self);         /* reserved for bodies now */
    int64_t (*certificate_expires_s)(void *self); /* since 1970; 0 or NULL: no certificate */
    void *self;
    const char *const *route_names; /* of the routes, in order; borrowed for the call only */
    size_t route_count;
    struct metrics *predecessor; /* its counts are shared; NULL: all counts start at 0 */
    /* Seconds since 1970; 0: never or not known; NULL: there are no credentials. */
    int64_t (*credential_expiry)(struct aws_session *session);
    struct aws_session *session;
};

/** The caller owns it. */
struct metrics *metrics_create(const struct metrics_options *options);

/** NULL is fine. */
void metrics_destroy(struct metrics *metrics);

/** The counts; they live until the last metrics that share them are destroyed. */
struct metrics_counts *metrics_counts(struct metrics *metrics);

/* In place of a status, for a request that got no answer. */
enum {
    METRICS_LATE = 1, /* the server closed the connection at the deadline */
    METRICS_GONE = 2, /* the sender closed the connection, or the server stopped */
};

/** Count a request that has ended. A path or method that is not known counts as "other". */
void metrics_count_request(struct metrics_counts *counts, struct str path, struct str method,
                           int status, int64_t duration_us);

/**
 * Note the trace of a request as an exemplar of its duration, if it is recorded. `traceparent` as
 * in struct request.
 */
void metrics_note_trace(struct metrics_counts *counts, int64_t duration_us, struct str traceparent);

/** Count a failed TLS handshake (`tls`) or bytes that are not an HTTP request. */
void metrics_count_failure(struct metrics_counts *counts, bool tls, struct str reason);

enum { METRICS_NO_AGE = -1 };

/** An event that was answered. */
struct metrics_event {
    size_t route_number; /* of the route, from 1; 0: none was found */
    int64_t age_us;      /* when it arrived; METRICS_NO_AGE: not known */
    enum condition condition;
    bool is_replay; /* the server posted it again: counted by itself */
};

void metrics_count_event(struct metrics *metrics, const struct metrics_event *event);

/** Count a reload of the configuration. */
void metrics_count_reload(struct metrics_counts *counts, bool succeeded);

/**
 * Add what `sluice top` shows, as one JSON object: totals of events by route and outcome, the
 * sinks, the store. It reads the counters at one moment; rates are the reader's business.
 */
void metrics_write_state(const struct metrics *metrics, struct buf *out);

/** Receives counters, all of one moment. */
struct metrics_reader {
    /** "": events for which no route was found. */
    void (*route)(void *self, const char *name, const uint64_t outcomes[CONDITION_COUNT]);
    void (*sink)(void *self, const struct outbox_sink_counters *sink);
    void *self;
};

/** Read the counters of each route and sink. */
void metrics_read(const struct metrics *metrics, const struct metrics_reader *reader);

/** GET /metrics. */
struct handler metrics_handler(struct metrics *metrics);
