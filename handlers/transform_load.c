/*
 * transform_load.c - reads a transform file.
 *
 * conf/transform.schema.json, which is built in, checks the form of the file; transform_compile.c
 * finds what is left to find.
 */
#include "handlers/transform.h"

#include "base/embed.h"
#include "base/memory.h"
#include "handlers/transform_compile.h"

EMBED(transform_schema, "conf/transform.schema.json");

static void release_settings(struct settings **settings)
{
    settings_destroy(*settings);
}

/* Compile the file into `transform`; problems are in the settings. */
static void compile(struct transform_compiler *compiler, struct transform *transform)
{
    struct setting root = settings_root(compiler->settings);
    struct transform_node node = { .value = root.value, .pointer = STR("") };
    struct transform_node at;

    compiler->arena = transform->arena;
    if (transform_node_find(compiler, &node, "drop_when", &at) && json_is_object(at.value))
        transform->drop_when = transform_compile_pattern(compiler, &at);
    if (transform_node_find(compiler, &node, "fields", &at))
        transform_compile_fields(compiler, &at);
    transform->fields = arena_keep(transform->arena, compiler->fields,
                                   compiler->field_count * sizeof(*compiler->fields));
    transform->field_count = compiler->field_count;
    transform->rival_count = compiler->rival_count;
    mem_free(compiler->fields);
}

/* Read the file and find all its problems. The caller owns `*settings` and `*out`, if they are set.
 */
static bool open_file(const char *path, const struct transform_lint *lint,
                      struct settings **settings, struct transform **out, struct error *err)
{
    struct yaml_options options = { .file = path, .regular = true };
    struct transform_compiler compiler = { .path = path, .lint = lint };

    if (!settings_load(&options, EMBEDDED(transform_schema), settings, err))
        return false;
    *out = mem_alloc(sizeof(**out));
    (*out)->arena = arena_create();
    compiler.settings = *settings;
    compile(&compiler, *out);
    return true;
}

bool transform_load(const char *path, struct transform **out, struct error *err)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct transform *transform = NULL;

    if (!open_file(path, NULL, &settings, &transform, err))
        return false;

    size_t count = settings_problem_count(settings);

    if (count > 0) {
        const char *first = settings_problem(settings, 0)->text;

        transform_destroy(transform);
        return count == 1
                   ? fail(err, ERR_CONFIG, "%s", first)
                   : fail(err, ERR_CONFIG, "%s (sluice check lists %zu problems)", first, count);
    }
    *out = transform;
    return true;
}

bool transform_check(const char *path, const struct transform_lint *lint)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct transform *transform = NULL;
    struct error err = { 0 };

    if (!open_file(path, lint, &settings, &transform, &err)) {
        lint->report(lint->self, err.text);
        return false;
    }
    transform_destroy(transform);
    for (size_t i = 0; i < settings_problem_count(settings); i++)
        lint->report(lint->self, settings_problem(settings, i)->text);
    return settings_problem_count(settings) == 0;
}

void transform_destroy(struct transform *transform)
{
    if (!transform)
        return;
    arena_destroy(transform->arena);
    mem_free(transform);
}
