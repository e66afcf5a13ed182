/*
 * pump.h - takes records from the store to one sink, until they have arrived.
 *
 * A pump has a thread of its own: it takes what is pending (delivery/outbox/backlog.h), hands it to
 * the sink (sink.h), decides what the answer means (pump_plan.h) and has that made durable. When a
 * batch is refused as a whole, smaller ones find the record that is at fault. Faults are logged
 * when they begin and when they end, not each time.
 *
 * Threads: create, start, stop and destroy belong to one thread; the rest may come from any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump_plan.h"
#include "delivery/sinks/sink.h"

struct pump;

struct pump_options {
    const char *name; /* of the sink; must outlive the pump */
    struct pump_rules rules;
    struct sink sink; /* taken over */
};

/** The caller owns it. */
struct pump *pump_create(const struct pump_options *options);

/** Start delivering. `outbox` knows of the sink and outlives the pump. */
NODISCARD bool pump_start(struct pump *pump, struct outbox *outbox, struct error *err);

/** Let the sink open its files and connections anew, and try again at once. */
void pump_reopen(struct pump *pump);

/** End as soon as nothing is ready or something fails. Does not wait. */
void pump_drain(struct pump *pump);

/**
 * Wait until a drained pump has ended, at most until `latest_us` (clock_monotonic_us()); then end
 * it where it stands. Nothing is lost by that: what is not known to have arrived comes again.
 */
void pump_stop(struct pump *pump, int64_t latest_us);

/** Stop it at once, end the sink. NULL is fine. */
void pump_destroy(struct pump *pump);

const char *pump_name(const struct pump *pump);

/** How many records had this result, each time they were tried, since the start. */
uint64_t pump_attempts(const struct pump *pump, enum sink_result result);
