/*
 * pump.h - delivers records from the outbox to one sink, until they have arrived.
 *
 * A pump has its own thread. It takes pending records (delivery/outbox/backlog.h), passes them to
 * the sink (delivery/sinks/sink.h), decides what the answer means (pump_lane.h: what is at fault;
 * pump_plan.h: what becomes of each record) and makes that durable. If a batch is refused as a
 * whole, smaller batches find the record at fault.
 *
 * Threads: create, start, stop and destroy belong to one thread; any thread may call the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/tracing/exemplars.h"
#include "base/tracing/tracer.h"
#include "delivery/outbox/outbox.h"
#include "delivery/pump_fault.h"
#include "delivery/pump_plan.h"
#include "delivery/sinks/sink.h"

struct pump;

enum { PUMP_DELAY_BUCKETS = 16 };

/** How long delivered records took from their acceptance on, since the start. */
struct pump_delays {
    uint64_t counts[PUMP_DELAY_BUCKETS]; /* by upper bound */
    uint64_t sum_us;
};

/** Upper bounds in microseconds; the last is INT64_MAX. */
extern const int64_t pump_delay_bounds_us[PUMP_DELAY_BUCKETS];

struct pump_options {
    const char *name; /* of the sink; must outlive the pump */
    const char *key;  /* JSON Pointer to the record's order key; "" or NULL: its idempotency key */
    struct pump_rules rules;
    struct sink sink;      /* owned by the pump from now on */
    struct tracer *tracer; /* takes the spans of deliveries; must outlive the pump; NULL: none */
};

/** The caller owns it. */
struct pump *pump_create(const struct pump_options *options);

/** Start delivering. `outbox` knows the sink and outlives the pump. */
NODISCARD bool pump_start(struct pump *pump, struct outbox *outbox, struct error *err);

/** Let the sink open its files and connections again, and try again at once. */
void pump_reopen(struct pump *pump);

/** End the thread as soon as no record is ready or a batch fails. Does not wait. */
void pump_drain(struct pump *pump);

/**
 * End the thread as soon as the deliveries under way have ended and their outcomes are stored. Does
 * not wait.
 */
void pump_halt(struct pump *pump);

/** As pump_halt(), and interrupt the deliveries under way. A file system can hold them even then.
 */
void pump_interrupt(struct pump *pump);

/** Has the thread ended, or was it never started? */
bool pump_has_ended(struct pump *pump);

/**
 * Wait until a drained pump has ended, at most until `latest_us` (clock_monotonic_us()); then
 * interrupt it. No record is lost: those not known to have arrived are delivered again.
 */
void pump_stop(struct pump *pump, int64_t latest_us);

/** pump_stop() at once, and destroy the sink; its numbers stay. It cannot be started again. */
void pump_end(struct pump *pump);

/** End it, and free it. NULL is allowed. */
void pump_destroy(struct pump *pump);

const char *pump_name(const struct pump *pump);

/** How many times records had this result since the start. */
uint64_t pump_attempts(const struct pump *pump, enum sink_result result);

void pump_delays(const struct pump *pump, struct pump_delays *out);

/** For each of these bounds a recent record whose trace is recorded. */
void pump_exemplars(struct pump *pump, struct exemplar out[static EXEMPLARS_MAX]);

/** How many deliveries are under way. */
size_t pump_in_flight(const struct pump *pump);

/** Did the last delivery fail since the sink is misconfigured? */
bool pump_is_misconfigured(const struct pump *pump);

/** Nothing is delivered before this time of day; 0: the pump does not wait. */
int64_t pump_waits_until_us(const struct pump *pump);

/** The last error of the sink or of a record. */
void pump_last_error(const struct pump *pump, struct pump_error *out);
