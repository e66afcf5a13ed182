/*
 * flat_value.c - copies, equality and hash of values; see flat.h.
 *
 * The hash has a random seed per process, so that a sender cannot choose values that collide.
 */
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/flat_internal.h"

#define TWO_TO_64 18446744073709551616.0

/* Keeps values of different kinds apart. */
enum {
    HASH_NULL = 1,
    HASH_FALSE,
    HASH_TRUE,
    HASH_NEGATIVE,
    HASH_POSITIVE,
    HASH_REAL,
    HASH_BIG,
    HASH_STRING,
    HASH_ARRAY,
    HASH_OBJECT
};

/* Copies. */

static const char *copy_index(struct arena *arena, const struct flat *object)
{
    const struct flat_index *index = (const struct flat_index *)(const void *)object->text;
    size_t slots = ((size_t)index->mask + 1) * sizeof(index->slots[0]);

    return arena_keep(arena, index, sizeof(*index) + slots);
}

const struct flat *flat_copy(struct arena *arena, const struct flat *value)
{
    struct flat *copy = arena_keep(arena, value, value->size * sizeof(*value));

    for (uint32_t i = 0; i < copy->size; i++) {
        struct flat *at = &copy[i];

        at->flags &= (uint8_t) ~(FLAT_PLAIN | FLAT_PLAIN_KEY); /* no quotes around the copies */
        at->symbol = FLAT_NO_SYMBOL;
        if (flat_is_indexed(at))
            at->text = copy_index(arena, at);
        else if (at->text)
            at->text = arena_copy(arena, flat_str(at)).ptr;
        if (at->key)
            at->key = arena_copy(arena, flat_key(at)).ptr;
    }
    return copy;
}

/* Equality. */

static bool equal_at(const struct flat *a, const struct flat *b, size_t depth);

static bool equal_arrays(const struct flat *a, const struct flat *b, size_t depth)
{
    const struct flat *other = b + 1;

    if (flat_count(a) != flat_count(b))
        return false;
    for (FLAT_EACH(element, a)) {
        if (!equal_at(element, other, depth + 1))
            return false;
        other += other->size;
    }
    return true;
}

static bool equal_objects(const struct flat *a, const struct flat *b, size_t depth)
{
    if (flat_count(a) != flat_count(b))
        return false;
    for (FLAT_EACH(member, a)) {
        const struct flat *other = flat_find(b, flat_key(member));

        if (!other || !equal_at(member, other, depth + 1))
            return false;
    }
    return true;
}

static bool equal_at(const struct flat *a, const struct flat *b, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    if (flat_is_number(a))
        return flat_is_number(b) && flat_compare_numbers(a, b) == 0;
    if (a->kind != b->kind)
        return false;
    switch (flat_kind(a)) {
    case JSON_BOOLEAN:
        return flat_is_true(a) == flat_is_true(b);
    case JSON_STRING:
        return str_equal(flat_str(a), flat_str(b));
    case JSON_ARRAY:
        return equal_arrays(a, b, depth);
    case JSON_OBJECT:
        return equal_objects(a, b, depth);
    default:
        return true;
    }
}

bool flat_equal(const struct flat *a, const struct flat *b)
{
    return equal_at(a, b, 0);
}

/* Hash. */

static uint64_t hash_at(const struct flat *value, uint64_t seed, size_t depth);

static uint64_t process_seed(void)
{
    static _Atomic uint64_t shared;
    uint64_t seed = atomic_load_explicit(&shared, memory_order_relaxed);
    uint64_t none = 0;

    if (LIKELY(seed != 0))
        return seed;
    /* Before the system has entropy, the address space layout is the seed. */
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)(uintptr_t)&shared;
    seed |= 1;
    /* The first thread's seed is kept. */
    return atomic_compare_exchange_strong(&shared, &none, seed) ? seed : none;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD6E8FEB86659FD93));

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(struct str s, uint64_t seed)
{
    uint64_t hash = mix(seed, s.len);
    uint64_t word = 0;

    while (s.len >= sizeof(word)) {
        memcpy(&word, s.ptr, sizeof(word));
        hash = mix(hash ^ word, seed);
        s = str_from(s, sizeof(word));
    }
    word = 0;
    if (s.len > 0)
        memcpy(&word, s.ptr, s.len);
    return mix(hash ^ word, seed);
}

/* An integer that equals a double has the double's hash; any other one the hash of its digits. */
static uint64_t hash_big(const struct flat_numeric *number, uint64_t seed)
{
    char digits[FLAT_REAL_DIGITS];
    double real = flat_big_double(number);
    uint64_t bits;

    if (isfinite(real) &&
        str_equal(number->digits, (struct str){ digits, flat_real_digits(real, digits) })) {
        memcpy(&bits, &real, sizeof(bits));
        return mix(seed ^ HASH_REAL, bits);
    }
    return mix(seed ^ HASH_BIG ^ number->negative, hash_bytes(number->digits, seed));
}

static uint64_t hash_number(const struct flat *value, uint64_t seed)
{
    struct flat_numeric number = flat_numeric(value);
    uint64_t bits;

    if (number.kind == NUMERIC_BIG)
        return hash_big(&number, seed);
    if (number.kind == NUMERIC_REAL && fabs(number.real) < TWO_TO_64 &&
        trunc(number.real) == number.real) {
        number.kind = NUMERIC_SMALL;
        number.magnitude = (uint64_t)fabs(number.real);
    }
    if (number.kind == NUMERIC_SMALL)
        return mix(seed ^ (number.negative ? HASH_NEGATIVE : HASH_POSITIVE), number.magnitude);
    memcpy(&bits, &number.real, sizeof(bits));
    return mix(seed ^ HASH_REAL, bits);
}

static uint64_t hash_array(const struct flat *array, uint64_t seed, size_t depth)
{
    uint64_t hash = mix(seed ^ HASH_ARRAY, flat_count(array));

    for (FLAT_EACH(element, array))
        hash = mix(hash ^ hash_at(element, seed, depth + 1), seed);
    return hash;
}

/* A sum, because the order of members does not matter. */
static uint64_t hash_object(const struct flat *object, uint64_t seed, size_t depth)
{
    uint64_t sum = 0;

    for (FLAT_EACH(member, object))
        sum += mix(hash_bytes(flat_key(member), seed), hash_at(member, seed, depth + 1));
    return mix(seed ^ HASH_OBJECT, sum);
}

static uint64_t hash_at(const struct flat *value, uint64_t seed, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    switch (flat_kind(value)) {
    case JSON_BOOLEAN:
        return mix(seed, flat_is_true(value) ? HASH_TRUE : HASH_FALSE);
    case JSON_INTEGER:
    case JSON_NUMBER:
        return hash_number(value, seed);
    case JSON_STRING:
        return mix(seed ^ HASH_STRING, hash_bytes(flat_str(value), seed));
    case JSON_ARRAY:
        return hash_array(value, seed, depth);
    case JSON_OBJECT:
        return hash_object(value, seed, depth);
    case JSON_NULL:
        break;
    }
    return mix(seed, HASH_NULL);
}

uint64_t flat_hash(const struct flat *value)
{
    return hash_at(value, process_seed(), 0);
}

uint64_t flat_hash_bytes(struct str s)
{
    return hash_bytes(s, process_seed());
}
