/*
 * library_copy.c - a schema's own copy of a document.
 *
 * json_object_deep_copy() refuses numbers that keep their text, so those go through the writer and
 * the reader; all else is made anew, several times faster than by way of text.
 */
/* NOLINTBEGIN(misc-no-recursion): no deeper than the reader lets a document be */
#include "schema/library.h"

static bool copy_value(struct json_object *value, struct json_object **out, size_t depth,
                       struct error *err);

static bool copy_number(struct json_object *value, struct json_object **out, struct error *err)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    json_write(&text, value);

    bool ok = json_read(buf_str(&text), NULL, out, err);

    buf_done(&text);
    return ok;
}

static struct json_object *copy_integer(struct json_object *value)
{
    int64_t integer = json_object_get_int64(value);

    /* json-c shows larger ones as INT64_MAX. */
    if (integer == INT64_MAX)
        return json_object_new_uint64(json_object_get_uint64(value));
    return json_object_new_int64(integer);
}

static bool copy_array(struct json_object *value, struct json_object *copy, size_t depth,
                       struct error *err)
{
    for (size_t i = 0; i < json_count(value); i++) {
        struct json_object *element = NULL;

        if (!copy_value(json_at(value, i), &element, depth, err))
            return false;
        (void)json_object_array_add(copy, element);
    }
    return true;
}

static bool copy_object(struct json_object *value, struct json_object *copy, size_t depth,
                        struct error *err)
{
    for (JSON_EACH(member, value)) {
        struct json_object *element = NULL;

        if (!copy_value(json_value(member), &element, depth, err))
            return false;
        (void)json_object_object_add_ex(copy, json_key(member), element,
                                        JSON_C_OBJECT_ADD_KEY_IS_NEW);
    }
    return true;
}

/* On failure `*out` may hold a part, to be released all the same. */
static bool copy_value(struct json_object *value, struct json_object **out, size_t depth,
                       struct error *err)
{
    if (depth > JSON_DEPTH_LIMIT)
        return fail(err, ERR_MALFORMED, "deeper than %d levels", (int)JSON_DEPTH_LIMIT);
    switch (json_object_get_type(value)) {
    case json_type_boolean:
        *out = json_object_new_boolean(json_object_get_boolean(value));
        return true;
    case json_type_int:
        *out = copy_integer(value);
        return true;
    case json_type_double:
        return copy_number(value, out, err);
    case json_type_string:
        *out = json_object_new_string_len(json_str(value).ptr, (int)json_str(value).len);
        return true;
    case json_type_array:
        *out = json_object_new_array_ext((int)json_count(value));
        return copy_array(value, *out, depth + 1, err);
    case json_type_object:
        *out = json_object_new_object();
        return copy_object(value, *out, depth + 1, err);
    case json_type_null:
        break;
    }
    *out = NULL;
    return true;
}

bool library_copy(struct library *library, struct json_object *document, struct json_object **out,
                  struct error *err)
{
    struct json_object *copy = NULL;
    bool ok = copy_value(document, &copy, 0, err);

    arena_own(library->arena, copy, json_release);
    if (ok)
        *out = copy;
    return ok;
}
/* NOLINTEND(misc-no-recursion) */
