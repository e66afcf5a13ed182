/*
 * retry.h - how often and how soon a call is repeated: SDKs' "standard" mode.
 *
 * Three tries; the n-th pause is a random part of min(2^(n-1) s, 20 s); a bucket of 500 tokens that
 * repetitions take from and successes fill again, so that a service that is down is not flooded.
 *
 * Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct aws_retry {
    int64_t unit_us; /* what the pauses are counted in; a second */
    int tokens;
    int taken;       /* by the last repetition of the call that is under way */
    int repetitions; /* of that call */
};

/** A full bucket. `unit_us` is a second, but for tests. */
void aws_retry_init(struct aws_retry *retry, int64_t unit_us);

/** A call begins. */
void aws_retry_begin(struct aws_retry *retry);

/** The last try failed, by a time-out or otherwise. May the call be repeated? Then `*pause_us`. */
bool aws_retry_again(struct aws_retry *retry, bool timed_out, int64_t *pause_us);

/** The call has succeeded. */
void aws_retry_succeeded(struct aws_retry *retry);
