/*
 * transform_compile.c - the fields of a transform file.
 *
 * Each kind of field takes some of the keys; the table below says which.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as fields are nested, at most TRANSFORM_NEST_MAX */
#include <stdlib.h>

#include "base/memory.h"
#include "handlers/transform_compile.h"

bool transform_node_find(const struct transform_compiler *compiler,
                         const struct transform_node *object, const char *key,
                         struct transform_node *out)
{
    if (!json_find(object->value, key, &out->value))
        return false;
    out->pointer = settings_member_pointer(compiler->arena, object->pointer, key);
    return true;
}

size_t transform_node_count(const struct transform_node *list)
{
    return json_is_array(list->value) ? json_count(list->value) : 1;
}

struct transform_node transform_node_at(const struct transform_compiler *compiler,
                                        const struct transform_node *list, size_t index)
{
    if (!json_is_array(list->value))
        return *list;
    return (struct transform_node){
        .value = json_at(list->value, index),
        .pointer = arena_printf(compiler->arena, "%.*s/%zu", STR_ARG(list->pointer), index),
    };
}

bool transform_node_is_refused(const struct transform_compiler *compiler,
                               const struct transform_node *node)
{
    return settings_refuses(compiler->settings, node->pointer);
}

/* The member `key`, unless it is refused. */
static bool find_sound(const struct transform_compiler *compiler,
                       const struct transform_node *object, const char *key,
                       struct transform_node *out)
{
    return transform_node_find(compiler, object, key, out) &&
           !transform_node_is_refused(compiler, out);
}

/* Pointers. */

/* The pointer from the payload; ptr NULL: it is not known, or leads elsewhere. */
static struct str absolute(const struct transform_compiler *compiler,
                           const struct transform_source *source)
{
    const struct transform_base *base = compiler->base;
    struct str pointer = str_from(source->text, source->prefix.len);

    if (source->root == TRANSFORM_PAYLOAD)
        return pointer.ptr ? pointer : STR("");
    if (source->root == TRANSFORM_PARENT)
        base = base->outer;
    if ((source->root != TRANSFORM_HERE && source->root != TRANSFORM_PARENT) || !base->pointer.ptr)
        return STR_NONE;
    return arena_printf(compiler->arena, "%.*s%.*s", STR_ARG(base->pointer), STR_ARG(pointer));
}

static void look_at(struct transform_compiler *compiler, const struct transform_source *source,
                    const struct transform_node *node)
{
    const struct transform_lint *lint = compiler->lint;
    struct str pointer = absolute(compiler, source);
    const char *fault = NULL;

    if (lint && lint->fault && pointer.ptr)
        fault = lint->fault(lint->self, pointer);
    if (fault)
        settings_complain(compiler->settings, node->pointer, "%s", fault);
}

bool transform_compile_source(struct transform_compiler *compiler, struct str text,
                              const struct transform_node *node, struct transform_source *out)
{
    struct error err;

    if (!transform_source_init(compiler->arena, text, out, &err)) {
        settings_complain(compiler->settings, node->pointer, "%s", err.text);
        return false;
    }
    if (out->root == TRANSFORM_PARENT && !compiler->base->outer) {
        settings_complain(compiler->settings, node->pointer, "parent: is only inside each");
        return false;
    }
    look_at(compiler, out, node);
    return true;
}

static void compile_sources(struct transform_compiler *compiler, const struct transform_node *node,
                            struct transform_field *field)
{
    size_t count = transform_node_count(node);
    struct transform_source *sources = arena_alloc(compiler->arena, count * sizeof(*sources));
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        struct transform_node one = transform_node_at(compiler, node, i);

        if (transform_node_is_refused(compiler, &one) ||
            !transform_compile_source(compiler, json_str(one.value), &one, &sources[i]))
            ok = false;
    }
    if (!ok)
        return;
    field->sources = sources;
    field->source_count = count;
}

/* Patterns. */

static void release_pattern(void *pattern)
{
    pattern_destroy(pattern);
}

