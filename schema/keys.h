/*
 * keys.h - a few strings, found again quickly: property names and the strings of an `enum`.
 *
 * Open addressing over an index of half-empty slots. The hash takes eight bytes at a time, and each
 * of them tells in the low bits that the index goes by: keys that differ in a digit lie apart.
 *
 * Threads: immutable once built.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define NO_KEY UINT32_MAX

struct key {
    const char *ptr;
    uint32_t len;
    uint32_t hash;
};

struct keys {
    struct key *keys;
    uint32_t *index; /* [mask + 1]: number of the key + 1; 0: free */
    uint32_t mask;
    uint32_t count;
};

/** Room for `capacity` keys, in the arena. */
void keys_init(struct keys *keys, struct arena *arena, size_t capacity);

/** The number of `name`, added (its bytes borrowed) if it was not there; room must be left. */
uint32_t keys_add(struct keys *keys, struct str name);

/** keys_add() for a key of other keys. */
uint32_t keys_add_key(struct keys *keys, const struct key *key);

static inline uint64_t keys_load(const char *ptr, size_t len)
{
    uint64_t word = 0;
    uint32_t last;

    if (len >= 8) {
        memcpy(&word, ptr, 8);
        return word;
    }
    if (len >= 4) { /* the halves overlap */
        memcpy(&word, ptr, 4);
        memcpy(&last, ptr + len - 4, 4);
        return word << 32 | last;
    }
    for (size_t i = 0; i < len; i++)
        word = word << 8 | (unsigned char)ptr[i];
    return word;
}

static inline uint64_t keys_mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product =
        (unsigned __int128)(hash ^ word) * (UINT64_C(0x9E3779B97F4A7C15) ^ hash);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t keys_hash(const char *ptr, size_t len)
{
    uint64_t hash = UINT64_C(0xD6E8FEB86659FD93) ^ len;

    for (; len > 8; ptr += 8, len -= 8)
        hash = keys_mix(hash, keys_load(ptr, 8));
    return (uint32_t)keys_mix(hash, keys_load(ptr, len));
}

/** The number of the key with these bytes, or NO_KEY. */
static inline uint32_t keys_find(const struct keys *keys, const char *ptr, size_t len)
{
    if (keys->count == 0)
        return NO_KEY;

    uint32_t hash = keys_hash(ptr, len);

    for (uint32_t at = hash & keys->mask; keys->index[at] != 0; at = (at + 1) & keys->mask) {
        const struct key *key = &keys->keys[keys->index[at] - 1];

        if (key->hash == hash && key->len == len && memcmp(key->ptr, ptr, len) == 0)
            return keys->index[at] - 1;
    }
    return NO_KEY;
}
