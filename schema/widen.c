/*
 * widen.c - see widen.h.
 *
 * A member called additionalProperties is a keyword only in a schema. It is not a keyword among the
 * property names in `properties` and similar keywords, nor in a value such as that of `const`.
 */
/* NOLINTBEGIN(misc-no-recursion): the reader limits the depth of documents */
#include "schema/widen.h"

#include <string.h>

static const char additional[] = "additionalProperties";

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Is the value of this keyword an object whose members are schemas? */
static bool is_schema_map(const char *key)
{
    static const char *const keys[] = { "properties", "patternProperties", "definitions",
                                        "$defs",      "dependentSchemas",  "dependencies" };

    return is_one_of(key, keys, COUNT_OF(keys));
}

/*
 * Must the value of this keyword stay as it is? Some values are not schemas. A `not` or `if` that
 * allows more can make the schema around it reject more.
 */
static bool is_skipped(const char *key)
{
    static const char *const keys[] = { "const", "enum", "default", "examples", "not", "if" };

    return is_one_of(key, keys, COUNT_OF(keys));
}

static bool is_false(struct json_object *value)
{
    return json_kind(value) == JSON_BOOLEAN && !json_object_get_boolean(value);
}

static size_t widen(struct json_object *value);

static size_t widen_members(struct json_object *object)
{
    size_t changed = 0;

    for (JSON_EACH(member, object))
        changed += widen(json_value(member));
    return changed;
}

static size_t widen_schema(struct json_object *schema)
{
    struct json_object *found = NULL;
    size_t changed = 0;

    if (json_find(schema, additional, &found) && is_false(found)) {
        (void)json_object_object_add(schema, additional, json_object_new_boolean(1));
        changed++;
    }
    for (JSON_EACH(member, schema)) {
        struct json_object *value = json_value(member);

        if (is_skipped(json_key(member)))
            continue;
        changed += is_schema_map(json_key(member)) && json_is_object(value) ? widen_members(value)
                                                                            : widen(value);
    }
    return changed;
}

static size_t widen(struct json_object *value)
{
    size_t changed = 0;

    if (json_is_object(value))
        return widen_schema(value);
    for (size_t i = 0; json_is_array(value) && i < json_count(value); i++)
        changed += widen(json_at(value, i));
    return changed;
}

size_t schema_widen(struct json_object *document)
{
    size_t changed = widen(document);

    if (json_is_object(document) && !json_find(document, additional, NULL)) {
        (void)json_object_object_add(document, additional, json_object_new_boolean(1));
        changed++;
    }
    return changed;
}
/* NOLINTEND(misc-no-recursion) */
