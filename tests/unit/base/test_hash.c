/*
 * test_hash.c - claims about base/hash.h: the key decides which values share a place.
 */
#include "base/hash.h"

#include "tests/unit/test.h"

enum { VALUES = 4096, PLACES = 64 };

static void spreads_consecutive_values(void)
{
    uint64_t key = hash_key();
    int counts[PLACES] = { 0 };
    int most = 0;

    for (uint64_t i = 0; i < VALUES; i++)
        if (++counts[hash_keyed(key, i) % PLACES] > most)
            most = counts[hash_keyed(key, i) % PLACES];
    CHECK(most < 2 * VALUES / PLACES);
}

static void each_key_has_collisions_of_its_own(void)
{
    uint64_t one = hash_key();
    uint64_t other = hash_key();
    int both = 0;

    CHECK(one != other);
    CHECK(hash_keyed(one, 1) == hash_keyed(one, 1));
    for (uint64_t i = 1; i <= VALUES; i++)
        both += hash_keyed(one, i) % PLACES == hash_keyed(one, 0) % PLACES &&
                hash_keyed(other, i) % PLACES == hash_keyed(other, 0) % PLACES;
    CHECK(both < VALUES / PLACES / 4); /* independent keys: about VALUES / PLACES / PLACES */
}

int main(void)
{
    RUN(spreads_consecutive_values);
    RUN(each_key_has_collisions_of_its_own);
    return test_end();
}
