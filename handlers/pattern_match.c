/*
 * pattern_match.c - does an event fit a pattern?
 *
 * Arrays are transparent: a field looks into every element. But what the fields of one object of
 * the pattern say must hold in one and the same element, so the walk goes down the pattern and the
 * event together: an array fits if one of its elements does. An element that only lacks what must
 * be absent does not decide: then all elements must lack it.
 */
#include "handlers/pattern_internal.h"

enum fit {
    FIT_NOT,
    FIT_LACKS, /* it fits, and only since fields are absent */
    FIT_FULL,  /* it fits, and a condition was met by a value */
};

/* Does a scalar in `value` meet one of the conditions? */
static bool meets_any(const struct pattern_field *leaf, const struct flat *value)
{
    if (flat_is_object(value))
        return false;
    if (flat_is_array(value)) {
        for (FLAT_EACH(element, value))
            if (meets_any(leaf, element))
                return true;
        return false;
    }
    for (size_t i = 0; i < leaf->condition_count; i++)
        if (pattern_meets(&leaf->conditions[i], value))
            return true;
    return false;
}

static bool has_scalar(const struct flat *value)
{
    if (!flat_is_array(value))
        return !flat_is_object(value);
    for (FLAT_EACH(element, value))
        if (has_scalar(element))
            return true;
    return false;
}

static enum fit fit_field(const struct pattern_field *field, const struct flat *value);

static enum fit fit_object(const struct pattern_field *field, const struct flat *object);

/* As the branch that fits best. */
static enum fit fit_choice(const struct pattern_choice *choice, const struct flat *object)
{
    enum fit best = FIT_NOT;

    for (size_t i = 0; i < choice->count && best != FIT_FULL; i++) {
        enum fit fit = fit_object(&choice->branches[i], object);

        best = fit > best ? fit : best;
    }
    return best;
}

/* `object` NULL: there is none. */
static enum fit fit_object(const struct pattern_field *field, const struct flat *object)
{
    enum fit all = FIT_LACKS;

    for (size_t i = 0; i < field->field_count; i++) {
        const struct pattern_field *inner = &field->fields[i];
        enum fit fit = fit_field(inner, object ? flat_find(object, inner->key) : NULL);

        if (fit == FIT_NOT)
            return FIT_NOT;
        all = fit > all ? fit : all;
    }
    for (size_t i = 0; i < field->choice_count; i++) {
        enum fit fit = fit_choice(&field->choices[i], object);

        if (fit == FIT_NOT)
            return FIT_NOT;
        all = fit > all ? fit : all;
    }
    return all;
}

static enum fit fit_array(const struct pattern_field *field, const struct flat *array)
{
    bool all_lack = true;

    for (FLAT_EACH(element, array)) {
        enum fit fit = flat_is_object(element) || flat_is_array(element) ? fit_field(field, element)
                                                                         : FIT_LACKS;

        if (fit == FIT_FULL)
            return FIT_FULL;
        all_lack = all_lack && fit == FIT_LACKS;
    }
    return all_lack ? fit_object(field, NULL) : FIT_NOT;
}

/* `value` NULL: it is absent. */
static enum fit fit_field(const struct pattern_field *field, const struct flat *value)
{
    if (field->conditions) {
        if (value && meets_any(field, value))
            return FIT_FULL;
        return field->may_be_absent && !(value && has_scalar(value)) ? FIT_LACKS : FIT_NOT;
    }
    if (value && flat_is_array(value))
        return fit_array(field, value);
    return fit_object(field, value && flat_is_object(value) ? value : NULL);
}

bool pattern_fits(const struct pattern *pattern, const struct flat *event)
{
    return flat_is_object(event) && fit_object(&pattern->root, event) != FIT_NOT;
}

const struct pattern_field *pattern_field_find(const struct pattern *pattern, struct str key)
{
    for (size_t i = 0; i < pattern->root.field_count; i++)
        if (str_equal(pattern->root.fields[i].key, key))
            return &pattern->root.fields[i];
    return NULL;
}

bool pattern_field_fits(const struct pattern_field *field, const struct flat *value)
{
    return fit_field(field, value) != FIT_NOT;
}

/* Explaining. */

static bool explain_object(const struct pattern_field *field, const struct flat *object,
                           struct buf *key, struct pattern_miss *miss);

/* `value`, at `key`, does not fit `field`. */
static void explain_field(const struct pattern_field *field, const struct flat *value,
                          struct buf *key, struct pattern_miss *miss)
{
    bool is_array = value && flat_is_array(value);

    *miss = (struct pattern_miss){ .expected = field->source, .found = value };
    if (!field->conditions && !is_array)
        (void)explain_object(field, value && flat_is_object(value) ? value : NULL, key, miss);
}

/* False: the object fits each field and each choice. */
static bool explain_object(const struct pattern_field *field, const struct flat *object,
                           struct buf *key, struct pattern_miss *miss)
{
    for (size_t i = 0; i < field->field_count; i++) {
        const struct pattern_field *inner = &field->fields[i];
        const struct flat *value = object ? flat_find(object, inner->key) : NULL;

        if (fit_field(inner, value) != FIT_NOT)
            continue;
        buf_add_char(key, '/');
        json_write_pointer_token(key, inner->key);
        explain_field(inner, value, key, miss);
        return true;
    }
    for (size_t i = 0; i < field->choice_count; i++) {
        if (fit_choice(&field->choices[i], object) != FIT_NOT)
            continue;
        buf_add(key, STR("/$or"));
        *miss = (struct pattern_miss){ .found = object };
        return true;
    }
    return false;
}

bool pattern_explain(const struct pattern *pattern, const struct flat *event, struct arena *arena,
                     struct pattern_miss *miss)
{
    struct buf *key = arena_buf(arena, SIZE_MAX);

    if (!explain_object(&pattern->root, event, key, miss))
        return false;
    miss->key = buf_str(key);
    return true;
}
