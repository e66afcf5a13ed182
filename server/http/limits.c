/*
 * limits.c - see limits.h.
 */
#include "server/http/limits.h"

bool http_quota_take(struct http_quota *quota, size_t amount)
{
    size_t used = atomic_load_explicit(&quota->used, memory_order_relaxed);

    do {
        if (amount > quota->max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&quota->used, &used, used + amount,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool http_quota_has(const struct http_quota *quota, size_t amount)
{
    return amount <= quota->max - atomic_load_explicit(&quota->used, memory_order_relaxed);
}

void http_quota_give(struct http_quota *quota, size_t amount)
{
    atomic_fetch_sub_explicit(&quota->used, amount, memory_order_relaxed);
}
