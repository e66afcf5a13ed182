/*
 * infer_schema.c - from a shape to a JSON Schema of draft 7, which AWS Glue accepts.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as the values */
#include "server/cli/infer_internal.h"

enum { VALUES_PER_TEXT = 3 }; /* an enum needs so many values for each text */

static void write_types(struct buf *out, const struct shape *shape)
{
    static const char *const names[SHAPE_KINDS] = {
        [JSON_NULL] = "null",     [JSON_BOOLEAN] = "boolean", [JSON_INTEGER] = "integer",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",   [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };
    size_t count = 0;
    const char *separator = "";

    for (size_t i = 0; i < SHAPE_KINDS; i++)
        count += shape->kinds[i] > 0 && !(i == JSON_INTEGER && shape->kinds[JSON_NUMBER] > 0);
    buf_add(out, count > 1 ? STR("\"type\":[") : STR("\"type\":"));
    for (size_t i = 0; i < SHAPE_KINDS; i++) {
        if (shape->kinds[i] == 0 || (i == JSON_INTEGER && shape->kinds[JSON_NUMBER] > 0))
            continue;
        buf_printf(out, "%s\"%s\"", separator, names[i]);
        separator = ",";
    }
    if (count > 1)
        buf_add_char(out, ']');
}

static void write_enum(struct buf *out, const struct shape *shape)
{
    if (shape->has_many_texts || shape_format(shape) || !shape_is(shape, JSON_STRING, JSON_NULL) ||
        shape->kinds[JSON_STRING] < VALUES_PER_TEXT * shape->text_count)
        return;
    buf_add(out, STR(",\"enum\":["));
    for (size_t i = 0; i < shape->text_count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR(""));
        json_write_string(out, shape->texts[i]);
    }
    buf_add(out, shape->kinds[JSON_NULL] > 0 ? STR(",null]") : STR("]"));
}

static void write_node(struct buf *out, const struct shape *shape);

static void write_required(struct buf *out, const struct shape *shape)
{
    struct str separator = STR(",\"required\":[");

    for (size_t i = 0; i < shape->member_count; i++) {
        if (shape->members[i].count < shape->kinds[JSON_OBJECT])
            continue;
        buf_add(out, separator);
        json_write_string(out, shape->members[i].name);
        separator = STR(",");
    }
    if (separator.len == 1)
        buf_add_char(out, ']');
}

static void write_properties(struct buf *out, const struct shape *shape)
{
    if (shape->is_map || shape->member_count == 0)
        return;
    write_required(out, shape);
    buf_add(out, STR(",\"properties\":{"));
    for (size_t i = 0; i < shape->member_count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR(""));
        json_write_string(out, shape->members[i].name);
        buf_add_char(out, ':');
        write_node(out, shape->members[i].shape);
    }
    buf_add_char(out, '}');
}

static void write_keywords(struct buf *out, const struct shape *shape)
{
    const char *format = shape_format(shape);

    write_types(out, shape);
    if (format)
        buf_printf(out, ",\"format\":\"%s\"", format);
    write_enum(out, shape);
    write_properties(out, shape);
    if (shape->items) {
        buf_add(out, STR(",\"items\":"));
        write_node(out, shape->items);
    }
}

static void write_node(struct buf *out, const struct shape *shape)
{
    buf_add_char(out, '{');
    write_keywords(out, shape);
    buf_add_char(out, '}');
}

void infer_write_schema(struct buf *out, const struct shape *shape)
{
    CLEANUP(buf_done) struct buf compact;
    struct flat_options reading = { .max_depth = JSON_DEPTH_LIMIT };
    struct arena *arena = arena_create();
    const struct flat *tree = NULL;
    struct error err;

    buf_init(&compact, out->max);
    buf_add(&compact, STR("{\"$schema\":\"http://json-schema.org/draft-07/schema#\","));
    write_keywords(&compact, shape);
    buf_add_char(&compact, '}');
    if (flat_read(arena, buf_str(&compact), &reading, &tree, &err))
        flat_write_pretty(out, tree);
    arena_destroy(arena);
}
/* NOLINTEND(misc-no-recursion) */
