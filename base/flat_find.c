/*
 * flat_find.c - find members by their keys; see flat.h.
 *
 * Up to FLAT_SCAN_MAX members are compared one by one. An object with more of them has a hash
 * table, which the reader builds to find duplicate keys. The hash has a random seed, so that a
 * sender cannot choose keys that collide.
 */
#include "base/flat_internal.h"

enum { FIRST_SLOTS = 64 };

static inline bool key_is(const struct flat *member, struct str key)
{
    return json_is_same_key(flat_key(member), key);
}

static const struct flat *look_up(const struct flat *object, struct str key)
{
    const struct flat_index *index = (const struct flat_index *)(const void *)object->text;
    uint32_t slot = (uint32_t)flat_hash_bytes(key) & index->mask;

    for (; index->slots[slot] != 0; slot = (slot + 1) & index->mask)
        if (key_is(object + index->slots[slot], key))
            return object + index->slots[slot];
    return NULL;
}

const struct flat *flat_find(const struct flat *object, struct str key)
{
    if (flat_is_indexed(object))
        return look_up(object, key);
    for (FLAT_EACH(member, object))
        if (key_is(member, key))
            return member;
    return NULL;
}

struct str flat_find_str(const struct flat *object, struct str key)
{
    const struct flat *member = flat_find(object, key);

    return member && flat_is_string(member) ? flat_str(member) : STR_NONE;
}

const struct flat *flat_at(const struct flat *array, size_t at)
{
    if (at >= array->len)
        return NULL;
    for (FLAT_EACH(element, array))
        if (element->index == at)
            return element;
    return NULL;
}

/* Reading. */

/* Add a member. False: the key is in the index. */
static bool index_add(struct flat_index *index, const struct flat *object,
                      const struct flat *member)
{
    struct str key = flat_key(member);
    uint32_t slot = (uint32_t)flat_hash_bytes(key) & index->mask;

    for (; index->slots[slot] != 0; slot = (slot + 1) & index->mask)
        if (key_is(object + index->slots[slot], key))
            return false;
    index->slots[slot] = (uint32_t)(member - object);
    return true;
}

/* An index four times as large, of the members before the last one. */
static struct flat_index *index_grow(struct arena *arena, const struct flat_index *old,
                                     const struct flat *object, const struct flat *last)
{
    uint32_t count = old ? (old->mask + 1) * 4 : FIRST_SLOTS;
    struct flat_index *index = arena_alloc(arena, sizeof(*index) + count * sizeof(index->slots[0]));

    index->mask = count - 1;
    for (const struct flat *member = object + 1; member < last; member += member->size)
        (void)index_add(index, object, member);
    return index;
}

static bool is_among_first(const struct flat *object, const struct flat *last)
{
    for (const struct flat *member = object + 1; member < last; member += member->size)
        if (key_is(member, flat_key(last)))
            return true;
    return false;
}

bool flat_is_second(struct arena *arena, struct flat_level *level, const struct flat *values)
{
    const struct flat *object = &values[level->node];
    const struct flat *member = &values[level->member];

    if (object->len <= FLAT_SCAN_MAX)
        return is_among_first(object, member);
    if (!level->index || object->len > level->index->mask / 2)
        level->index = index_grow(arena, level->index, object, member);
    return !index_add(level->index, object, member);
}
