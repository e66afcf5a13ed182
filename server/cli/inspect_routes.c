/*
 * inspect_routes.c - mistakes in routes and transforms that their schema shows.
 */
#include "base/memory.h"
#include "server/cli/inspect_internal.h"
#include "server/service.h"

const struct flat *inspect_schema(const struct inspection *inspection, size_t route)
{
    const struct config_route *of = &inspection->config->routes[route];
    const struct flat *document = NULL;
    struct catalog *catalog;
    struct str definition;
    struct error err;

    if (!inspection->schemas || of->drop ||
        !inspect_is_sound(inspection,
                          arena_printf(inspection->arena, "/routes/%zu/schema", route).ptr))
        return NULL;
    catalog = inspection->schemas->catalog;
    definition = catalog_definition(catalog, catalog_add(catalog, of->registry, of->schema));
    if (!flat_read(inspection->arena, arena_copy(inspection->arena, definition), NULL, &document,
                   &err))
        document = NULL; /* there is none */
    mem_free((void *)definition.ptr);
    return document;
}

static void complain_of_route(void *self, struct str pointer, const char *text)
{
    inspect_say(self, INSPECT_FAILURE, pointer.len ? "route" : "transform", pointer.ptr, "%s",
                text);
}

struct lint inspect_lint(const struct inspection *inspection, size_t route)
{
    return (struct lint){
        .config = inspection->config,
        .route = route,
        .arena = inspection->arena,
        .report = complain_of_route,
        .self = (void *)inspection,
    };
}

void inspect_routes(const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->config->route_count; i++) {
        struct lint lint = inspect_lint(inspection, i);

        lint.document = inspect_schema(inspection, i);
        lint_pattern(&lint);
    }
}
