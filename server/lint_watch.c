/*
 * lint_watch.c - see lint_watch.h.
 */
#include "server/lint_watch.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/lint.h"

enum { LINES_MAX = 20 }; /* for one route; sluice check prints all */

struct lint_watch {
    const struct config *config;
    const struct routes *routes;
    struct catalog *catalog;
    char (*versions)[REGISTRY_VERSION_SIZE]; /* of the routes' schemas, at the last look */
};

struct lint_watch *lint_watch_create(const struct config *config, const struct routes *routes,
                                     struct catalog *catalog)
{
    struct lint_watch *watch = mem_alloc(sizeof(*watch));

    *watch = (struct lint_watch){ config, routes, catalog, NULL };
    watch->versions = mem_alloc_array(config->route_count + 1, sizeof(*watch->versions));
    return watch;
}

void lint_watch_destroy(struct lint_watch *watch)
{
    if (!watch)
        return;
    mem_free(watch->versions);
    mem_free(watch);
}

/* The lines about one route. */
struct lint_lines {
    const char *route;
    const char *version;
    size_t count;
};

static void log_mistake(void *self, struct str pointer, const char *text)
{
    struct lint_lines *lines = self;

    if (lines->count++ < LINES_MAX)
        LOG_EVENT(LOG_WARN, "route_mistake", LOG_STR("route", str_from_c(lines->route)),
                  LOG_STR("schema_version", str_from_c(lines->version)),
                  LOG_STR("key", pointer.len ? pointer : STR_NONE),
                  LOG_STR("mistake", str_from_c(text)));
}

static void look_at_route(const struct lint_watch *watch, size_t index, struct str definition)
{
    const struct config_route *route = &watch->config->routes[index];
    struct lint_lines lines = { route->name, watch->versions[index], 0 };
    struct arena *arena = arena_create();
    struct error err = { 0 };
    struct lint lint = {
        .config = watch->config,
        .route = index,
        .arena = arena,
        .report = log_mistake,
        .self = &lines,
    };

    if (!flat_read(arena, definition, NULL, &lint.document, &err))
        lint.document = NULL; /* deeper than events may be; the rest is looked at */
    lint_pattern(&lint);
    for (size_t i = 0; i < config_output_count(route); i++)
        (void)lint_transform(&lint, config_output(route, i).transform);
    arena_destroy(arena);
}

/* Has the route's schema another version now? */
static bool has_changed(struct lint_watch *watch, size_t index)
{
    const struct live_schema *live = catalog_enter(routes_at(watch->routes, index)->live);
    bool is_new = live->schema && strcmp(live->version, watch->versions[index]) != 0;

    if (is_new)
        memcpy(watch->versions[index], live->version, sizeof(live->version));
    catalog_leave();
    return is_new;
}

void lint_watch_look(struct lint_watch *watch)
{
    for (size_t i = 0; i < watch->config->route_count; i++) {
        if (watch->config->routes[i].drop || !has_changed(watch, i))
            continue;

        struct str definition =
            catalog_definition(watch->catalog, routes_at(watch->routes, i)->live);

        look_at_route(watch, i, definition);
        mem_free((void *)definition.ptr);
    }
}
