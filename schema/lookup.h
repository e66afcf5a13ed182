/*
 * lookup.h - things found again by the hashes of their names, while a schema is compiled.
 *
 * Several things may have one hash: whoever looks compares their names. Open addressing, half
 * empty.
 */
#pragma once

#include <stdint.h>

#include "base/memory.h"

#define LOOKUP_NONE UINT32_MAX

struct lookup_slot {
    uint32_t hash;
    uint32_t number; /* + 1; 0: free */
};

struct lookup {
    struct lookup_slot *slots;
    uint32_t size;
    uint32_t count;
};

static inline void lookup_put(struct lookup *lookup, struct lookup_slot slot)
{
    uint32_t at = slot.hash & (lookup->size - 1);

    while (lookup->slots[at].number != 0)
        at = (at + 1) & (lookup->size - 1);
    lookup->slots[at] = slot;
}

/** Let the thing `number` be found by `hash`; once for each name, or finding becomes slow. */
static inline void lookup_add(struct lookup *lookup, uint32_t hash, uint32_t number)
{
    if (lookup->count * 2 >= lookup->size) {
        struct lookup old = *lookup;

        lookup->size = old.size ? old.size * 2 : 16;
        lookup->slots = mem_alloc_array(lookup->size, sizeof(struct lookup_slot));
        for (uint32_t i = 0; i < old.size; i++) {
            if (old.slots[i].number != 0)
                lookup_put(lookup, old.slots[i]);
        }
        mem_free(old.slots);
    }
    lookup->count++;
    lookup_put(lookup, (struct lookup_slot){ hash, number + 1 });
}

/** The things of one hash, in turn. */
struct lookup_walk {
    const struct lookup *lookup;
    uint32_t hash;
    uint32_t at;
};

static inline struct lookup_walk lookup_walk(const struct lookup *lookup, uint32_t hash)
{
    return (struct lookup_walk){ lookup, hash, hash };
}

/** The next of them, LOOKUP_NONE at the end. */
static inline uint32_t lookup_next(struct lookup_walk *walk)
{
    const struct lookup *lookup = walk->lookup;

    while (lookup->size > 0) {
        const struct lookup_slot *slot = &lookup->slots[walk->at++ & (lookup->size - 1)];

        if (slot->number == 0)
            break;
        if (slot->hash == walk->hash)
            return slot->number - 1;
    }
    return LOOKUP_NONE;
}

static inline void lookup_done(struct lookup *lookup)
{
    mem_free(lookup->slots);
}