/* A pattern that lint looks at. */
struct linted_pattern {
    struct transform_compiler *compiler;
    const struct transform_node *node;
    struct str base;
};

static void look_at_need(void *self, const struct pattern_need *need)
{
    const struct linted_pattern *linted = self;
    struct transform_compiler *compiler = linted->compiler;
    const char *misfit = compiler->lint->misfit(compiler->lint->self, linted->base, need);

    if (misfit)
        settings_complain(compiler->settings,
                          arena_printf(compiler->arena, "%.*s%.*s", STR_ARG(linted->node->pointer),
                                       STR_ARG(need->pointer)),
                          "%s", misfit);
}

static void look_at_pattern(struct transform_compiler *compiler, const struct transform_node *node,
                            const struct flat *source)
{
    struct str base = compiler->base ? compiler->base->pointer : STR("");
    struct linted_pattern linted = { compiler, node, base };

    if (compiler->lint && compiler->lint->misfit && base.ptr)
        pattern_needs(source, compiler->arena, look_at_need, &linted);
}

const struct pattern *transform_compile_pattern(struct transform_compiler *compiler,
                                                const struct transform_node *node)
{
    const struct pattern_report report = { node->pointer, settings_on_problem, compiler->settings };
    struct arena *arena = arena_create();
    const struct flat *source = json_flatten(arena, node->value);
    struct pattern *pattern = NULL;

    if (pattern_create(source, &report, &pattern)) {
        arena_own(compiler->arena, pattern, release_pattern);
        look_at_pattern(compiler, node, source);
    }
    arena_destroy(arena);
    return pattern;
}

/* Keys. */

static const char *const source_keys[] = {
    "from", "value", "now", "text", "fields", "each", "copy"
};

/* What beside its source a field may have. */
static const struct {
    const char *keys; /* separated by spaces, with one at both ends */
    const char *what;
} kinds[] = {
    [TRANSFORM_FROM] = { " name from default required as map otherwise skip when ", "from" },
    [TRANSFORM_VALUE] = { " name value when ", "value" },
    [TRANSFORM_NOW] = { " name now when ", "now" },
    [TRANSFORM_TEMPLATE] = { " name text default required as map otherwise skip when ", "text" },
    [TRANSFORM_OBJECT] = { " name fields default required keep when ", "fields" },
    [TRANSFORM_EACH] = { " name each where fields from default required as map otherwise skip keep "
                         "when ",
                         "each" },
    [TRANSFORM_COPY] = { " copy without skip when ", "copy" },
};

/* The kind of a field by its keys. False: it has none, or several. */
static bool find_kind(const struct transform_node *node, enum transform_kind *kind)
{
    struct json_object *ignored;
    bool has_each = json_find(node->value, "each", &ignored);
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(source_keys); i++) {
        bool is_inner = has_each && (i == TRANSFORM_FROM || i == TRANSFORM_OBJECT);

        if (!is_inner && json_find(node->value, source_keys[i], &ignored)) {
            *kind = (enum transform_kind)i;
            count++;
        }
    }
    return count == 1;
}

static void check_each(struct transform_compiler *compiler, const struct transform_node *node)
{
    struct json_object *ignored;
    bool has_fields = json_find(node->value, "fields", &ignored);
    bool has_from = json_find(node->value, "from", &ignored);

    if (has_fields &&
        (json_find(node->value, "as", &ignored) || json_find(node->value, "map", &ignored)))
        settings_complain(compiler->settings, node->pointer, "as and map do not go with fields");
    if (has_from && json_find(node->value, "keep", &ignored))
        settings_complain(compiler->settings, node->pointer, "keep goes with fields only");
}

/* Do the field's keys go together? */
static void check_pairs(struct transform_compiler *compiler, const struct transform_node *node,
                        enum transform_kind kind)
{
    if (kind == TRANSFORM_EACH)
        check_each(compiler, node);
    for (JSON_EACH(member, node->value)) {
        struct str key = arena_printf(compiler->arena, " %s ", json_key(member));

        if (!strstr(kinds[kind].keys, key.ptr))
            settings_complain(
                compiler->settings,
                settings_member_pointer(compiler->arena, node->pointer, json_key(member)),
                "does not go with %s", kinds[kind].what);
    }
}

