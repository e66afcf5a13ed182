/*
 * settings.c - see settings.h: reading, and values.
 *
 * Defaults are not copied into the tree: settings_get() returns the schema's default where the file
 * has no value. So one walk over tree and schema serves all, and neither is changed.
 */
#include "settings/settings.h"

#include "base/chars.h"
#include "base/memory.h"
#include "settings/settings_internal.h"

/* Add what the YAML reader found. */
static void settings_add_faults(struct settings *settings)
{
    for (size_t i = 0; i < settings->source_count; i++) {
        const struct yaml *yaml = settings->sources[i].yaml;

        for (size_t k = 0; yaml && k < yaml_fault_count(yaml); k++) {
            const struct yaml_fault *fault = yaml_fault(yaml, k);

            settings_complain_in(settings, i, fault->pointer, fault->line, fault->text);
        }
    }
}

static bool settings_read(struct settings *settings, const struct yaml_options *options,
                          struct str schema, struct error *err)
{
    if (!json_read(schema, NULL, &settings->schema, err) ||
        !json_read(STR("{}"), NULL, &settings->empty, err))
        return fail_within(err, "built-in schema");
    if (!settings_add_source(settings, options, err))
        return false;
    if (options->file)
        settings->root = yaml_root(settings->sources[0].yaml);
    if (!settings->root)
        settings->root = settings->empty;
    if (!settings_include(settings, options, err))
        return false;
    settings_add_faults(settings);
    return settings_check(settings, err);
}

bool settings_load(const struct yaml_options *options, struct str schema, struct settings **out,
                   struct error *err)
{
    struct settings *settings = mem_alloc(sizeof(*settings));

    settings->arena = arena_create();
    if (!settings_read(settings, options, schema, err)) {
        settings_destroy(settings);
        return false;
    }
    *out = settings;
    return true;
}

void settings_destroy(struct settings *settings)
{
    if (!settings)
        return;
    json_release(settings->joined);
    for (size_t i = 0; i < settings->source_count; i++)
        yaml_destroy(settings->sources[i].yaml);
    mem_free(settings->sources);
    json_release(settings->schema);
    json_release(settings->empty);
    arena_destroy(settings->arena);
    mem_free(settings->problems);
    mem_free(settings);
}

struct setting settings_root(const struct settings *settings)
{
    return (struct setting){ .value = settings->root, .schema = settings->schema };
}

/* One step down. A place that the schema does not know has no schema and so no default. */
static struct setting settings_member(struct settings *settings, const struct setting *object,
                                      struct str name)
{
    struct setting member = { .pointer = arena_printf(settings->arena, "%.*s/%.*s",
                                                      STR_ARG(object->pointer), STR_ARG(name)),
                              .is_default = object->is_default };
    struct json_object *properties = NULL;
    const char *key = member.pointer.ptr + object->pointer.len + 1;

    if (object->schema && json_find(object->schema, "properties", &properties))
        (void)json_find(properties, key, &member.schema);
    if (json_is_object(object->value) && json_find(object->value, key, &member.value))
        return member;
    member.is_default = true;
    if (member.schema)
        (void)json_find(member.schema, "default", &member.value);
    return member;
}

struct setting settings_get(struct settings *settings, const struct setting *object,
                            const char *path)
{
    struct setting here = *object;
    struct str rest = str_from_c(path);

    while (rest.len > 0)
        here = settings_member(settings, &here, take_until(&rest, '.'));
    return here;
}

struct setting settings_at(struct settings *settings, const struct setting *array, size_t index)
{
    struct setting element = { .value = json_at(array->value, index),
                               .is_default = array->is_default,
                               .pointer = arena_printf(settings->arena, "%.*s/%zu",
                                                       STR_ARG(array->pointer), index) };

    if (array->schema)
        (void)json_find(array->schema, "items", &element.schema);
    return element;
}
