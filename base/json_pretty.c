/*
 * json_pretty.c - from tree to text for people: a member or element a line.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as the reader lets a tree be */
#include "base/json.h"

enum { INDENT = 2 };

static void write_value(struct buf *out, struct json_object *value, int indent);

static void new_line(struct buf *out, int indent)
{
    buf_printf(out, "\n%*s", indent, "");
}

static void write_array(struct buf *out, struct json_object *array, int indent)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_count(array); i++) {
        if (i > 0)
            buf_add_char(out, ',');
        new_line(out, indent + INDENT);
        write_value(out, json_at(array, i), indent + INDENT);
    }
    if (json_count(array) > 0)
        new_line(out, indent);
    buf_add_char(out, ']');
}

static void write_object(struct buf *out, struct json_object *object, int indent)
{
    bool is_empty = true;

    buf_add_char(out, '{');
    for (JSON_EACH(member, object)) {
        if (!is_empty)
            buf_add_char(out, ',');
        is_empty = false;
        new_line(out, indent + INDENT);
        json_write_string(out, str_from_c(json_key(member)));
        buf_add(out, STR(": "));
        write_value(out, json_value(member), indent + INDENT);
    }
    if (!is_empty)
        new_line(out, indent);
    buf_add_char(out, '}');
}

static void write_value(struct buf *out, struct json_object *value, int indent)
{
    if (json_is_array(value))
        write_array(out, value, indent);
    else if (json_is_object(value))
        write_object(out, value, indent);
    else
        json_write(out, value);
}

void json_write_pretty(struct buf *out, struct json_object *value)
{
    write_value(out, value, 0);
    buf_add_char(out, '\n');
}
/* NOLINTEND(misc-no-recursion) */