/* Has the field one source, a name, and what else its keys need? */
static void check_presence(struct transform_compiler *compiler, const struct transform_node *node,
                           bool is_known, enum transform_kind kind)
{
    struct json_object *ignored;

    if (!is_known) {
        settings_complain(compiler->settings, node->pointer,
                          "expected a field with exactly one of from, value, now, text, fields, "
                          "each and copy");
        return;
    }
    if (kind == TRANSFORM_EACH &&
        json_find(node->value, "fields", &ignored) == json_find(node->value, "from", &ignored))
        settings_complain(compiler->settings, node->pointer,
                          "expected each with exactly one of fields and from");
    if (kind != TRANSFORM_COPY && !json_find(node->value, "name", &ignored))
        settings_complain(compiler->settings,
                          settings_member_pointer(compiler->arena, node->pointer, "name"),
                          "is missing");
    if (json_find(node->value, "otherwise", &ignored) && !json_find(node->value, "map", &ignored))
        settings_complain(compiler->settings,
                          settings_member_pointer(compiler->arena, node->pointer, "otherwise"),
                          "goes with map only");
}

static enum transform_skip skip_of(struct json_object *value)
{
    /* `skip: null` without quotes is the value null. */
    if (!value || str_equal(json_str(value), STR("null")))
        return TRANSFORM_SKIP_NULL;
    return str_equal(json_str(value), STR("empty")) ? TRANSFORM_SKIP_EMPTY : TRANSFORM_SKIP_ABSENT;
}

static struct str prefix_of(struct arena *arena, struct str name)
{
    CLEANUP(buf_done) struct buf prefix;

    buf_init(&prefix, (size_t)2 * YAML_MAX_BYTES);
    json_write_string(&prefix, name);
    buf_add_char(&prefix, ':');
    return arena_copy(arena, buf_str(&prefix));
}

/* The keys that several kinds of fields share. */
static void compile_common(struct transform_compiler *compiler, const struct transform_node *node,
                           struct transform_field *field)
{
    struct transform_node at;

    if (find_sound(compiler, node, "name", &at)) {
        field->name = arena_copy(compiler->arena, json_str(at.value));
        field->prefix = prefix_of(compiler->arena, field->name);
    }
    if (find_sound(compiler, node, "required", &at))
        field->required = arena_copy(compiler->arena, json_str(at.value));
    if (find_sound(compiler, node, "default", &at) || find_sound(compiler, node, "value", &at))
        field->constant = json_text(compiler->arena, at.value);
    if (find_sound(compiler, node, "otherwise", &at))
        field->otherwise = json_text(compiler->arena, at.value);
    if (find_sound(compiler, node, "skip", &at))
        field->skip = skip_of(at.value);
    if (find_sound(compiler, node, "keep", &at))
        field->keep = json_object_get_boolean(at.value);
    if (find_sound(compiler, node, "map", &at))
        field->map = transform_map_create(compiler->arena, json_flatten(compiler->arena, at.value));
    if (transform_node_find(compiler, node, "as", &at))
        transform_compile_as(compiler, &at, field);
    if (find_sound(compiler, node, "when", &at))
        field->when = transform_compile_pattern(compiler, &at);
}

/* Nesting. */

static void compile_field_list(struct transform_compiler *compiler,
                               const struct transform_node *list, size_t parent);

/* Compile the inner fields of fields[parent], or only look for their problems. */
static void compile_inner(struct transform_compiler *compiler, const struct transform_node *node,
                          size_t parent)
{
    struct transform_node list;

    if (!transform_node_find(compiler, node, "fields", &list) || !json_is_array(list.value))
        return;
    if (compiler->level == TRANSFORM_NEST_MAX) {
        settings_complain(compiler->settings, list.pointer, "more than %d levels of fields",
                          TRANSFORM_NEST_MAX);
        return;
    }
    compiler->level++;
    compile_field_list(compiler, &list, parent);
    compiler->level--;
}

