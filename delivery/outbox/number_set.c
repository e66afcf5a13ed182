/*
 * number_set.c - see number_set.h.
 */
#include "delivery/outbox/number_set.h"

#include <assert.h>

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 16 };

struct number_set_entry {
    uint64_t number;
    uint64_t times; /* 0: the entry is free */
};

void number_set_init(struct number_set *set)
{
    *set = (struct number_set){ .key = hash_key() };
}

void number_set_done(struct number_set *set)
{
    mem_free(set->entries);
}

static size_t home_of(const struct number_set *set, uint64_t number)
{
    return (size_t)hash_keyed(set->key, number) & (set->capacity - 1);
}

/* The number's entry, or the free one where it belongs. */
static size_t find(const struct number_set *set, uint64_t number)
{
    size_t at = home_of(set, number);

    while (set->entries[at].times > 0 && set->entries[at].number != number)
        at = (at + 1) & (set->capacity - 1);
    return at;
}

/* At most half of the entries are used. */
static void grow_set(struct number_set *set)
{
    struct number_set old = *set;

    if (set->count < set->capacity / 2)
        return;
    set->capacity = old.capacity > 0 ? 2 * old.capacity : FIRST_CAPACITY;
    set->entries = mem_alloc_array(set->capacity, sizeof(*set->entries));
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].times > 0)
            set->entries[find(set, old.entries[i].number)] = old.entries[i];
    mem_free(old.entries);
}

void number_set_add(struct number_set *set, uint64_t number)
{
    grow_set(set);

    struct number_set_entry *entry = &set->entries[find(set, number)];

    entry->number = number;
    set->count += entry->times++ == 0;
}

/* The entry at `hole` is free now: move back what a search would not find any more. */
static void close_gap(struct number_set *set, size_t hole)
{
    size_t mask = set->capacity - 1;

    for (size_t at = (hole + 1) & mask; set->entries[at].times > 0; at = (at + 1) & mask) {
        size_t home = home_of(set, set->entries[at].number);

        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* its search does not pass the hole */
        set->entries[hole] = set->entries[at];
        set->entries[at].times = 0;
        hole = at;
    }
}

void number_set_remove(struct number_set *set, uint64_t number)
{
    size_t at = find(set, number);

    assert(set->entries[at].times > 0);
    if (--set->entries[at].times > 0)
        return;
    set->count--;
    close_gap(set, at);
}

bool number_set_has(const struct number_set *set, uint64_t number)
{
    return set->count > 0 && set->entries[find(set, number)].times > 0;
}
