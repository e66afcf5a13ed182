/*
 * quota.h - an amount of something that all requests share.
 *
 * Threads: atomic; any thread may call any function.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct http_quota {
    atomic_size_t used;
    size_t max; /* SIZE_MAX: no limit */
};

/** Take `amount`; false: less than that is left, and nothing was taken. */
NODISCARD static inline bool http_quota_take(struct http_quota *quota, size_t amount)
{
    size_t used = atomic_load_explicit(&quota->used, memory_order_relaxed);

    do {
        if (amount > quota->max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&quota->used, &used, used + amount,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/** Is `amount` left now? Another thread may take it at once. */
static inline bool http_quota_has(const struct http_quota *quota, size_t amount)
{
    return amount <= quota->max - atomic_load_explicit(&quota->used, memory_order_relaxed);
}

/** Give back `amount` that http_quota_take() took. */
static inline void http_quota_give(struct http_quota *quota, size_t amount)
{
    atomic_fetch_sub_explicit(&quota->used, amount, memory_order_relaxed);
}