/* Compile what `each` makes of an element. */
static void compile_items(struct transform_compiler *compiler, const struct transform_node *node,
                          size_t index)
{
    struct transform_field *field = &compiler->fields[index];
    struct str pointer =
        field->source_count == 1 ? absolute(compiler, &field->sources[0]) : STR_NONE;
    const struct transform_base base = {
        .pointer =
            pointer.ptr ? arena_printf(compiler->arena, "%.*s/0", STR_ARG(pointer)) : STR_NONE,
        .outer = compiler->base,
    };
    struct transform_node at;

    if (compiler->each_level == TRANSFORM_EACH_MAX) {
        settings_complain(compiler->settings, node->pointer, "more than %d levels of each",
                          TRANSFORM_EACH_MAX);
        return;
    }
    compiler->base = &base;
    compiler->each_level++;
    if (find_sound(compiler, node, "where", &at))
        field->where = transform_compile_pattern(compiler, &at);
    if (find_sound(compiler, node, "from", &at)) {
        struct transform_source *item = arena_alloc(compiler->arena, sizeof(*item));

        if (json_is_array(at.value))
            settings_complain(compiler->settings, at.pointer, "expected one pointer inside each");
        else if (transform_compile_source(compiler, json_str(at.value), &at, item))
            field->item = item;
    }
    compile_inner(compiler, node, index);
    compiler->each_level--;
    compiler->base = base.outer;
}

/* Fields. */

/* Compile the inner fields of a field whose kind has a problem: where they start is not known. */
static void compile_inner_of_any(struct transform_compiler *compiler,
                                 const struct transform_node *node, size_t index)
{
    const struct transform_base base = { .pointer = STR_NONE, .outer = compiler->base };

    compiler->base = &base;
    compile_inner(compiler, node, index);
    compiler->base = base.outer;
}

/* `is_known`: the kind of the field. */
static void compile_kind(struct transform_compiler *compiler, const struct transform_node *node,
                         size_t index, bool is_known)
{
    struct transform_field *field = &compiler->fields[index];
    struct transform_node at;
    bool has_each = transform_node_find(compiler, node, "each", &at);

    if (!has_each && transform_node_find(compiler, node, "from", &at))
        compile_sources(compiler, &at, field);
    if (find_sound(compiler, node, "text", &at))
        transform_compile_text(compiler, &at, field);
    if (transform_node_find(compiler, node, "copy", &at))
        compile_sources(compiler, &at, field);
    if (find_sound(compiler, node, "without", &at))
        transform_compile_without(compiler, &at, field);
    if (transform_node_find(compiler, node, "each", &at)) {
        compile_sources(compiler, &at, field);
        compile_items(compiler, node, index);
    } else if (is_known) {
        compile_inner(compiler, node, index);
    } else {
        compile_inner_of_any(compiler, node, index);
    }
}

static bool is_direct(const struct transform_field *field)
{
    return field->is_plain && field->kind == TRANSFORM_FROM && field->source_count == 1 &&
           field->sources->root == TRANSFORM_HERE && field->skip == TRANSFORM_SKIP_ABSENT &&
           field->step_count == 0 && !field->map;
}

/* Has the JSON Schema refused a part of the field that is not another field? */
static bool is_refused(const struct transform_compiler *compiler, const struct transform_node *node)
{
    for (JSON_EACH(member, node->value)) {
        struct transform_node at;

        if (strcmp(json_key(member), "fields") != 0 &&
            !find_sound(compiler, node, json_key(member), &at))
            return true;
    }
    return false;
}

