/*
 * transform_as.c - the conversions of a transform, `as: lower` and the like: their names, how a
 * chain of them runs, and those that are neither about texts nor about numbers nor about times.
 *
 * A conversion replaces a value by another one. What it makes lives in an arena that is emptied
 * after each field.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "handlers/transform_internal.h"

enum {
    MADE_MAX = 4,     /* so many times the size of a record may be made for one field */
    TREE_FACTOR = 24, /* so many times its text a tree may take */
};

/* Making values. */

enum transform_made transform_cannot(struct transform_run *run, const char *why)
{
    run->why = why;
    return TRANSFORM_IMPOSSIBLE;
}

/* Count what is made. False: it is too much. */
static bool count_made(struct transform_run *run, size_t bytes)
{
    run->made_bytes += bytes + sizeof(struct flat);
    if (run->made_bytes / MADE_MAX > run->out->max || run->work.overflow)
        return fail(run->err, ERR_INVALID, "Transformation failed: the record is too long");
    return transform_spend(run, 1 + bytes / TRANSFORM_BYTES_PER_STEP);
}

struct arena *transform_made_arena(struct transform_run *run)
{
    if (!run->made)
        run->made = arena_create();
    return run->made;
}

enum transform_made transform_slice_of(struct transform_run *run, enum json_kind kind,
                                       struct str text, const struct flat **value)
{
    const struct flat made = { .text = text.ptr ? text.ptr : "",
                               .len = (uint32_t)text.len,
                               .symbol = FLAT_NO_SYMBOL,
                               .size = 1,
                               .kind = (uint8_t)kind };

    if (!count_made(run, text.len))
        return TRANSFORM_IMPOSSIBLE;
    *value = arena_keep(transform_made_arena(run), &made, sizeof(made));
    return TRANSFORM_MADE;
}

enum transform_made transform_make(struct transform_run *run, enum json_kind kind, struct str text,
                                   const struct flat **value)
{
    return transform_slice_of(run, kind, arena_copy(transform_made_arena(run), text), value);
}

enum transform_made transform_make_work(struct transform_run *run, const struct flat **value)
{
    return transform_make(run, JSON_STRING, buf_str(&run->work), value);
}

/* Conversions of any value. */

static TRANSFORM_CONVERT(convert_string)
{
    (void)step;
    if (flat_is_object(*value) || flat_is_array(*value))
        return transform_cannot(run, "cannot be made a string");
    if (flat_is_string(*value))
        return TRANSFORM_MADE;
    if (flat_is_boolean(*value))
        return transform_slice_of(run, JSON_STRING,
                                  flat_is_true(*value) ? STR("true") : STR("false"), value);
    return transform_slice_of(run, JSON_STRING, flat_str(*value), value);
}

static TRANSFORM_CONVERT(convert_boolean)
{
    const struct flat made[] = {
        { .symbol = FLAT_NO_SYMBOL, .size = 1, .kind = JSON_BOOLEAN },
        { .symbol = FLAT_NO_SYMBOL, .size = 1, .kind = JSON_BOOLEAN, .flags = FLAT_TRUE },
    };
    bool is_string = flat_is_string(*value);
    bool is_true = is_string && str_equal(flat_str(*value), STR("true"));

    (void)step;
    if (flat_is_boolean(*value))
        return TRANSFORM_MADE;
    if (!is_true && !(is_string && str_equal(flat_str(*value), STR("false"))))
        return transform_cannot(run, "is not a boolean");
    if (!count_made(run, 0))
        return TRANSFORM_IMPOSSIBLE;
    *value = arena_keep(transform_made_arena(run), &made[is_true], sizeof(made[0]));
    return TRANSFORM_MADE;
}

static TRANSFORM_CONVERT(convert_json)
{
    (void)step;
    buf_clear(&run->work);
    flat_write(&run->work, *value);
    return transform_make_work(run, value);
}

static TRANSFORM_CONVERT(convert_parse_json)
{
    struct error ignored;

    (void)step;
    if (!flat_is_string(*value))
        return transform_cannot(run, "is not a string");
    if (!count_made(run, TREE_FACTOR * (size_t)(*value)->len))
        return TRANSFORM_IMPOSSIBLE;
    return flat_read(transform_made_arena(run), flat_str(*value), NULL, value, &ignored)
               ? TRANSFORM_MADE
               : transform_cannot(run, "is not JSON");
}

