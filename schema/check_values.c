/*
 * check_values.c - rules for a single value: numbers, strings, `enum` and `const`.
 */
#include "base/utf8.h"
#include "schema/check.h"

#include <math.h>

bool check_whole(const struct node *node, const struct flat *value)
{
    double real;

    if (!node->whole)
        return false;
    real = flat_double(value);
    return isfinite(real) && floor(real) == real;
}

/* Numbers. */

static bool holds(uint8_t op, int order)
{
    switch (op) {
    case RULE_MINIMUM:
        return order >= 0;
    case RULE_MAXIMUM:
        return order <= 0;
    case RULE_EXCLUSIVE_MINIMUM:
        return order > 0;
    default:
        return order < 0;
    }
}

bool check_number(struct check *check, const struct rule *rule, const struct flat *value,
                  struct evaluated *seen)
{
    int64_t integer;

    (void)seen;
    if (!check_spend(check, value->len / 64))
        return false;
    if (rule->flag && flat_kind(value) == JSON_INTEGER && flat_int64(value, &integer)) {
        int64_t limit = rule->u.integer;

        return rule->op == RULE_MULTIPLE_OF
                   ? integer % limit == 0
                   : holds(rule->op, (integer > limit) - (integer < limit));
    }
    if (rule->op == RULE_MULTIPLE_OF)
        return flat_is_multiple(value, rule->source);
    return holds(rule->op, flat_compare_numbers(value, rule->source));
}

/* Strings. */

bool check_length(struct check *check, const struct rule *rule, const struct flat *value,
                  struct evaluated *seen)
{
    struct str text = flat_str(value);
    uint64_t limit = rule->u.limit;

    (void)seen;
    /* A character has one to four bytes: often the number of bytes decides. */
    if (rule->op == RULE_MIN_LENGTH) {
        if (text.len < limit || text.len / 4 >= limit)
            return text.len >= limit;
        return check_spend(check, text.len / 64) && utf8_count(text) >= limit;
    }
    if (text.len <= limit)
        return true;
    return text.len / 4 <= limit && check_spend(check, text.len / 64) && utf8_count(text) <= limit;
}

/* The limit of steps for one search, and the steps of a search that cost one step of a check. */
enum { PATTERN_STEPS = 1000000, PATTERN_STEPS_PER_BYTE = 64, PATTERN_STEPS_PER_STEP = 4 };

bool check_regex(struct check *check, const struct regex *regex, struct str text)
{
    uint64_t most = PATTERN_STEPS + PATTERN_STEPS_PER_BYTE * (uint64_t)text.len;

    if (check->budget && check->budget->pattern_steps && check->budget->pattern_steps < most)
        most = check->budget->pattern_steps;

    uint64_t left = most;
    enum regex_verdict verdict = regex_search(regex, text, &left);

    if (verdict == REGEX_TOO_EXPENSIVE)
        return check_stop(check);
    if (verdict == REGEX_OVER_LIMIT)
        return check_give_up(check, SCHEMA_OVER_LIMIT);
    return check_spend(check, 1 + (most - left) / PATTERN_STEPS_PER_STEP) && verdict == REGEX_MATCH;
}

bool check_pattern(struct check *check, const struct rule *rule, const struct flat *value,
                   struct evaluated *seen)
{
    (void)seen;
    return check_regex(check, rule->u.regex, flat_str(value));
}

bool check_format(struct check *check, const struct rule *rule, const struct flat *value,
                  struct evaluated *seen)
{
    struct str text = flat_str(value);

    (void)seen;
    return check_spend(check, 1 + text.len / 16) && format_check(rule->u.format, text);
}

/* enum, const */

/* Binary search: the first of the sorted values whose hash is not less than `hash`. */
static uint32_t find_hash(const struct values *values, uint64_t hash)
{
    uint32_t low = 0;
    uint32_t high = values->other_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (values->others[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_among_others(struct check *check, const struct values *values,
                            const struct flat *value)
{
    bool sorted = values->other_count > VALUES_UNSORTED_MAX;

    if (sorted && !check_spend_on(check, value))
        return false;

    uint64_t hash = sorted ? flat_hash(value) : 0;

    for (uint32_t i = sorted ? find_hash(values, hash) : 0; i < values->other_count; i++) {
        if (values->others[i].hash != hash || !check_spend(check, 1))
            return false;
        if (flat_equal(values->others[i].value, value))
            return true;
    }
    return false;
}

bool check_values(struct check *check, const struct rule *rule, const struct flat *value,
                  struct evaluated *seen)
{
    const struct values *values = rule->u.values;

    (void)seen;
    if (flat_is_string(value))
        return lookup_names_find(&values->strings, flat_str(value)) != LOOKUP_NONE;
    return is_among_others(check, values, value);
}
