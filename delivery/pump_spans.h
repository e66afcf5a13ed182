/*
 * pump_spans.h - the spans of a delivery: one for each of its records whose trace is recorded.
 *
 * The parent is the span of the request that brought the record. The store keeps it with the
 * record, so this also holds after a restart.
 *
 * Threads: a pump_spans belongs to one thread.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/tracing/tracer.h"
#include "delivery/sinks/sink.h"

struct pump_spans;

/**
 * A delivery of the records begins: those with a span pass it on as their `origin.traceparent`. In
 * the arena; NULL: no record has a span.
 */
struct pump_spans *pump_spans_begin(struct arena *arena, struct sink_record *records, size_t count);

/** It ends, with these outcomes in the order of the records. */
void pump_spans_end(const struct pump_spans *spans, struct tracer *tracer, const char *sink,
                    const struct sink_outcome *outcomes);
