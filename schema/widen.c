/*
 * widen.c - see widen.h.
 *
 * A member called additionalProperties is a keyword only in a schema. It is not a keyword among the
 * property names in `properties` and similar keywords, nor in a value such as that of `const`.
 */
/* NOLINTBEGIN(misc-no-recursion): the reader limits the depth of documents */
#include "schema/widen.h"

static const struct str additional = STR_INIT("additionalProperties");

static bool is_one_of(struct str key, const struct str *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(key, keys[i]))
            return true;
    return false;
}

/* Is the value of this keyword an object whose members are schemas? */
static bool is_schema_map(struct str key)
{
    static const struct str keys[] = {
        STR_INIT("properties"), STR_INIT("patternProperties"), STR_INIT("definitions"),
        STR_INIT("$defs"),      STR_INIT("dependentSchemas"),  STR_INIT("dependencies"),
    };

    return is_one_of(key, keys, COUNT_OF(keys));
}

/*
 * Must the value of this keyword stay as it is? Some values are not schemas. A `not` or `if` that
 * allows more can make the schema around it reject more.
 */
static bool is_skipped(struct str key)
{
    static const struct str keys[] = { STR_INIT("const"),    STR_INIT("enum"), STR_INIT("default"),
                                       STR_INIT("examples"), STR_INIT("not"),  STR_INIT("if") };

    return is_one_of(key, keys, COUNT_OF(keys));
}

static bool is_false(const struct flat *value)
{
    return flat_is_boolean(value) && !flat_is_true(value);
}

static size_t write_schema(struct buf *out, const struct flat *value);

/* The members of an object, each value written by `write`. */
static size_t write_members(struct buf *out, const struct flat *object,
                            size_t (*write)(struct buf *out, const struct flat *member))
{
    size_t changes = 0;

    for (FLAT_EACH(member, object)) {
        if (member->index > 0)
            buf_add_char(out, ',');
        flat_write_key(out, member);
        buf_add_char(out, ':');
        changes += write(out, member);
    }
    return changes;
}

/* The value of a schema's member. */
static size_t write_keyword(struct buf *out, const struct flat *member)
{
    struct str key = flat_key(member);
    size_t changes;

    if (str_equal(key, additional) && is_false(member)) {
        buf_add(out, STR("true"));
        return 1;
    }
    if (is_skipped(key)) {
        flat_write(out, member);
        return 0;
    }
    if (!is_schema_map(key) || !flat_is_object(member))
        return write_schema(out, member);
    buf_add_char(out, '{');
    changes = write_members(out, member, write_schema);
    buf_add_char(out, '}');
    return changes;
}

/* A schema, or an array of schemas. */
static size_t write_schema(struct buf *out, const struct flat *value)
{
    size_t changes = 0;

    if (flat_is_object(value)) {
        buf_add_char(out, '{');
        changes = write_members(out, value, write_keyword);
        buf_add_char(out, '}');
    } else if (flat_is_array(value)) {
        buf_add_char(out, '[');
        for (FLAT_EACH(element, value)) {
            if (element->index > 0)
                buf_add_char(out, ',');
            changes += write_schema(out, element);
        }
        buf_add_char(out, ']');
    } else {
        flat_write(out, value);
    }
    return changes;
}

size_t schema_widen(struct buf *out, const struct flat *document)
{
    size_t changes;

    if (!flat_is_object(document) || flat_find(document, additional))
        return write_schema(out, document);
    buf_add_char(out, '{');
    changes = write_members(out, document, write_keyword);
    buf_add(out, flat_count(document) > 0 ? STR(",\"additionalProperties\":true}")
                                          : STR("\"additionalProperties\":true}"));
    return changes + 1;
}
/* NOLINTEND(misc-no-recursion) */