static TRANSFORM_CONVERT(convert_length)
{
    char digits[32];
    size_t length;

    (void)step;
    if (flat_is_string(*value))
        length = utf8_count(flat_str(*value));
    else if (flat_is_array(*value) || flat_is_object(*value))
        length = flat_count(*value);
    else
        return transform_cannot(run, "has no length");
    (void)snprintf(digits, sizeof(digits), "%zu", length);
    return transform_make(run, JSON_INTEGER, str_from_c(digits), value);
}

/* The element `at` of an array, or nothing. */
static enum transform_made take_element(struct transform_run *run, const struct flat **value,
                                        bool last)
{
    size_t count;

    if (!flat_is_array(*value))
        return transform_cannot(run, "is not an array");
    count = flat_count(*value);
    if (count == 0)
        return TRANSFORM_NOTHING;
    if (last && !transform_spend(run, count))
        return TRANSFORM_IMPOSSIBLE;
    *value = flat_at(*value, last ? count - 1 : 0);
    return TRANSFORM_MADE;
}

static TRANSFORM_CONVERT(convert_first)
{
    (void)step;
    return take_element(run, value, false);
}

static TRANSFORM_CONVERT(convert_last)
{
    (void)step;
    return take_element(run, value, true);
}

const struct transform_conversion transform_conversions[] = {
    { "lower", TRANSFORM_NO_ARGUMENT, transform_lower },
    { "upper", TRANSFORM_NO_ARGUMENT, transform_upper },
    { "trim", TRANSFORM_NO_ARGUMENT, transform_trim },
    { "string", TRANSFORM_NO_ARGUMENT, convert_string },
    { "number", TRANSFORM_NO_ARGUMENT, transform_number },
    { "integer", TRANSFORM_NO_ARGUMENT, transform_integer },
    { "boolean", TRANSFORM_NO_ARGUMENT, convert_boolean },
    { "json", TRANSFORM_NO_ARGUMENT, convert_json },
    { "parse_json", TRANSFORM_NO_ARGUMENT, convert_parse_json },
    { "epoch_s_to_iso8601", TRANSFORM_NO_ARGUMENT, transform_epoch_s },
    { "epoch_ms_to_iso8601", TRANSFORM_NO_ARGUMENT, transform_epoch_ms },
    { "iso8601_utc", TRANSFORM_NO_ARGUMENT, transform_utc },
    { "date", TRANSFORM_NO_ARGUMENT, transform_date },
    { "sha256", TRANSFORM_NO_ARGUMENT, transform_sha256 },
    { "length", TRANSFORM_NO_ARGUMENT, convert_length },
    { "first", TRANSFORM_NO_ARGUMENT, convert_first },
    { "last", TRANSFORM_NO_ARGUMENT, convert_last },
    { "split", TRANSFORM_TEXT, transform_split },
    { "join", TRANSFORM_TEXT, transform_join },
    { "extract", TRANSFORM_REGEX, transform_extract },
    { "replace", TRANSFORM_REGEX_AND_TEXT, transform_replace },
    { "slice", TRANSFORM_RANGE, transform_slice },
    { "shift", TRANSFORM_INTEGER, transform_shift },
    { "hmac_sha256", TRANSFORM_SECRET, transform_hmac },
    { "mask", TRANSFORM_INTEGER, transform_mask },
};

const size_t transform_conversion_count = COUNT_OF(transform_conversions);

enum transform_made transform_convert_value(struct transform_run *run,
                                            const struct transform_field *field,
                                            const struct flat **value)
{
    for (size_t i = 0; i < field->step_count && flat_kind(*value) != JSON_NULL; i++) {
        const struct transform_step *step = &field->steps[i];
        enum transform_made made;

        run->why = NULL;
        made = step->convert(run, step, value);
        if (made == TRANSFORM_IMPOSSIBLE && run->why)
            (void)transform_refuse(run, run->why);
        if (made != TRANSFORM_MADE)
            return made;
    }
    return TRANSFORM_MADE;
}