/* Keys that are refused may be meant to be those that are missing. */
static void compile_any(struct transform_compiler *compiler, const struct transform_node *node)
{
    size_t index = compiler->field_count;
    enum transform_kind kind = TRANSFORM_FROM;

    compiler->fields = mem_grow(compiler->fields, compiler->field_count, &compiler->field_capacity,
                                sizeof(*compiler->fields));
    compiler->fields[compiler->field_count++] = (struct transform_field){ 0 };
    if (!json_is_object(node->value))
        return;

    bool refused = settings_problem_count(compiler->settings) > 0 && is_refused(compiler, node);
    bool is_known = find_kind(node, &kind);

    if (!refused)
        check_presence(compiler, node, is_known, kind);
    if (is_known)
        check_pairs(compiler, node, kind);
    compiler->fields[index].kind = kind;
    compile_common(compiler, node, &compiler->fields[index]);
    compile_kind(compiler, node, index, is_known);
    compiler->fields[index].size = (uint32_t)(compiler->field_count - index);
    compiler->fields[index].is_plain = !compiler->fields[index].when;
    compiler->fields[index].is_direct = is_direct(&compiler->fields[index]);
}

/* Names that are there twice. */

struct name {
    struct str name;
    size_t field;
    size_t at; /* in the list */
};

static int compare_field_names(const void *a, const void *b)
{
    const struct name *left = a;
    const struct name *right = b;
    int order = str_compare(left->name, right->name);

    return order ? order : (left->field > right->field) - (left->field < right->field);
}

/* Fields of one name are rivals if each has a `when`. */
static void check_name(struct transform_compiler *compiler, const struct transform_node *list,
                       const struct name *names, size_t count)
{
    bool all = true;

    for (size_t i = 0; i < count; i++)
        all = all && compiler->fields[names[i].field].when;
    if (all && count > 1)
        compiler->rival_count++;
    for (size_t i = 0; i < count && count > 1; i++) {
        struct transform_node node = transform_node_at(compiler, list, names[i].at);

        if (all) {
            compiler->fields[names[i].field].rivals = compiler->rival_count;
            compiler->fields[names[i].field].is_plain = false;
        } else if (i > 0) {
            settings_complain(compiler->settings,
                              settings_member_pointer(compiler->arena, node.pointer, "name"),
                              "another field has this name already");
        }
    }
}

static void check_names(struct transform_compiler *compiler, const struct transform_node *list,
                        struct name *names, size_t count)
{
    qsort(names, count, sizeof(*names), compare_field_names);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;

        while (end < count && str_equal(names[end].name, names[i].name))
            end++;
        check_name(compiler, list, names + i, end - i);
        i = end;
    }
}

static void compile_field_list(struct transform_compiler *compiler,
                               const struct transform_node *list, size_t parent)
{
    size_t count = json_count(list->value);
    struct name *names = mem_alloc_array(count, sizeof(*names));
    size_t name_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct transform_node node = transform_node_at(compiler, list, i);
        size_t index = compiler->field_count;
        struct str name = json_is_object(node.value) ? json_find_str(node.value, "name") : STR_NONE;

        compile_any(compiler, &node);
        if (name.len > 0)
            names[name_count++] = (struct name){ name, index, i };
        if (compiler->fields[index].kind == TRANSFORM_COPY)
            compiler->fields[parent].copies = true;
    }
    check_names(compiler, list, names, name_count);
    mem_free(names);
}

void transform_compile_fields(struct transform_compiler *compiler,
                              const struct transform_node *list)
{
    const struct transform_base base = { .pointer = STR("") };

    compiler->base = &base;
    compiler->fields = mem_grow(compiler->fields, compiler->field_count, &compiler->field_capacity,
                                sizeof(*compiler->fields));
    compiler->fields[compiler->field_count++] =
        (struct transform_field){ .kind = TRANSFORM_OBJECT, .keep = true, .is_plain = true };
    if (json_is_array(list->value))
        compile_field_list(compiler, list, 0);
    compiler->fields[0].size = (uint32_t)compiler->field_count;
    compiler->base = NULL;
}
/* NOLINTEND(misc-no-recursion) */
