/*
 * check_unique.c - the keyword uniqueItems.
 *
 * In a small array every pair of items is compared. The items of a large array are sorted by their
 * hashes, and only items with equal hashes are compared. Arrays of strings are common, so two
 * strings are compared without json_equal().
 */
#include "schema/check.h"

#include <stdlib.h>

enum { PAIRWISE_MAX = 8, ON_STACK_MAX = 64 };

static bool same(struct json_object *a, struct json_object *b)
{
    if (json_is_string(a) && json_is_string(b))
        return str_equal(json_str(a), json_str(b));
    return json_equal(a, b);
}

static bool unique_pairwise(struct check *check, struct json_object *array, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!check_spend_on(check, json_at(array, i)))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (same(json_at(array, i), json_at(array, j)))
                return false;
        }
    }
    return true;
}

static bool unique_sorted(struct check *check, struct hashed_value *hashed,
                          struct json_object *array, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_spend_on(check, json_at(array, i)))
            return false;
        hashed[i].value = json_at(array, i);
        hashed[i].hash = json_hash(hashed[i].value);
    }
    qsort(hashed, count, sizeof(*hashed), hashed_value_order);
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && hashed[j - 1].hash == hashed[i].hash; j--) {
            if (!check_spend(check, 1) || same(hashed[j - 1].value, hashed[i].value))
                return false;
        }
    }
    return true;
}

bool check_unique(struct check *check, const struct rule *rule, struct json_object *value,
                  struct evaluated *seen)
{
    size_t count = json_count(value);
    struct hashed_value few[ON_STACK_MAX];

    (void)rule;
    (void)seen;
    if (count <= PAIRWISE_MAX)
        return unique_pairwise(check, value, count);
    if (count <= ON_STACK_MAX)
        return unique_sorted(check, few, value, count);

    struct hashed_value *many = mem_alloc_array(count, sizeof(*many));
    bool ok = unique_sorted(check, many, value, count);

    mem_free(many);
    return ok;
}
