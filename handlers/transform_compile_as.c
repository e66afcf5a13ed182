/*
 * transform_compile_as.c - `as`: the conversions of a field and their arguments.
 */
#include <assert.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "handlers/transform_compile.h"

/* What goes on with one conversion. */
struct compiling_step {
    struct transform_compiler *compiler;
    struct transform_node node; /* its argument; the conversion itself if it takes none */
    struct transform_step *step;
};

static void complain(const struct compiling_step *compiling, const char *what)
{
    settings_complain(compiling->compiler->settings, compiling->node.pointer, "%s", what);
}

static void release_regex(void *regex)
{
    regex_destroy(regex);
}

static bool compile_regex(struct compiling_step *compiling, struct str pattern)
{
    struct error err;

    if (!regex_create_capturing(pattern, &compiling->step->regex, &err)) {
        (void)fail_within(&err, "not a regular expression");
        complain(compiling, err.text);
        return false;
    }
    arena_own(compiling->compiler->arena, compiling->step->regex, release_regex);
    if (compiling->compiler->lint && !regex_can_match(pattern))
        complain(compiling, "no text matches this regular expression");
    return true;
}

static void compile_text(struct compiling_step *compiling)
{
    compiling->step->text = arena_copy(compiling->compiler->arena, json_str(compiling->node.value));
}

static void compile_extract(struct compiling_step *compiling)
{
    (void)compile_regex(compiling, json_str(compiling->node.value));
}

/* The replacement's pieces so far. */
struct pieces {
    struct transform_piece *list;
    size_t count;
    size_t capacity;
};

static void add_piece(struct pieces *pieces, struct str text, int group)
{
    pieces->list = mem_grow(pieces->list, pieces->count, &pieces->capacity, sizeof(*pieces->list));
    pieces->list[pieces->count++] = (struct transform_piece){ text, group };
}

/* The group that `$` and the next character stand for; -1: none, -2: a `$`. */
static int group_of(struct str rest)
{
    if (rest.len < 2)
        return -1;
    if (rest.ptr[1] == '$')
        return -2;
    if (rest.ptr[1] == '&')
        return 0;
    return rest.ptr[1] >= '1' && rest.ptr[1] <= '9' ? rest.ptr[1] - '0' : -1;
}

/* Divide a replacement at `$1` to `$9`, `$&` and `$$`. */
static void take_pieces(struct compiling_step *compiling, struct str text, struct pieces *pieces)
{
    size_t at = 0;

    while (at < text.len) {
        struct str rest = str_from(text, at);
        int group = rest.ptr[0] == '$' ? group_of(rest) : -1;

        if (group == -1) {
            at++;
            continue;
        }
        if (group > (int)regex_group_count(compiling->step->regex)) {
            complain(compiling, "the replacement names a group that the expression does not have");
            return;
        }
        /* Of `$$` the first character belongs to the text before. */
        add_piece(pieces, (struct str){ text.ptr, at + (group == -2 ? 1 : 0) },
                  group == -2 ? -1 : group);
        text = str_from(text, at + 2);
        at = 0;
    }
    add_piece(pieces, text, -1);
}

static void compile_replace(struct compiling_step *compiling)
{
    struct arena *arena = compiling->compiler->arena;
    struct str text = arena_copy(arena, json_str(json_at(compiling->node.value, 1)));
    struct pieces pieces = { 0 };

    if (!compile_regex(compiling, json_str(json_at(compiling->node.value, 0))))
        return;
    take_pieces(compiling, text, &pieces);
    if (pieces.count > 0)
        compiling->step->pieces =
            arena_keep(arena, pieces.list, pieces.count * sizeof(*pieces.list));
    compiling->step->piece_count = pieces.count;
    mem_free(pieces.list);
}

static void compile_range(struct compiling_step *compiling)
{
    struct json_object *range = compiling->node.value;

    (void)json_int64(json_at(range, 0), &compiling->step->from);
    compiling->step->to = INT64_MAX;
    if (json_count(range) > 1)
        (void)json_int64(json_at(range, 1), &compiling->step->to);
}

static void compile_integer(struct compiling_step *compiling)
{
    (void)json_int64(compiling->node.value, &compiling->step->from);
}

/* Secrets. */

/* A path as the file means it: relative to the file's folder. */
static const char *resolve(struct arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');

    if (*path == '/' || !slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path).ptr;
}

static void release_secret(void *secret)
{
    secret_free(*(struct str *)secret);
}

static void compile_secret(struct compiling_step *compiling)
{
    struct transform_compiler *compiler = compiling->compiler;
    struct str *secret = arena_alloc(compiler->arena, sizeof(*secret));
    const char *path = resolve(compiler->arena, compiler->path,
                               arena_copy(compiler->arena, json_str(compiling->node.value)).ptr);
    struct error err;

    if (compiler->lint && compiler->lint->file)
        compiler->lint->file(compiler->lint->self, path);
    if (!file_read_regular(path, SECRET_FILE_MAX, secret, &err)) {
        complain(compiling, err.text);
        return;
    }
    arena_own(compiler->arena, secret, release_secret);
    compiling->step->text = *secret;
    if (str_ends_with(compiling->step->text, STR("\n")))
        compiling->step->text.len--;
    if (str_ends_with(compiling->step->text, STR("\r")))
        compiling->step->text.len--;
    if (compiling->step->text.len == 0)
        complain(compiling, arena_printf(compiler->arena, "%s is empty", path).ptr);
}

/* Chains. */

static void compile_nothing(struct compiling_step *compiling)
{
    (void)compiling;
}

static const struct transform_conversion *find_conversion(struct str name)
{
    for (size_t i = 0; i < transform_conversion_count; i++)
        if (str_equal(name, str_from_c(transform_conversions[i].name)))
            return &transform_conversions[i];
    return NULL;
}

/* The JSON Schema has checked the name and its argument. */
static void compile_step(struct transform_compiler *compiler, const struct transform_node *node,
                         struct transform_step *step)
{
    static void (*const compilers[])(struct compiling_step *) = {
        [TRANSFORM_NO_ARGUMENT] = compile_nothing, [TRANSFORM_TEXT] = compile_text,
        [TRANSFORM_REGEX] = compile_extract,       [TRANSFORM_REGEX_AND_TEXT] = compile_replace,
        [TRANSFORM_RANGE] = compile_range,         [TRANSFORM_INTEGER] = compile_integer,
        [TRANSFORM_SECRET] = compile_secret,
    };
    struct compiling_step compiling = { compiler, *node, step };
    struct str name = json_is_string(node->value) ? json_str(node->value) : STR("");
    const struct transform_conversion *conversion;

    if (json_is_object(node->value)) {
        for (JSON_EACH(member, node->value)) {
            name = str_from_c(json_key(member));
            (void)transform_node_find(compiler, node, json_key(member), &compiling.node);
        }
    }
    conversion = find_conversion(name);
    assert(conversion);
    step->convert = conversion->convert;
    compilers[conversion->argument](&compiling);
}

void transform_compile_as(struct transform_compiler *compiler, const struct transform_node *node,
                          struct transform_field *field)
{
    size_t count = transform_node_count(node);
    struct transform_step *steps = arena_alloc(compiler->arena, count * sizeof(*steps));

    for (size_t i = 0; i < count; i++) {
        struct transform_node one = transform_node_at(compiler, node, i);

        if (!transform_node_is_refused(compiler, &one))
            compile_step(compiler, &one, &steps[i]);
    }
    field->steps = steps;
    field->step_count = count;
}
