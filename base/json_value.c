/*
 * json_value.c - kinds and numbers of json-c's values; see json.h.
 */
#include <math.h>

#include "base/json_internal.h"

#define TWO_TO_63 9223372036854775808.0

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

int64_t json_find_int64(struct json_object *object, const char *key)
{
    struct json_object *value;
    int64_t number = 0;

    if (json_find(object, key, &value) && json_kind(value) == JSON_INTEGER)
        (void)json_int64(value, &number);
    return number;
}

bool json_find_true(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_find(object, key, &value) && json_kind(value) == JSON_BOOLEAN &&
           json_object_get_boolean(value);
}

double json_double(struct json_object *number)
{
    int64_t integer = json_object_get_int64(number);

    /* json-c returns INT64_MAX for every integer above it, too. */
    if (json_object_is_type(number, json_type_int))
        return integer == INT64_MAX ? (double)json_object_get_uint64(number) : (double)integer;
    return json_object_get_double(number);
}

bool json_int64(struct json_object *number, int64_t *value)
{
    double real = json_object_get_double(number);

    if (json_object_is_type(number, json_type_int)) {
        if (json_object_get_uint64(number) > INT64_MAX)
            return false;
        *value = json_object_get_int64(number);
        return true;
    }
    /* An integer with its own text is zero, or does not fit. */
    if (!(real >= -TWO_TO_63 && real < TWO_TO_63) || trunc(real) != real ||
        (json_kind(number) == JSON_INTEGER && real != 0))
        return false;
    *value = (int64_t)real;
    return true;
}
