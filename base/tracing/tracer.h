/*
 * tracer.h - decides which traces are recorded, and exports their spans in the background.
 *
 * A span that is added waits in memory, in at most 1 MiB with the others; a further one is dropped
 * and counted. One thread sends them five times a second. A collector that hangs or fails costs
 * spans, and nothing else: no caller waits for it.
 *
 * Threads: create, stop and destroy belong to one thread; any thread may call the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/tracing/context.h"
#include "base/tracing/exporter.h"
#include "base/tracing/span.h"

struct tracer;

struct tracer_options {
    struct exporter_options exporter;
    double sample; /* 0 to 1: the share of traces that are recorded if their sender does not say */
};

/** Start it. The caller owns it. ERR_SYSTEM. */
NODISCARD bool tracer_create(const struct tracer_options *options, struct tracer **out,
                             struct error *err);

/** Send what waits, for at most `timeout_us`, and end the thread. NULL is fine. */
void tracer_stop(struct tracer *tracer, int64_t timeout_us);

/** Stops it at once. NULL is fine. */
void tracer_destroy(struct tracer *tracer);

/** Is a trace recorded, of which the sender says `sent`? `random`: any number. */
bool tracer_samples(const struct tracer *tracer, enum trace_sampled sent, uint64_t random);

/** Export the span; it is copied. */
void tracer_add(struct tracer *tracer, const struct span *span);

struct tracer_counts {
    uint64_t exported;
    uint64_t dropped;
};

/** Spans since the start. */
struct tracer_counts tracer_counts(const struct tracer *tracer);
