/*
 * check_unique.c - the keyword uniqueItems.
 *
 * In a small array every pair of items is compared. The items of a large array are sorted by their
 * hashes, and only items with equal hashes are compared. Arrays of strings are common, so two
 * strings are compared without flat_equal().
 */
#include "schema/check.h"

#include <stdlib.h>

enum { PAIRWISE_MAX = 8, ON_STACK_MAX = 64 };

static bool same(const struct flat *a, const struct flat *b)
{
    if (flat_is_string(a) && flat_is_string(b))
        return str_equal(flat_str(a), flat_str(b));
    return flat_equal(a, b);
}

static bool unique_pairwise(struct check *check, const struct flat *array)
{
    for (FLAT_EACH(item, array)) {
        if (!check_spend_on(check, item))
            return false;
        for (const struct flat *other = array + 1; other < item; other += other->size) {
            if (same(item, other))
                return false;
        }
    }
    return true;
}

static bool unique_sorted(struct check *check, struct hashed_value *hashed,
                          const struct flat *array, size_t count)
{
    for (FLAT_EACH(item, array)) {
        if (!check_spend_on(check, item))
            return false;
        hashed[item->index] = (struct hashed_value){ flat_hash(item), item };
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

bool check_unique(struct check *check, const struct rule *rule, const struct flat *value,
                  struct evaluated *seen)
{
    size_t count = flat_count(value);
    struct hashed_value few[ON_STACK_MAX];

    (void)rule;
    (void)seen;
    if (count <= PAIRWISE_MAX)
        return unique_pairwise(check, value);
    if (count <= ON_STACK_MAX)
        return unique_sorted(check, few, value, count);

    struct hashed_value *many = mem_alloc_array(count, sizeof(*many));
    bool ok = unique_sorted(check, many, value, count);

    mem_free(many);
    return ok;
}
