/*
 * rate.h - a token bucket that holds one second's worth, at least one token.
 *
 * What is kept is not the number of tokens but the time at which the bucket will be full again, so
 * that one atomic is enough.
 *
 * Threads: atomic; any thread may call any function.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct rate {
    _Atomic int64_t full_ns;
    int64_t token_ns; /* to grow one token; 0: no limit */
    int64_t depth_ns; /* to grow from empty to full */
};

/** `per_second` 0: no limit. */
void rate_init(struct rate *rate, double per_second);

/** Take a token if there is one at `now_us` (monotonic). */
NODISCARD bool rate_take(struct rate *rate, int64_t now_us);

/** Is there a token? */
bool rate_has(const struct rate *rate, int64_t now_us);
