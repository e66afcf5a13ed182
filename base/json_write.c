/*
 * json_write.c - from json-c's tree to text; see json.h.
 *
 * A number that was read is written from its own text. Only numbers that the program made are
 * formatted here.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

static void write_value(struct buf *out, struct json_object *value, size_t depth);

static void write_integer(struct buf *out, struct json_object *value)
{
    int64_t number = json_object_get_int64(value);

    /* json-c returns INT64_MAX for every integer above it, too. */
    if (number == INT64_MAX)
        buf_add_uint(out, json_object_get_uint64(value));
    else
        buf_add_int(out, number);
}

/* The fewest digits that read back as the same number. JSON has no text for infinity and NaN. */
static void write_double(struct buf *out, double number)
{
    char text[40];
    int len = 0;

    if (!isfinite(number)) {
        buf_add(out, STR("null"));
        return;
    }
    /* Fifteen digits always survive, and %g drops their zeros; below DBL_MIN fewer may do. */
    for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof(text) - 2, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_add(out, (struct str){ text, (size_t)len });
    if (!strpbrk(text, ".e"))
        buf_add(out, STR(".0"));
}

static void write_number(struct buf *out, struct json_object *value)
{
    const struct json_source *source = json_source(value);

    if (source)
        buf_add(out, (struct str){ source->text, source->len });
    else
        write_double(out, json_object_get_double(value));
}

static void write_array(struct buf *out, struct json_object *array, size_t depth)
{
    size_t count = json_count(array);

    buf_add_char(out, '[');
    for (size_t i = 0; i < count && !out->overflow; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_value(out, json_at(array, i), depth + 1);
    }
    buf_add_char(out, ']');
}

static void write_object(struct buf *out, struct json_object *object, size_t depth)
{
    bool first = true;

    buf_add_char(out, '{');
    for (JSON_EACH(member, object)) {
        if (out->overflow)
            return;
        if (!first)
            buf_add_char(out, ',');
        first = false;
        json_write_string(out, str_from_c(json_key(member)));
        buf_add_char(out, ':');
        write_value(out, json_value(member), depth + 1);
    }
    buf_add_char(out, '}');
}

static void write_value(struct buf *out, struct json_object *value, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    switch (json_object_get_type(value)) {
    case json_type_null:
        buf_add(out, STR("null"));
        break;
    case json_type_boolean:
        buf_add(out, json_object_get_boolean(value) ? STR("true") : STR("false"));
        break;
    case json_type_int:
        write_integer(out, value);
        break;
    case json_type_double:
        write_number(out, value);
        break;
    case json_type_string:
        json_write_string(out, json_str(value));
        break;
    case json_type_array:
        write_array(out, value, depth);
        break;
    case json_type_object:
        write_object(out, value, depth);
        break;
    }
}

void json_write(struct buf *out, struct json_object *value)
{
    write_value(out, value, 0);
}

struct str json_text(struct arena *arena, struct json_object *value)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    json_write(&text, value);
    return arena_copy(arena, buf_str(&text));
}
