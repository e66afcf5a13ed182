/*
 * transform_compile_text.c - `text` with its pointers in braces, and `without`.
 */
#include "base/chars.h"
#include "base/memory.h"
#include "handlers/transform_compile.h"

/* The parts of `text` so far. */
struct parts {
    struct transform_compiler *compiler;
    const struct transform_node *node;
    struct transform_part *list;
    size_t count;
    size_t capacity;
    struct buf literal; /* the text before the next pointer */
};

static void add_part(struct parts *parts, const struct transform_source *source)
{
    struct arena *arena = parts->compiler->arena;

    parts->list = mem_grow(parts->list, parts->count, &parts->capacity, sizeof(*parts->list));
    parts->list[parts->count++] =
        (struct transform_part){ arena_copy(arena, buf_str(&parts->literal)), source };
    buf_clear(&parts->literal);
}

/* Take a pointer, behind its brace. */
static void take_pointer(struct parts *parts, struct str *rest)
{
    struct arena *arena = parts->compiler->arena;
    struct transform_source *source = arena_alloc(arena, sizeof(*source));
    const char *end = rest->len > 0 ? memchr(rest->ptr, '}', rest->len) : NULL;
    struct str pointer = { rest->ptr, end ? (size_t)(end - rest->ptr) : 0 };

    if (!end) {
        settings_complain(parts->compiler->settings, parts->node->pointer,
                          "a { has no } behind it; {{ is a brace");
        return;
    }
    *rest = str_from(*rest, pointer.len + 1);
    if (transform_compile_source(parts->compiler, pointer, parts->node, source))
        add_part(parts, source);
}

static void take_part(struct parts *parts, struct str *rest)
{
    char c = rest->ptr[0];
    bool is_double = rest->len > 1 && rest->ptr[1] == c;

    *rest = str_from(*rest, (c == '{' || c == '}') && is_double ? 2 : 1);
    if (c == '{' && !is_double)
        take_pointer(parts, rest);
    else
        buf_add_char(&parts->literal, c);
}

void transform_compile_text(struct transform_compiler *compiler, const struct transform_node *node,
                            struct transform_field *field)
{
    struct parts parts = { .compiler = compiler, .node = node };
    struct str rest = json_str(node->value);

    buf_init(&parts.literal, YAML_MAX_BYTES);
    while (rest.len > 0)
        take_part(&parts, &rest);
    add_part(&parts, NULL);
    field->parts = arena_keep(compiler->arena, parts.list, parts.count * sizeof(*parts.list));
    field->part_count = parts.count;
    mem_free(parts.list);
    buf_done(&parts.literal);
}

/* `without`. */

/* The cut for `token` below `cut`, added if it is not there. */
static struct transform_cut *cut_below(struct arena *arena, struct transform_cut *cut,
                                       struct str token)
{
    struct transform_cut *inner;

    for (size_t i = 0; i < cut->inner_count; i++)
        if (str_equal(cut->inner[i].token, token))
            return (struct transform_cut *)&cut->inner[i];
    inner = arena_alloc(arena, (cut->inner_count + 1) * sizeof(*inner));
    if (cut->inner_count > 0)
        memcpy(inner, cut->inner, cut->inner_count * sizeof(*inner));
    inner[cut->inner_count].token = token;
    cut->inner = inner;
    return &inner[cut->inner_count++];
}

void transform_compile_without(struct transform_compiler *compiler,
                               const struct transform_node *node, struct transform_field *field)
{
    struct transform_cut *root = arena_alloc(compiler->arena, sizeof(*root));

    for (size_t i = 0; i < json_count(node->value); i++) {
        struct str pointer = json_str(json_at(node->value, i));
        struct transform_cut *cut = root;

        while (pointer.len > 0)
            cut = cut_below(compiler->arena, cut, json_pointer_take(&pointer, compiler->arena));
        cut->whole = true;
    }
    field->cut = root;
}
