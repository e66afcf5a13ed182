/*
 * sender_limit.c - see sender_limit.h.
 */
#include "handlers/auth/sender_limit.h"

#include <stddef.h>

#include "base/hash.h"
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

    limit->key = hash_key();
    for (size_t i = 0; i < PLACES; i++)
        rate_init(&limit->rates[i], per_second);
    return limit;
}

void sender_limit_destroy(struct sender_limit *limit)
{
    mem_free(limit);
}

static size_t place_of(const struct sender_limit *limit, uint64_t sender)
{
    return hash_keyed(limit->key, sender) % PLACES;
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
