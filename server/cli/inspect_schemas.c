/*
 * inspect_schemas.c - checks transforms, schemas and shadows.
 */
#include <string.h>

#include "handlers/transform.h"
#include "server/cli/inspect_internal.h"
#include "server/service.h"

static bool is_same_check(const struct config_route *a, size_t output, const struct config_route *b,
                          const char *file)
{
    return strcmp(config_output(a, output).transform, file) == 0 &&
           strcmp(a->registry, b->registry) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* Has an output before this one the same transform and schema? */
static bool is_named_before(const struct config *config, size_t route, size_t output)
{
    const struct config_route *of = &config->routes[route];
    const char *file = config_output(of, output).transform;

    for (size_t i = 0; i <= route; i++) {
        const struct config_route *before = &config->routes[i];
        size_t count = i < route ? config_output_count(before) : output;

        for (size_t j = 0; j < count; j++)
            if (is_same_check(before, j, of, file))
                return true;
    }
    return false;
}

static void look_at_transform(const struct inspection *inspection, size_t route, size_t output)
{
    const struct config *config = inspection->config;
    const char *pointer = config_output_pointer(config, route, output, "transform").ptr;
    const char *file = config_output(&config->routes[route], output).transform;
    struct lint lint = inspect_lint(inspection, route);

    if (is_named_before(config, route, output) || !inspect_is_sound(inspection, pointer))
        return;
    if (!inspection->options->looks_at_machine) /* doctor: the server starts with such mistakes */
        lint.document = inspect_schema(inspection, route);
    if (lint_transform(&lint, file))
        inspect_say(inspection, INSPECT_FINE, "transform", pointer, "%s", file);
}

void inspect_transforms(const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->config->route_count; i++)
        for (size_t j = 0; j < config_output_count(&inspection->config->routes[i]); j++)
            look_at_transform(inspection, i, j);
}

/* Are the keys that name the route's schema sound? */
static bool has_sound_schema(const struct inspection *inspection, size_t route)
{
    struct arena *arena = inspection->arena;

    return inspect_is_sound(inspection, arena_printf(arena, "/routes/%zu/schema", route).ptr) &&
           inspect_is_sound(inspection, arena_printf(arena, "/routes/%zu/registry", route).ptr);
}

/* The first route that names the schema, if possible one whose keys are sound. */
static size_t route_of(const struct inspection *inspection, const struct catalog_status *status)
{
    const struct config *config = inspection->config;
    size_t found = config->route_count;

    for (size_t i = config->route_count; i-- > 0;) {
        const struct config_route *route = &config->routes[i];

        if (!route->drop && strcmp(route->registry, status->registry) == 0 &&
            strcmp(route->schema, status->schema) == 0 &&
            (found == config->route_count || has_sound_schema(inspection, i)))
            found = i;
    }
    return found;
}

/* Of one schema. */
struct schema_warnings {
    const struct inspection *inspection;
    const char *pointer;
    const struct catalog_status *status;
};

static void add_warning(void *self, struct str warning)
{
    const struct schema_warnings *of = self;

    inspect_say(of->inspection, INSPECT_WARNING, "schema", of->pointer, "%s/%s: %.*s",
                of->status->registry, of->status->schema, STR_ARG(warning));
}

static void report_failure(const struct inspection *inspection, const char *pointer,
                           const struct catalog_status *status)
{
    const struct config_registry *registry = &inspection->config->registry;

    if (registry->kind == CONFIG_REGISTRY_FILE && status->error.code == ERR_NOT_FOUND)
        inspect_say(inspection, INSPECT_FAILURE, "schema", pointer,
                    "there is no file %s/%s/%s.json (registry.dir, registry and schema)",
                    registry->dir, status->registry, status->schema);
    else
        inspect_say(inspection, INSPECT_FAILURE, "schema", pointer, "%s/%s: %s", status->registry,
                    status->schema, status->error.text);
}

static void look_at_schema(const struct inspection *inspection, struct catalog *catalog,
                           size_t index)
{
    struct catalog_status copy;
    const struct catalog_status *status = &copy;

    catalog_status(catalog, index, &copy);

    size_t route = route_of(inspection, status);
    const char *pointer = arena_printf(inspection->arena, "/routes/%zu/schema", route).ptr;

    if (!has_sound_schema(inspection, route))
        return;

    struct schema_warnings warnings = { inspection, pointer, status };

    catalog_warnings(catalog, index, add_warning, &warnings);
    if (status->usable && status->error.code == ERR_NONE)
        inspect_say(inspection, INSPECT_FINE, "schema", pointer, "%s/%s: version %s compiles",
                    status->registry, status->schema, status->version);
    else
        report_failure(inspection, pointer, status);
}

static size_t route_named(const struct inspection *inspection, const char *name)
{
    size_t index = 0;

    while (index < inspection->config->route_count &&
           strcmp(inspection->config->routes[index].name, name) != 0)
        index++;
    return index;
}

/* A server starts without its shadows: so doctor only warns of one that it cannot have. */
static void look_at_shadow(const struct inspection *inspection, struct catalog *catalog,
                           size_t index)
{
    struct catalog_shadow_status shadow;

    catalog_shadow_status(catalog, index, &shadow);

    const struct catalog_status *status = &shadow.status;
    const char *pointer =
        arena_printf(inspection->arena, "/routes/%zu/shadow", route_named(inspection, shadow.route))
            .ptr;

    if (!inspect_is_sound(inspection, pointer))
        return;
    if (status->usable && status->error.code == ERR_NONE)
        inspect_say(inspection, INSPECT_FINE, "shadow", pointer, "%s compiles", shadow.name);
    else
        inspect_say(inspection,
                    inspection->options->looks_at_machine ? INSPECT_WARNING : INSPECT_FAILURE,
                    "shadow", pointer, "%s: %s", shadow.name, status->error.text);
}

void inspect_load_schemas(struct inspection *inspection)
{
    bool is_glue = inspection->config->registry.kind == CONFIG_REGISTRY_GLUE;
    struct error err = { 0 };

    if ((is_glue && !inspection->options->asks_registry) ||
        !inspect_is_sound(inspection, "/registry") || !inspect_is_sound(inspection, "/aws"))
        return;
    if (!service_create_schemas(inspection->config, &inspection->schemas, &err))
        inspect_say(inspection, INSPECT_FAILURE, "registry", "/registry", "%s", err.text);
}

void inspect_schemas(const struct inspection *inspection)
{
    struct catalog *catalog = inspection->schemas ? inspection->schemas->catalog : NULL;

    for (size_t i = 0; catalog && i < catalog_count(catalog); i++)
        look_at_schema(inspection, catalog, i);
    for (size_t i = 0; catalog && i < catalog_shadow_count(catalog); i++)
        look_at_shadow(inspection, catalog, i);
}
