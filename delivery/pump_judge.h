/*
 * pump_judge.h - what a delivered call means for its records and for the sink, and settles it.
 *
 * pump_lane.h decides what is at fault, pump_plan.h what becomes of each record. While a record at
 * fault is searched, or while the sink fails as a whole, calls go out alone: one at a time.
 *
 * Threads: everything belongs to the pump's thread. The atomic members, the exemplars and the fault
 * are read by other threads.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tracing/exemplars.h"
#include "delivery/outbox/backlog.h"
#include "delivery/pump.h"
#include "delivery/pump_fault.h"
#include "delivery/pump_lane.h"
#include "delivery/pump_log.h"
#include "delivery/pump_plan.h"
#include "delivery/pump_workers.h"

struct pump_judge {
    const struct pump_rules *rules;
    const struct sink *sink;
    struct backlog *backlog;
    struct pump_workers *workers;
    struct backlog_bounds bounds; /* for probes: all but the counts and the lane */
    struct pump_lane lanes[BACKLOG_LANES];
    struct pump_signs signs;
    struct pump_log log;
    uint64_t new_failed; /* calls with new records that failed by the sink's fault */
    struct pump_fault *fault;
    uint64_t retry_arrived;    /* signs.arrived when retries last failed as if the sink did, */
    uint64_t retry_new_failed; /* `new_failed` then, */
    int64_t retry_failures;    /* and how many times in a row that was */
    uint64_t random;
    uint64_t generation; /* grows with each failure of the sink, and with each split */
    bool is_failing;     /* the last call failed by the sink's fault */
    _Atomic uint64_t attempts[SINK_RESULT_COUNT];
    atomic_bool is_misconfigured;
    _Atomic uint64_t delays[PUMP_DELAY_BUCKETS]; /* of pump.h */
    _Atomic uint64_t delay_sum_us;
    struct exemplars exemplars; /* of the delays */
};

/** The pointers and `log.sink` are set. */
void pump_judge_init(struct pump_judge *judge);

/** Must the next call go out alone? */
bool pump_judge_is_solo(const struct pump_judge *judge);

/**
 * The call was delivered: decide what that means, and settle its batch. `alone`: no other call is
 * under way. Returns how long the pump must not deliver.
 */
int64_t pump_judge_call(struct pump_judge *judge, struct pump_call *call, bool alone);
