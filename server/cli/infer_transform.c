/*
 * infer_transform.c - from a shape to a transform: a field for each scalar, with a comment.
 *
 * Objects are followed where no value is in their place but null, arrays where their elements are
 * all objects, or no containers. What is not followed is taken as it is.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as DEPTH_MAX */
#include "base/chars.h"
#include "server/cli/infer_internal.h"

enum {
    DEPTH_MAX = 7,        /* arrays in arrays and objects that are followed */
    ITEMS_MAX = 10000,    /* elements that a transform goes through */
    NAME_MAX_BYTES = 200, /* of a field */
    POINTER_MAX = 64 * 1024,
};

/* The list of fields that is written. */
struct fields {
    struct buf *out;
    int indent;
    size_t total;       /* objects that the values are in */
    struct buf names;   /* those that are in use, each between newlines */
    struct buf pointer; /* to the value at hand */
    struct buf name;    /* its name */
    bool may_be_null;   /* an object on the way may */
    size_t depth;
};

static void write_shape(struct fields *fields, const struct shape *shape, size_t count);

/* Can the text stand in YAML's braces without quotes? */
static bool is_bare(struct str text)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal(text, str_from_c(words[i])))
            return false;
    for (size_t i = 0; i < text.len; i++)
        if (!char_is_alnum(text.ptr[i]) && !char_is_one_of(text.ptr[i], "_/"))
            return false;
    return text.len > 0 && !char_is_digit(text.ptr[0]);
}

/*
 * The length of a character that YAML wants escaped and JSON does not (YAML 1.1, c-printable): DEL,
 * U+0080 to U+009F, U+FFFE and U+FFFF. 0: another one.
 */
static size_t take_unprintable(struct str text, unsigned *code)
{
    const unsigned char *at = (const unsigned char *)text.ptr;

    if (at[0] == 0x7f) {
        *code = at[0];
        return 1;
    }
    if (text.len >= 2 && at[0] == 0xc2 && at[1] < 0xa0) {
        *code = at[1];
        return 2;
    }
    if (text.len >= 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe) {
        *code = 0xffc0U + (at[2] & 0x3f);
        return 3;
    }
    return 0;
}

static void write_yaml_text(struct buf *out, struct str text)
{
    CLEANUP(buf_done) struct buf json;
    struct str rest;

    buf_init(&json, SIZE_MAX);
    if (is_bare(text)) {
        buf_add(out, text);
        return;
    }
    json_write_string(&json, text);
    for (rest = buf_str(&json); rest.len > 0;) {
        unsigned code;
        size_t len = take_unprintable(rest, &code);

        if (len > 0)
            buf_printf(out, "\\u%04x", code);
        else
            buf_add_char(out, rest.ptr[0]);
        rest = str_from(rest, len > 0 ? len : 1);
    }
}

/* Make the name at hand another one than those in use, and note it. */
static struct str take_name(struct fields *fields, struct arena *arena)
{
    struct str name = fields->name.len > 0 ? buf_str(&fields->name) : STR("value");
    struct str unique = name;
    struct str line = arena_printf(arena, "\n%.*s\n", STR_ARG(name));

    for (int i = 2; memmem(fields->names.ptr, fields->names.len, line.ptr, line.len); i++) {
        unique = arena_printf(arena, "%.*s_%d", STR_ARG(name), i);
        line = arena_printf(arena, "\n%.*s\n", STR_ARG(unique));
    }
    buf_add(&fields->names, line);
    return unique;
}

/* `  - { name: x, KEY: /y` */
static void open_field(struct fields *fields, const char *key)
{
    struct arena *arena = arena_create();

    buf_printf(fields->out, "%*s- { name: ", fields->indent, "");
    write_yaml_text(fields->out, take_name(fields, arena));
    buf_printf(fields->out, ", %s: ", key);
    write_yaml_text(fields->out, buf_str(&fields->pointer));
    if (fields->may_be_null)
        buf_add(fields->out, STR(", skip: \"null\""));
    arena_destroy(arena);
}

static const char *kind_of(const struct shape *shape)
{
    static const struct {
        enum json_kind kind;
        const char *words;
    } kinds[] = {
        { JSON_STRING, "text" },   { JSON_INTEGER, "integer" }, { JSON_BOOLEAN, "boolean" },
        { JSON_OBJECT, "object" }, { JSON_ARRAY, "array" },     { JSON_NULL, "null" },
        { JSON_NUMBER, "number" },
    };

    if (shape_format(shape) && shape_is(shape, JSON_STRING, JSON_NULL))
        return shape_format(shape);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (shape_is(shape, kinds[i].kind, JSON_NULL))
            return kinds[i].words;
    return "of several types";
}

