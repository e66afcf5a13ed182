/*
 * lookup.h - hash tables: from a hash to numbers, and from a string to its number.
 *
 * The numbers are usually indexes of an array that the caller has. Open addressing, at most half
 * full. A table is allocated in an arena, so it has no destructor; when it grows, the memory of the
 * old slots is freed with the arena. Entries cannot be removed.
 *
 * Threads: immutable once built.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define LOOKUP_NONE UINT32_MAX

struct lookup_slot {
    uint32_t hash;
    uint32_t number_plus_1; /* 0: the slot is free */
};

/* All zero: an empty table. */
struct lookup {
    struct lookup_slot *slots; /* [mask + 1]; NULL while the table is empty */
    uint32_t mask;
    uint32_t count;
};

/** Make room for `capacity` numbers in an empty table. Optional: tables grow. */
void lookup_reserve(struct lookup *lookup, struct arena *arena, size_t capacity);

/** Add `number` under `hash`. Several numbers can have the same hash. */
void lookup_add(struct lookup *lookup, struct arena *arena, uint32_t hash, uint32_t number);

/** An iterator over the numbers with one hash. The caller compares what they stand for. */
struct lookup_walk {
    const struct lookup *lookup;
    uint32_t hash;
    uint32_t at;
};

static inline struct lookup_walk lookup_walk(const struct lookup *lookup, uint32_t hash)
{
    return (struct lookup_walk){ lookup, hash, hash };
}

/** The next number, or LOOKUP_NONE at the end. */
static inline uint32_t lookup_next(struct lookup_walk *walk)
{
    const struct lookup *lookup = walk->lookup;

    while (lookup->slots) {
        const struct lookup_slot *slot = &lookup->slots[walk->at++ & lookup->mask];

        if (slot->number_plus_1 == 0)
            break;
        if (slot->hash == walk->hash)
            return slot->number_plus_1 - 1;
    }
    return LOOKUP_NONE;
}

/** The number with this hash, if hashes are unique; or LOOKUP_NONE. The table must have slots. */
static inline uint32_t lookup_only(const struct lookup *lookup, uint32_t hash)
{
    for (uint32_t at = hash & lookup->mask;; at = (at + 1) & lookup->mask) {
        const struct lookup_slot *slot = &lookup->slots[at];

        if (slot->number_plus_1 == 0)
            return LOOKUP_NONE;
        if (slot->hash == hash)
            return slot->number_plus_1 - 1;
    }
}

static inline uint64_t lookup_load(const char *ptr, size_t len)
{
    uint64_t word = 0;
    uint32_t last;

    if (len >= 8) {
        memcpy(&word, ptr, 8);
        return word;
    }
    if (len >= 4) { /* two words that overlap */
        memcpy(&word, ptr, 4);
        memcpy(&last, ptr + len - 4, 4);
        return word << 32 | last;
    }
    for (size_t i = 0; i < len; i++)
        word = word << 8 | (unsigned char)ptr[i];
    return word;
}

static inline uint64_t lookup_mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product =
        (unsigned __int128)(hash ^ word) * (UINT64_C(0x9E3779B97F4A7C15) ^ hash);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * A hash of the bytes, for tables that use its low bits. Names that differ in one digit, such as
 * "field1" and "field2", have different low bits.
 */
static inline uint32_t lookup_hash(struct str text)
{
    uint64_t hash = UINT64_C(0xD6E8FEB86659FD93) ^ text.len;

    for (; text.len > 8; text.ptr += 8, text.len -= 8)
        hash = lookup_mix(hash, lookup_load(text.ptr, 8));
    return (uint32_t)lookup_mix(hash, lookup_load(text.ptr, text.len));
}

/** A set of strings, numbered from 0 in the order in which they were added. */
struct lookup_names {
    struct str *names; /* [count]; their bytes are borrowed */
    uint32_t count;
    struct lookup lookup;
};

/** An empty set for at most `capacity` names. */
void lookup_names_init(struct lookup_names *names, struct arena *arena, size_t capacity);

/** The number of `name`, which is added if it is not in the set. */
uint32_t lookup_names_add(struct lookup_names *names, struct str name);

/** The number of `name`, or LOOKUP_NONE. */
static inline uint32_t lookup_names_find(const struct lookup_names *names, struct str name)
{
    if (names->count == 0)
        return LOOKUP_NONE;

    struct lookup_walk walk = lookup_walk(&names->lookup, lookup_hash(name));
    uint32_t number = lookup_next(&walk);

    while (number != LOOKUP_NONE && !str_equal(names->names[number], name))
        number = lookup_next(&walk);
    return number;
}
