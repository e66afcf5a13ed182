/*
 * http_limits.c - see http_limits.h.
 */
#include "server/http_limits.h"

enum { NS_PER_S = 1000000000, NS_PER_US = 1000 };

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

void http_rate_init(struct http_rate *rate, double per_second)
{
    atomic_init(&rate->full_ns, INT64_MIN);
    rate->token_ns = 0;
    rate->depth_ns = 0;
    if (per_second <= 0)
        return;

    /* Past a token per nanosecond, or one in 300 years, the arithmetic would not hold. */
    double token = NS_PER_S / per_second;

    rate->token_ns = token < 1 ? 1 : token > 9e18 ? (int64_t)9e18 : (int64_t)token;
    rate->depth_ns = rate->token_ns > NS_PER_S ? rate->token_ns : NS_PER_S;
}

bool http_rate_take(struct http_rate *rate, int64_t now_us)
{
    if (rate->token_ns == 0)
        return true;

    int64_t now = now_us * NS_PER_US;
    int64_t full = atomic_load_explicit(&rate->full_ns, memory_order_relaxed);
    int64_t later;

    do {
        int64_t from = full > now ? full : now;

        /* Missing tokens, in time: what is missing already, and the one that is asked for. */
        if (from - now > rate->depth_ns - rate->token_ns)
            return false;
        later = from + rate->token_ns;
    } while (!atomic_compare_exchange_weak_explicit(&rate->full_ns, &full, later,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}
