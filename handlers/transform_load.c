/*
 * transform_load.c - reads a transform file.
 *
 * conf/transform.schema.json, which is built in, checks the file, except for names that repeat.
 */
#include "handlers/transform.h"

#include "base/embed.h"
#include "base/memory.h"
#include "handlers/transform_internal.h"
#include "settings/settings.h"

EMBED(transform_schema, "conf/transform.schema.json");

enum { MAX_TEXT = 2 * YAML_MAX_BYTES };

static void release_pointer(void *pointer)
{
    json_pointer_destroy(pointer);
}

static void release_settings(struct settings **settings)
{
    settings_destroy(*settings);
}

/* Could the token be the index of an element? */
static bool is_index(struct str token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] < '0' || token.ptr[i] > '9')
            return false;
    return token.len > 0;
}

static bool compile(struct arena *arena, struct str text, struct json_pointer **out,
                    struct error *err)
{
    if (!json_pointer_create(text, out, err))
        return false;
    arena_own(arena, *out, release_pointer);
    return true;
}

/* Fill in the paths and the parents, which depend on each token. */
static bool fill_steps(struct arena *arena, struct str text, struct transform_source *source,
                       struct error *err)
{
    struct str *paths = arena_alloc(arena, (source->depth + 1) * sizeof(*paths));
    size_t at = 0;

    source->paths = paths;
    source->parents = arena_alloc(arena, (source->depth + 1) * sizeof(struct json_pointer *));
    for (size_t i = 0; i <= source->depth; i++)
        paths[i] = json_pointer_dotted(source->pointer, i, arena);
    for (size_t i = 0; i < source->depth; i++) {
        struct str rest = str_from(text, at + 1);
        const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
        struct str token = { rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len };

        if (!is_index(token) &&
            !compile(arena, (struct str){ text.ptr, at }, &source->parents[i], err))
            return false;
        at += 1 + token.len;
    }
    return true;
}

static bool read_source(struct arena *arena, struct json_object *from,
                        struct transform_source *source, struct error *err)
{
    struct str text = json_str(from);

    if (!compile(arena, text, &source->pointer, err))
        return false;
    source->depth = json_pointer_depth(source->pointer);
    return fill_steps(arena, text, source, err);
}

static bool read_sources(struct arena *arena, struct json_object *from,
                         struct transform_field *field, struct error *err)
{
    size_t count = json_is_array(from) ? json_count(from) : 1;
    struct transform_source *sources = arena_alloc(arena, count * sizeof(*sources));

    for (size_t i = 0; i < count; i++)
        if (!read_source(arena, json_is_array(from) ? json_at(from, i) : from, &sources[i], err))
            return false;
    field->sources = sources;
    field->source_count = count;
    return true;
}

static struct str read_prefix(struct arena *arena, struct json_object *name)
{
    CLEANUP(buf_done) struct buf prefix;

    buf_init(&prefix, MAX_TEXT);
    json_write_string(&prefix, json_str(name));
    buf_add_char(&prefix, ':');
    return arena_copy(arena, buf_str(&prefix));
}

/* `object` is valid by the schema. */
static bool read_field(struct arena *arena, struct json_object *object,
                       struct transform_field *field, struct error *err)
{
    struct json_object *value;

    if (json_find(object, "name", &value))
        field->prefix = read_prefix(arena, value);
    if (json_find(object, "as", &value))
        (void)transform_as_parse(json_str(value), &field->as);
    if (json_find(object, "required", &value))
        field->required = arena_copy(arena, json_str(value));
    if (json_find(object, "default", &value))
        field->constant = json_text(arena, value);
    if (json_find(object, "from", &value)) {
        field->kind = TRANSFORM_FROM;
        return read_sources(arena, value, field, err);
    }
    field->kind = TRANSFORM_NOW;
    if (json_find(object, "value", &value)) {
        field->kind = TRANSFORM_CONSTANT;
        field->constant = json_text(arena, value);
    }
    return true;
}

static void check_names(struct settings *settings, const struct setting *fields)
{
    for (size_t i = 1; json_is_array(fields->value) && i < json_count(fields->value); i++)
        for (size_t j = 0; j < i; j++) {
            struct setting field = settings_at(settings, fields, i);
            struct setting name = settings_get(settings, &field, "name");
            struct str other = json_find_str(json_at(fields->value, j), "name");

            if (!json_is_string(name.value) || !str_equal(json_str(name.value), other))
                continue;
            settings_complain(settings, name.pointer, "another field has this name already");
            break;
        }
}

static bool read_fields(struct transform *transform, struct json_object *list, struct error *err)
{
    size_t count = json_count(list);
    struct transform_field *fields = arena_alloc(transform->arena, count * sizeof(*fields));

    for (size_t i = 0; i < count; i++)
        if (!read_field(transform->arena, json_at(list, i), &fields[i], err))
            return false;
    transform->fields = fields;
    transform->field_count = count;
    return true;
}

/* Read the file and find all its problems. The caller owns `*out`, if it is set. */
static bool open_settings(const char *path, struct settings **out, struct setting *fields,
                          struct error *err)
{
    struct yaml_options options = { .file = path, .regular = true };
    struct setting root;

    if (!settings_load(&options, EMBEDDED(transform_schema), out, err))
        return false;
    root = settings_root(*out);
    *fields = settings_get(*out, &root, "fields");
    check_names(*out, fields);
    return true;
}

bool transform_load(const char *path, struct transform **out, struct error *err)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct transform *transform;
    struct setting fields;

    if (!open_settings(path, &settings, &fields, err))
        return false;
    if (settings_problem_count(settings) > 0)
        return fail(err, ERR_CONFIG, "%s", settings_problem(settings, 0)->text);
    transform = mem_alloc(sizeof(*transform));
    transform->arena = arena_create();
    if (!read_fields(transform, fields.value, err)) {
        transform_destroy(transform);
        return fail_within(err, path);
    }
    *out = transform;
    return true;
}

bool transform_check(const char *path, void (*report)(void *self, const char *line), void *self)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct transform *transform = NULL;
    struct setting fields;
    struct error err = { 0 };

    if (open_settings(path, &settings, &fields, &err) && settings_problem_count(settings) > 0) {
        for (size_t i = 0; i < settings_problem_count(settings); i++)
            report(self, settings_problem(settings, i)->text);
        return false;
    }
    if (err.code == ERR_NONE && transform_load(path, &transform, &err)) {
        transform_destroy(transform);
        return true;
    }
    report(self, err.text);
    return false;
}

void transform_destroy(struct transform *transform)
{
    if (!transform)
        return;
    arena_destroy(transform->arena);
    mem_free(transform);
}
