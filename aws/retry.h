/*
 * retry.h - when a failed AWS call is retried: the "standard" mode of AWS SDKs as of 2026.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 * A call has three attempts, unless its client has another number. The n-th pause is a random part
 * of min(b * 2^(n-1), 20 s); b is 1 s after throttling and 50 ms otherwise. The service may ask for
 * a longer pause, by at most 5 s. A bucket of 500 tokens protects a service that is down: each
 * retry takes 14 of them, after throttling 5. A success returns what the call's last retry took, or
 * 1 after no retry.
 *
 * Threads: a struct aws_retry belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct aws_retry {
    int attempts;    /* of one call */
    int64_t unit_us; /* one second of the pauses above */
    int tokens;      /* in the bucket */
    int taken;       /* tokens that the current call's last retry took */
    int repetitions; /* retries of the current call */
};

/** Fill the bucket. `unit_us` is a second, except in tests. */
void aws_retry_init(struct aws_retry *retry, int attempts, int64_t unit_us);

/** A call begins. */
void aws_retry_begin(struct aws_retry *retry);

/** Why an attempt failed. */
struct aws_retry_cause {
    bool throttled;
    int64_t retry_after_us; /* the pause that the service asks for; 0: none */
};

/** After a failed attempt. True: sleep `*pause_us` and retry. False: no attempt or token is left.
 */
bool aws_retry_again(struct aws_retry *retry, struct aws_retry_cause cause, int64_t *pause_us);

/** The call has succeeded. */
void aws_retry_succeeded(struct aws_retry *retry);
