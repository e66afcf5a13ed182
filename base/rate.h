/*
 * rate.h - limit the rate of something with a token bucket.
 *
 * The bucket holds the tokens of one second, at least one token. It is stored as the time at which
 * it will be full again, so that one atomic is enough.
 *
 * Threads: any thread may call any function.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct rate {
    _Atomic int64_t full_ns;
    int64_t token_ns; /* time in which a token is added; 0: no limit */
    int64_t depth_ns; /* time from empty to full */
};

/** Allow `per_second` tokens a second; 0: no limit. The bucket starts full. */
void rate_init(struct rate *rate, double per_second);

/** Take a token, if there is one at `now_us` (clock_monotonic_us()). */
NODISCARD bool rate_take(struct rate *rate, int64_t now_us);

/** Is there a token? */
bool rate_has(const struct rate *rate, int64_t now_us);
