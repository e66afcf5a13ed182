/*
 * plain.c - see plain.h.
 */
#include "schema/plain.h"

/* More names than that are left to the metaschema, whose check of uniqueness is not quadratic. */
enum { NAMES_MAX = 16 };

static bool is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

static bool is_size(struct json_object *value)
{
    int64_t integer;

    return json_object_is_type(value, json_type_int) && json_int64(value, &integer) && integer >= 0;
}

static bool is_among(struct json_object *array, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(json_str(json_at(array, i)), name))
            return true;
    }
    return false;
}

static bool are_names(struct json_object *array)
{
    size_t count = json_is_array(array) ? json_count(array) : SIZE_MAX;

    if (count > NAMES_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_at(array, i)) || is_among(array, i, json_str(json_at(array, i))))
            return false;
    }
    return true;
}

static bool is_id(struct json_object *value)
{
    struct str text = json_is_string(value) ? json_str(value) : STR("#");

    return text.len == 0 || !memchr(text.ptr, '#', text.len);
}

static bool is_full(struct json_object *value)
{
    return json_is_array(value) && json_count(value) > 0;
}

/* `items` is a schema or, until 2019-09, an array of them. */
static bool is_either(const struct dialect *dialect, struct json_object *value)
{
    return !json_is_array(value) ||
           (dialect->draft != SCHEMA_DRAFT_2020_12 && json_count(value) > 0);
}

bool plain_value(const struct dialect *dialect, const struct keyword *keyword,
                 struct json_object *value)
{
    if (dialect->draft > SCHEMA_DRAFT_7)
        return false;
    switch ((enum holds)keyword->holds) {
    case HOLDS_ANY:
    case HOLDS_SCHEMA:
        return true;
    case HOLDS_STRING:
        return json_is_string(value);
    case HOLDS_BOOLEAN:
        return json_object_is_type(value, json_type_boolean);
    case HOLDS_ARRAY:
        return json_is_array(value);
    case HOLDS_NUMBER:
        return is_number(value);
    case HOLDS_POSITIVE:
        return is_number(value) && json_double(value) > 0;
    case HOLDS_SIZE:
        return is_size(value);
    case HOLDS_TYPE:
        return json_is_string(value) && dialect_type(json_str(value)) != 0;
    case HOLDS_NAMES:
        return are_names(value);
    case HOLDS_ID:
        return is_id(value);
    case HOLDS_SCHEMAS:
        return is_full(value);
    case HOLDS_EITHER:
        return is_either(dialect, value);
    case HOLDS_MAP:
        return json_is_object(value);
    case HOLDS_SOME:
    case HOLDS_OTHER:
        break;
    }
    return false;
}
