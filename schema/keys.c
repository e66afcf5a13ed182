/*
 * keys.c - see keys.h.
 */
#include "schema/keys.h"

void keys_init(struct keys *keys, struct arena *arena, size_t capacity)
{
    size_t size = 2;

    while (size < capacity * 2)
        size *= 2;
    *keys = (struct keys){
        .keys = arena_alloc(arena, (capacity ? capacity : 1) * sizeof(struct key)),
        .index = arena_alloc(arena, size * sizeof(uint32_t)),
        .mask = (uint32_t)(size - 1),
    };
}

uint32_t keys_add(struct keys *keys, struct str name)
{
    uint32_t found = keys_find(keys, name.ptr, name.len);

    if (found != NO_KEY)
        return found;

    uint32_t hash = keys_hash(name.ptr, name.len);
    uint32_t at = hash & keys->mask;

    while (keys->index[at] != 0)
        at = (at + 1) & keys->mask;
    keys->keys[keys->count] = (struct key){ name.ptr, (uint32_t)name.len, hash };
    keys->index[at] = ++keys->count;
    return keys->count - 1;
}