/* ` }  # text, in 3 of 5` */
static void close_field(struct fields *fields, const struct shape *shape, size_t count)
{
    bool always = count == fields->total && !fields->may_be_null;

    buf_add(fields->out, always ? STR(" } # ") : STR(", default: null } # "));
    buf_add(fields->out, str_from_c(kind_of(shape)));
    if (shape->kinds[JSON_NULL] > 0 && shape->kinds[JSON_NULL] < shape->count)
        buf_add(fields->out, STR(" or null"));
    if (!always)
        buf_printf(fields->out, ", in %zu of %zu", count, fields->total);
    buf_add_char(fields->out, '\n');
}

/* A list of fields for the elements of an array; `fields->total` counts elements. */
static void write_elements(struct fields *fields, const struct shape *items)
{
    struct fields inner = { .out = fields->out,
                            .indent = fields->indent + 4,
                            .total = items->count,
                            .depth = fields->depth + 1 };

    buf_init(&inner.names, POINTER_MAX);
    buf_init(&inner.name, NAME_MAX_BYTES);
    buf_init(&inner.pointer, POINTER_MAX);
    buf_add_char(&inner.names, '\n');
    write_shape(&inner, items, items->count);
    buf_done(&inner.names);
    buf_done(&inner.name);
    buf_done(&inner.pointer);
}

/* An array of objects that is there `count` times. */
static void write_each(struct fields *fields, const struct shape *shape, size_t count)
{
    struct arena *arena = arena_create();
    bool may_be_null = fields->may_be_null || shape->kinds[JSON_NULL] > 0;
    int indent = fields->indent + 2;

    buf_printf(fields->out, "%*s- name: ", fields->indent, "");
    write_yaml_text(fields->out, take_name(fields, arena));
    buf_printf(fields->out, "\n%*seach: ", indent, "");
    write_yaml_text(fields->out, buf_str(&fields->pointer));
    if (may_be_null)
        buf_printf(fields->out, "\n%*sskip: \"null\"", indent, "");
    if (may_be_null || count < fields->total)
        buf_printf(fields->out, "\n%*sdefault: []", indent, "");
    buf_printf(fields->out, "\n%*sfields:\n", indent, "");
    write_elements(fields, shape->items);
    arena_destroy(arena);
}

static bool has_members(const struct shape *shape)
{
    return !shape->is_map && shape->member_count > 0;
}

/* Add `eventTime` as `event_time`. */
static void add_snake(struct buf *out, struct str name)
{
    if (out->len > 0)
        buf_add_char(out, '_');
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (i > 0 && char_is_upper(c) && char_is_lower(name.ptr[i - 1]))
            buf_add_char(out, '_');
        if (!char_is_alnum(c))
            c = '_';
        buf_add_char(out, char_lower(c));
    }
}

static void write_member(struct fields *fields, const struct shape_member *member, size_t count)
{
    size_t pointer_len = fields->pointer.len;
    size_t name_len = fields->name.len;
    size_t count_here = member->count < count ? member->count : count;

    buf_add_char(&fields->pointer, '/');
    json_write_pointer_token(&fields->pointer, member->name);
    add_snake(&fields->name, member->name);
    write_shape(fields, member->shape, count_here);
    fields->pointer.len = pointer_len;
    fields->name.len = name_len;
    fields->name.overflow = false;
}

/* The fields of a value that is there `count` times. */
static void write_shape(struct fields *fields, const struct shape *shape, size_t count)
{
    bool deep = fields->depth + 1 >= DEPTH_MAX;
    bool was_null = fields->may_be_null;

    if (shape_is(shape, JSON_OBJECT, JSON_NULL) && has_members(shape)) {
        fields->may_be_null = was_null || shape->kinds[JSON_NULL] > 0;
        for (size_t i = 0; i < shape->member_count; i++)
            write_member(fields, &shape->members[i], count);
        fields->may_be_null = was_null;
        return;
    }
    if (!deep && shape->items && shape->longest <= ITEMS_MAX &&
        shape_is(shape, JSON_ARRAY, JSON_NULL) &&
        shape_is(shape->items, JSON_OBJECT, JSON_OBJECT) && has_members(shape->items)) {
        write_each(fields, shape, count);
        return;
    }
    open_field(fields, "from");
    close_field(fields, shape, count);
}

void infer_write_transform(struct buf *out, const struct shape *shape)
{
    struct fields fields = { .out = out, .indent = 2, .total = shape->count };

    buf_init(&fields.names, POINTER_MAX);
    buf_init(&fields.name, NAME_MAX_BYTES);
    buf_init(&fields.pointer, POINTER_MAX);
    buf_add_char(&fields.names, '\n');
    buf_printf(out,
               "# Proposed from %zu events: keep what the record needs, and give it good names.\n"
               "# docs/transforms.md describes what a field may have.\nfields:\n",
               shape->count);
    write_shape(&fields, shape, shape->count);
    buf_done(&fields.names);
    buf_done(&fields.name);
    buf_done(&fields.pointer);
}
/* NOLINTEND(misc-no-recursion) */
