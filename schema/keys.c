/*
 * keys.c - see keys.h.
 */
#include "schema/keys.h"

void keys_init(struct keys *keys, struct arena *arena, size_t capacity)
{
    size_t size = 2;

    while (size < capacity * 2)
        size *= 2;
    struct key *array = arena_alloc(arena, capacity * sizeof(*array) + size * sizeof(uint32_t));

    *keys = (struct keys){
        .keys = array,
        .index = (uint32_t *)(void *)(array + capacity), /* behind them */
        .mask = (uint32_t)(size - 1),
    };
}

uint32_t keys_add_key(struct keys *keys, const struct key *key)
{
    uint32_t at = key->hash & keys->mask;

    for (; keys->index[at] != 0; at = (at + 1) & keys->mask) {
        const struct key *other = &keys->keys[keys->index[at] - 1];

        if (other->hash == key->hash && other->len == key->len &&
            memcmp(other->ptr, key->ptr, key->len) == 0)
            return keys->index[at] - 1;
    }
    keys->keys[keys->count] = *key;
    keys->index[at] = ++keys->count;
    return keys->count - 1;
}

uint32_t keys_add(struct keys *keys, struct str name)
{
    struct key key = { name.ptr, (uint32_t)name.len, keys_hash(name.ptr, name.len) };

    return keys_add_key(keys, &key);
}
