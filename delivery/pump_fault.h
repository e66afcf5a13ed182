/*
 * pump_fault.h - the last error of a sink, in its own words, for operators.
 *
 * Threads: any; only the pump's thread notes errors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { PUMP_FAULT_REASON_MAX = 300, PUMP_FAULT_SAID_MAX = 500 };

/** An error; longer texts are cut between two characters. */
struct pump_error {
    int64_t at_us;    /* time of day; 0: there was no error since the start */
    int64_t in_a_row; /* deliveries that failed since the last one that did not */
    char reason[PUMP_FAULT_REASON_MAX + 1];
    char said[PUMP_FAULT_SAID_MAX]; /* the beginning of the target's answer */
    size_t said_len;                /* 0: not known */
};

struct pump_fault;

/** The caller owns it. */
struct pump_fault *pump_fault_create(void);

/** NULL is fine. */
void pump_fault_destroy(struct pump_fault *fault);

/** A delivery failed, or a part of it, at `now_us` (clock_now_us()). `said`: ptr NULL is fine. */
void pump_fault_begin(struct pump_fault *fault, const char *reason, struct str said,
                      int64_t now_us);

/** A delivery did not fail. */
void pump_fault_end(struct pump_fault *fault);

/** A copy of the last error. */
void pump_fault_read(struct pump_fault *fault, struct pump_error *out);
