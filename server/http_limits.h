/*
 * http_limits.h - how much of something all requests together may have.
 *
 * Threads: atomic; any thread may call any function.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* An amount that is taken and given back. */
struct http_quota {
    atomic_size_t used;
    size_t max; /* SIZE_MAX: no limit */
};

/** Take `amount` if there is that much left. */
NODISCARD bool http_quota_take(struct http_quota *quota, size_t amount);

/** Is that much left now? */
bool http_quota_has(const struct http_quota *quota, size_t amount);

void http_quota_give(struct http_quota *quota, size_t amount);

/*
 * A token bucket that holds one second's worth, at least one token. What is kept is not the number
 * of tokens but the time at which the bucket will be full again, so that one atomic is enough.
 */
struct http_rate {
    _Atomic int64_t full_ns;
    int64_t token_ns; /* to grow one token; 0: no limit */
    int64_t depth_ns; /* to grow from empty to full */
};

/** `per_second` 0: no limit. */
void http_rate_init(struct http_rate *rate, double per_second);

/** Take a token if there is one at `now_us` (monotonic). */
NODISCARD bool http_rate_take(struct http_rate *rate, int64_t now_us);
