/*
 * lookup.c - see lookup.h.
 */
#include "schema/lookup.h"

enum { FIRST_SLOTS = 16 };

void lookup_reserve(struct lookup *lookup, struct arena *arena, size_t capacity)
{
    size_t size = 2;

    while (size < capacity * 2)
        size *= 2;
    lookup->slots = arena_alloc(arena, size * sizeof(struct lookup_slot));
    lookup->mask = (uint32_t)(size - 1);
}

static void lookup_put(struct lookup *lookup, struct lookup_slot slot)
{
    uint32_t at = slot.hash & lookup->mask;

    while (lookup->slots[at].number_plus_1 != 0)
        at = (at + 1) & lookup->mask;
    lookup->slots[at] = slot;
    lookup->count++;
}

void lookup_add(struct lookup *lookup, struct arena *arena, uint32_t hash, uint32_t number)
{
    if (!lookup->slots)
        lookup_reserve(lookup, arena, FIRST_SLOTS / 2);
    if (lookup->count * 2 > lookup->mask) {
        const struct lookup old = *lookup;

        *lookup = (struct lookup){ 0 };
        lookup_reserve(lookup, arena, (size_t)old.mask + 1);
        for (uint32_t i = 0; i <= old.mask; i++) {
            if (old.slots[i].number_plus_1 != 0)
                lookup_put(lookup, old.slots[i]);
        }
    }
    lookup_put(lookup, (struct lookup_slot){ hash, number + 1 });
}

void lookup_names_init(struct lookup_names *names, struct arena *arena, size_t capacity)
{
    *names = (struct lookup_names){ .names = arena_alloc(arena, capacity * sizeof(struct str)) };
    lookup_reserve(&names->lookup, arena, capacity);
}

uint32_t lookup_names_add(struct lookup_names *names, struct str name)
{
    uint32_t number = lookup_names_find(names, name);

    if (number != LOOKUP_NONE)
        return number;
    number = names->count++;
    names->names[number] = name;
    lookup_put(&names->lookup, (struct lookup_slot){ lookup_hash(name), number + 1 });
    return number;
}
