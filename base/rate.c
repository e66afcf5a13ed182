/*
 * rate.c - see rate.h.
 */
#include "base/rate.h"

#include "base/clock.h"

void rate_init(struct rate *rate, double per_second)
{
    atomic_init(&rate->full_ns, INT64_MIN);
    rate->token_ns = 0;
    rate->depth_ns = 0;
    if (per_second <= 0)
        return;

    /* Bounds of the arithmetic: a token per nanosecond, and one in 300 years. */
    double token = NS_PER_S / per_second;

    rate->token_ns = token < 1 ? 1 : token > 9e18 ? (int64_t)9e18 : (int64_t)token;
    rate->depth_ns = rate->token_ns > NS_PER_S ? rate->token_ns : NS_PER_S;
}

/* When the bucket will be full after a token is taken now; INT64_MIN: there is no token. */
static int64_t full_after(const struct rate *rate, int64_t full_ns, int64_t now_ns)
{
    int64_t from = full_ns > now_ns ? full_ns : now_ns;

    /* In time: the tokens that are missing already, and this one. */
    return from - now_ns > rate->depth_ns - rate->token_ns ? INT64_MIN : from + rate->token_ns;
}

bool rate_take(struct rate *rate, int64_t now_us)
{
    if (rate->token_ns == 0)
        return true;

    int64_t full = atomic_load_explicit(&rate->full_ns, memory_order_relaxed);
    int64_t later;

    do {
        later = full_after(rate, full, now_us * NS_PER_US);
        if (later == INT64_MIN)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&rate->full_ns, &full, later,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool rate_has(const struct rate *rate, int64_t now_us)
{
    int64_t full = atomic_load_explicit(&rate->full_ns, memory_order_relaxed);

    return rate->token_ns == 0 || full_after(rate, full, now_us * NS_PER_US) != INT64_MIN;
}
