/*
 * json_value.c - the kind of a value, equality and hash; see json.h.
 *
 * The hash has a random seed per process, so that a sender cannot choose values that collide.
 */
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/json_internal.h"

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

enum json_kind json_kind(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_boolean:
        return JSON_BOOLEAN;
    case json_type_int:
        return JSON_INTEGER;
    case json_type_double:
        return json_source(value) && json_source(value)->integer ? JSON_INTEGER : JSON_NUMBER;
    case json_type_string:
        return JSON_STRING;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_null:
        break;
    }
    return JSON_NULL;
}

struct str json_find_str(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (!json_find(object, key, &value) || !json_is_string(value))
        return (struct str){ NULL, 0 };
    return json_str(value);
}

/* Equality. */

static bool equal_at(struct json_object *a, struct json_object *b, size_t depth);

static bool equal_arrays(struct json_object *a, struct json_object *b, size_t depth)
{
    size_t count = json_count(a);

    if (count != json_count(b))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!equal_at(json_at(a, i), json_at(b, i), depth + 1))
            return false;
    }
    return true;
}

static bool equal_objects(struct json_object *a, struct json_object *b, size_t depth)
{
    struct json_object *other;

    if (json_object_object_length(a) != json_object_object_length(b))
        return false;
    for (JSON_EACH(member, a)) {
        if (!json_find(b, json_key(member), &other) ||
            !equal_at(json_value(member), other, depth + 1))
            return false;
    }
    return true;
}

static bool is_number(enum json_kind kind)
{
    return kind == JSON_INTEGER || kind == JSON_NUMBER;
}

static bool equal_at(struct json_object *a, struct json_object *b, size_t depth)
{
    enum json_kind kind = json_kind(a);

    assert(depth <= JSON_DEPTH_LIMIT);
    if (is_number(kind))
        return is_number(json_kind(b)) && json_compare_numbers(a, b) == 0;
    if (kind != json_kind(b))
        return false;
    switch (kind) {
    case JSON_BOOLEAN:
        return json_object_get_boolean(a) == json_object_get_boolean(b);
    case JSON_STRING:
        return str_equal(json_str(a), json_str(b));
    case JSON_ARRAY:
        return equal_arrays(a, b, depth);
    case JSON_OBJECT:
        return equal_objects(a, b, depth);
    default:
        return true;
    }
}

bool json_equal(struct json_object *a, struct json_object *b)
{
    return equal_at(a, b, 0);
}

/* Hash. */

static uint64_t hash_at(struct json_object *value, uint64_t seed, size_t depth);

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
static uint64_t hash_big(const struct json_numeric *number, uint64_t seed)
{
    char digits[JSON_REAL_DIGITS];
    uint64_t bits;

    if (isfinite(number->real) &&
        str_equal(number->digits, (struct str){ digits, json_real_digits(number->real, digits) })) {
        memcpy(&bits, &number->real, sizeof(bits));
        return mix(seed ^ HASH_REAL, bits);
    }
    return mix(seed ^ HASH_BIG ^ number->negative, hash_bytes(number->digits, seed));
}

static uint64_t hash_number(struct json_object *value, uint64_t seed)
{
    struct json_numeric number = json_numeric(value);
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

static uint64_t hash_array(struct json_object *array, uint64_t seed, size_t depth)
{
    size_t count = json_count(array);
    uint64_t hash = mix(seed ^ HASH_ARRAY, count);

    for (size_t i = 0; i < count; i++)
        hash = mix(hash ^ hash_at(json_at(array, i), seed, depth + 1), seed);
    return hash;
}

/* A sum, because the order of members does not matter. */
static uint64_t hash_object(struct json_object *object, uint64_t seed, size_t depth)
{
    uint64_t sum = 0;

    for (JSON_EACH(member, object))
        sum += mix(hash_bytes(str_from_c(json_key(member)), seed),
                   hash_at(json_value(member), seed, depth + 1));
    return mix(seed ^ HASH_OBJECT, sum);
}

static uint64_t hash_at(struct json_object *value, uint64_t seed, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    switch (json_kind(value)) {
    case JSON_BOOLEAN:
        return mix(seed, json_object_get_boolean(value) ? HASH_TRUE : HASH_FALSE);
    case JSON_INTEGER:
    case JSON_NUMBER:
        return hash_number(value, seed);
    case JSON_STRING:
        return mix(seed ^ HASH_STRING, hash_bytes(json_str(value), seed));
    case JSON_ARRAY:
        return hash_array(value, seed, depth);
    case JSON_OBJECT:
        return hash_object(value, seed, depth);
    case JSON_NULL:
        break;
    }
    return mix(seed, HASH_NULL);
}

uint64_t json_hash(struct json_object *value)
{
    return hash_at(value, process_seed(), 0);
}
