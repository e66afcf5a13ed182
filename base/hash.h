/*
 * hash.h - a hash with a random key, for tables whose keys a stranger chooses.
 *
 * A sender that does not know the key cannot choose values that fall on the same place. Not for
 * cryptography.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stdint.h>
#include <sys/random.h>

/** A new random key. */
static inline uint64_t hash_key(void)
{
    uint64_t key = 0;

    (void)!getrandom(&key, sizeof(key), 0); /* so few bytes come whole, getrandom(2) */
    return key;
}

/** The hash of `value` under `key`: the finaliser of MurmurHash3, keyed twice. */
static inline uint64_t hash_keyed(uint64_t key, uint64_t value)
{
    uint64_t hash = value ^ key;

    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash += key;
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}
