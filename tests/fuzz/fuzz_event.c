/*
 * fuzz_event.c - whatever bytes are posted, the answer is JSON with status 200 or 400.
 *
 * Runs the shipped schema and transform, so it must be started in the project's root.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "handlers/events.h"

/* NOLINTBEGIN(readability-identifier-naming,readability-non-const-parameter): libFuzzer's choice */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* NOLINTEND(readability-identifier-naming,readability-non-const-parameter) */

static struct catalog *catalog;
static struct routes *routes;
static struct events *events[2]; /* record and status, receipt and partial */

static void destroy_all(void)
{
    events_destroy(events[0]);
    events_destroy(events[1]);
    routes_destroy(routes);
    catalog_destroy(catalog);
}

static void create_events(void)
{
    for (int i = 0; i < 2; i++)
        events[i] = events_create(&(struct events_options){
            .routes = routes,
            .catalog = catalog,
            .receipt = i == 1,
            .partial = i == 1,
            .max_batch = 50,
            .max_errors = i == 1 ? 1 : 20,
            .redact_values = i == 0,
            .budget_us = 200000,
        });
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer's choice */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct str keys[] = { STR_INIT("id"), STR_INIT("detail"), STR_INIT("source") };
    const struct route_options options[] = {
        { .match = "{\"source\":\"*\",\"detail-type\":[\"*?*\",5]}", .payload = "/detail" },
        { .pattern = "{\"detail\":{\"a\":[{\"anything-but\":\"b\"}]}}", .drop = true },
        { .payload = "/detail" },
    };
    static const struct route_output_options outputs[] = {
        { .transform = "conf/transforms/interaction.started.yaml" },
        { .transform = "conf/transforms/interaction.started.yaml" },
    };
    struct error err = { 0 };

    (void)argc;
    (void)argv;
    log_configure(LOG_ERROR, LOG_JSON);
    catalog = catalog_create(&(struct catalog_options){
        .registry = registry_file("conf/schemas"), .keys = keys, .key_count = COUNT_OF(keys) });
    routes = routes_create();
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        struct route_options route = options[i];

        route.name = "route";
        route.registry = "GenesysInteractionRegistry";
        route.schema = "InteractionStartedSchema";
        route.id = "/id";
        route.outputs = outputs;
        route.output_count = i == 0 ? 2 : 1;

        bool ok = routes_add(routes, &route, catalog, &err);

        assert(ok);
    }
    catalog_load(catalog);
    create_events();
    (void)atexit(destroy_all);
    return 0;
}

static void answer(const struct events *how, struct str body)
{
    struct arena *arena = arena_create();
    struct request request = { .arena = arena, .body = body };
    struct response response = { 0 };
    const struct flat *tree = NULL;
    struct error err = { 0 };

    events_answer(how, &request, NULL, &response);
    assert(response.status == 200 || response.status == 400);
    assert(response.note.outcome.len > 0);

    /* A record holds what the event held, one level less deep; its answer adds two. */
    bool ok = flat_read(arena, response.body, NULL, &tree, &err);

    assert(ok && flat_is_object(tree));
    arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    answer(events[0], body);
    answer(events[1], body);
    return 0;
}
