/*
 * sender_limit.c - see sender_limit.h.
 */
#include "handlers/auth/sender_limit.h"

#include <stddef.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/rate.h"

enum { PLACES = 1024 };

struct sender_limit {
    uint64_t key;
    struct rate rates[PLACES];
};

struct sender_limit *sender_limit_create(double per_second)
{
    struct sender_limit *limit = mem_alloc(sizeof(*limit));

    (void)!getrandom(&limit->key, sizeof(limit->key), 0);
    for (size_t i = 0; i < PLACES; i++)
        rate_init(&limit->rates[i], per_second);
    return limit;
}

void sender_limit_destroy(struct sender_limit *limit)
{
    mem_free(limit);
}

/* The finaliser of SplitMix64, keyed. */
static size_t place_of(const struct sender_limit *limit, uint64_t sender)
{
    uint64_t hash = sender ^ limit->key;

    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
    hash += limit->key;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
    return (size_t)(hash ^ hash >> 31) % PLACES;
}

bool sender_limit_has(const struct sender_limit *limit, uint64_t sender, int64_t now_us)
{
    return rate_has(&limit->rates[place_of(limit, sender)], now_us);
}

void sender_limit_count(struct sender_limit *limit, uint64_t sender, int64_t now_us)
{
    /* Several threads may find the last token at once: then it is empty all the same. */
    (void)!rate_take(&limit->rates[place_of(limit, sender)], now_us);
}
