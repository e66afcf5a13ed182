/*
 * pump_log.h - the log lines of a pump: a fault is logged when it begins and when it ends.
 *
 * Threads: a pump_log belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "delivery/outbox/backlog.h"
#include "delivery/pump_plan.h"

/** Zeroes except for `sink`, its name. */
struct pump_log {
    const char *sink;
    int64_t failures;         /* batches in a row that failed by the sink's fault */
    int64_t failing_since_us; /* clock_monotonic_us() */
    bool is_misconfigured;    /* since the last batch that did not fail */
    bool is_refusing;         /* the last batch had a record that was refused */
    bool is_store_failing;
};

/** The store failed, or (NULL) it did not. */
void pump_log_store(struct pump_log *log, const struct error *failure);

/** Count the failures, and log what begins or ends with this plan. */
void pump_log_plan(struct pump_log *log, const struct pump_plan *plan,
                   const struct backlog_record *records);

/** Log an event about one record. */
void pump_log_record(const struct pump_log *log, const char *event, const char *reason,
                     const struct backlog_record *record);
