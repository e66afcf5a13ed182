/*
 * redact.c - see redact.h.
 */
#include "server/cli/redact.h"

#include "base/arena.h"
#include "base/flat.h"

static const char *type_of(const struct flat *value)
{
    switch (flat_kind(value)) {
    case JSON_STRING:
        return "<string>";
    case JSON_INTEGER:
        return "<integer>";
    case JSON_NUMBER:
        return "<number>";
    case JSON_BOOLEAN:
        return "<boolean>";
    default:
        return "<null>";
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): the reader limits the depth */
static void write_value(struct buf *out, const struct flat *value)
{
    bool is_object = flat_is_object(value);
    bool first = true;

    if (!is_object && !flat_is_array(value)) {
        json_write_string(out, str_from_c(type_of(value)));
        return;
    }
    buf_add_char(out, is_object ? '{' : '[');
    for (FLAT_EACH(member, value)) {
        if (!first)
            buf_add_char(out, ',');
        first = false;
        if (is_object) {
            json_write_string(out, flat_key(member));
            buf_add_char(out, ':');
        }
        write_value(out, member);
    }
    buf_add_char(out, is_object ? '}' : ']');
}

void redact_write(struct buf *out, const char *name, struct str text)
{
    const struct flat_options options = { 0 };
    struct arena *arena = arena_create();
    const struct flat *value;
    struct error err;

    buf_printf(out, ",\"%s\":", name);
    if (flat_read(arena, text, &options, &value, &err))
        write_value(out, value);
    else
        buf_add(out, STR("null"));
    arena_destroy(arena);
}
