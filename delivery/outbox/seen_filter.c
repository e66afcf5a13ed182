/*
 * seen_filter.c - see seen_filter.h.
 */
#include "delivery/outbox/seen_filter.h"

#include <string.h>

#include "base/memory.h"

enum {
    BITS = 16 * SEEN_FILTER_ROWS, /* of one set: a full set answers "maybe" for 1 in 70 new rows */
    WORDS = BITS / 64,
};

/* The two bits of a row. */
struct place {
    uint64_t bits[2];
};

static struct place place_of(int64_t bucket, int64_t id_hash)
{
    uint64_t hash = ((uint64_t)id_hash ^ (uint64_t)bucket) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct place){ { (hash >> 8) % BITS, (hash >> 36) % BITS } };
}

static bool has(const struct seen_filter_set *set, const struct place *place)
{
    return set->words && set->words[place->bits[0] / 64] >> place->bits[0] % 64 & 1 &&
           set->words[place->bits[1] / 64] >> place->bits[1] % 64 & 1;
}

static void empty(struct seen_filter_set *set)
{
    if (set->rows > 0)
        memset(set->words, 0, WORDS * sizeof(*set->words));
    set->rows = 0;
    set->highest = INT64_MIN;
}

void seen_filter_reset(struct seen_filter *filter, int64_t highest)
{
    empty(&filter->sets[0]);
    empty(&filter->sets[1]);
    filter->floor = highest;
}

void seen_filter_done(struct seen_filter *filter)
{
    mem_free(filter->sets[0].words);
    mem_free(filter->sets[1].words);
    *filter = (struct seen_filter){ 0 };
}

/* Forget the rows of the second set, which becomes the first. */
static void turn(struct seen_filter *filter)
{
    struct seen_filter_set oldest = filter->sets[1];

    if (oldest.highest > filter->floor)
        filter->floor = oldest.highest;
    empty(&oldest);
    filter->sets[1] = filter->sets[0];
    filter->sets[0] = oldest;
}

void seen_filter_add(struct seen_filter *filter, int64_t bucket, int64_t id_hash)
{
    struct place place = place_of(bucket, id_hash);

    if (filter->sets[0].rows == SEEN_FILTER_ROWS)
        turn(filter);

    struct seen_filter_set *set = &filter->sets[0];

    if (!set->words)
        set->words = mem_alloc(WORDS * sizeof(*set->words));
    for (size_t i = 0; i < 2; i++)
        set->words[place.bits[i] / 64] |= UINT64_C(1) << place.bits[i] % 64;
    set->rows++;
    if (bucket > set->highest)
        set->highest = bucket;
}

bool seen_filter_may_have(const struct seen_filter *filter, int64_t bucket, int64_t id_hash)
{
    struct place place = place_of(bucket, id_hash);

    return bucket <= filter->floor || has(&filter->sets[0], &place) ||
           has(&filter->sets[1], &place);
}
