/*
 * test_route.c - claims about handlers/route.h.
 */
#include "handlers/route.h"

#include "base/attr.h"
#include "base/buf.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

/* The number of the route that `event` takes; 0: none. */
static size_t route_of(const struct pipeline *pipeline, const char *event)
{
    const struct flat *tree = tree_of(event);
    const struct route *route = NULL;
    struct error err = { 0 };
    bool found = routes_find(pipeline->routes, tree, NULL, &route, &err);

    if (found)
        return route->number;
    CHECK_INT(err.code, ERR_NOT_FOUND);
    CHECK_STR(str_from_c(err.text), "No route for this event");
    CHECK(route == NULL);
    return 0;
}

static void a_route_matches_when_every_glob_does(void)
{
    static const char match[] = "{\"source\":\"genesys*\",\"detail-type\":\"interaction.?*\","
                                "\"/detail/kind\":\"x\"}";
    static const struct {
        const char *event;
        bool match;
    } cases[] = {
        { "{\"source\":\"genesyscloud\",\"detail-type\":\"interaction.started\","
          "\"detail\":{\"kind\":\"x\"}}",
          true },
        { "{\"source\":\"Genesyscloud\",\"detail-type\":\"interaction.started\","
          "\"detail\":{\"kind\":\"x\"}}",
          false },
        { "{\"source\":\"genesys\",\"detail-type\":\"interaction.\",\"detail\":{\"kind\":\"x\"}}",
          false },
        { "{\"source\":\"genesys\",\"detail-type\":\"interaction.e\",\"detail\":{\"kind\":\"y\"}}",
          false },
        { "{\"source\":\"genesys\",\"detail-type\":\"interaction.e\",\"detail\":{}}", false },
        { "{\"source\":\"genesys\",\"detail-type\":\"interaction.e\",\"detail\":null}", false },
        { "{\"detail-type\":\"interaction.e\",\"detail\":{\"kind\":\"x\"}}", false },
        { "{}", false },
        { "[]", false },
        { "null", false },
        { "\"genesys\"", false },
        { "7", false },
    };
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = match });
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].event);
        CHECK_INT((int64_t)route_of(&pipeline, cases[i].event), cases[i].match);
    }
    pipeline_done(&pipeline);
}

static void the_first_match_wins(void)
{
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    CHECK_INT((int64_t)route_of(&pipeline, "{}"), 0);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = "{\"source\":\"a\"}" });
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"b\"}"), 0);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = "{\"source\":\"*\"}" });
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"a\"}"), 1);
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"b\"}"), 2);
    CHECK_INT((int64_t)catalog_count(pipeline.catalog), 1);
    pipeline_done(&pipeline);
    routes_destroy(NULL);
}

static void a_bad_part_is_named(void)
{
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);

    const struct route_output_options output = { .transform = pipeline.transform };
    const struct route_output_options bad = { .transform = "/nonexistent.yaml" };
    const struct route_options good = { .registry = "R",
                                        .schema = "S",
                                        .payload = "/detail",
                                        .id = "/id",
                                        .name = "r",
                                        .outputs = &output,
                                        .output_count = 1 };
    struct {
        const char *name;
        struct route_options options;
        const char *beginning;
    } cases[] = {
        { "match", good, "/match/~1a~02: " },
        { "pattern", good, "/pattern/a: the list is empty" },
        { "payload", good, "payload: " },
        { "id", good, "id: " },
        { "transform", good, "/nonexistent.yaml" },
    };

    cases[0].options.match = "{\"/a~2\":\"x\"}";
    cases[1].options.pattern = "{\"a\":[]}";
    cases[2].options.payload = "detail";
    cases[3].options.id = "/~";
    cases[4].options.outputs = &bad;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!routes_add(pipeline.routes, &cases[i].options, pipeline.catalog, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(str_starts_with(str_from_c(err.text), str_from_c(cases[i].beginning)));
    }
    CHECK_INT((int64_t)catalog_count(pipeline.catalog), 0);
    CHECK_INT((int64_t)route_of(&pipeline, "{}"), 0);
    pipeline_done(&pipeline);
}

/* Routes that want texts, and others between them: each event takes the first that fits. */
static void the_index_changes_no_verdict(void)
{
    static const char *const matches[] = {
        "{\"source\":\"a\",\"detail-type\":\"x\"}",
        "{\"source\":[\"b\",\"a\",\"b\"],\"detail-type\":\"y\"}",
        "{\"detail-type\":\"z*\",\"source\":\"c\"}",
        "{\"source\":[\"\",\"d\"],\"detail-type\":\"w\"}",
        "{\"source\":5}",
    };
    static const char *const patterns[] = {
        "{\"source\":[\"e\",\"f\"],\"detail\":{\"n\":[1]}}",
        "{\"source\":[{\"exists\":false}],\"detail-type\":[\"v\"]}",
        "{\"source\":[\"f\"]}",
        "{\"detail-type\":[\"u\",null]}",
    };
    static const struct {
        const char *event;
        size_t route;
    } cases[] = {
        { "{\"source\":\"a\",\"detail-type\":\"x\"}", 1 },
        { "{\"source\":\"a\",\"detail-type\":\"y\"}", 2 },
        { "{\"source\":\"b\",\"detail-type\":\"y\"}", 2 },
        { "{\"source\":\"c\",\"detail-type\":\"zz\"}", 3 },
        { "{\"source\":\"c\",\"detail-type\":\"x\"}", 0 },
        { "{\"source\":\"d\",\"detail-type\":\"w\"}", 4 },
        { "{\"detail-type\":\"w\"}", 4 },
        { "{\"source\":[\"d\"],\"detail-type\":\"w\"}", 4 },
        { "{\"source\":5.0}", 5 },
        { "{\"source\":\"5\"}", 0 },
        { "{\"source\":\"e\",\"detail\":{\"n\":1}}", 6 },
        { "{\"source\":[\"q\",\"e\"],\"detail\":{\"n\":1}}", 6 },
        { "{\"source\":\"f\",\"detail\":{\"n\":1}}", 6 },
        { "{\"detail-type\":\"v\"}", 7 },
        { "{\"source\":\"f\",\"detail\":{\"n\":2},\"detail-type\":\"v\"}", 8 },
        { "{\"source\":\"q\",\"detail-type\":\"u\"}", 9 },
        { "{\"source\":\"q\",\"detail-type\":null}", 9 },
        { "{\"source\":\"q\"}", 0 },
    };
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    for (size_t i = 0; i < COUNT_OF(matches); i++)
        pipeline_add_route(&pipeline, &(struct route_options){ .match = matches[i] });
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        pipeline_add_route(&pipeline, &(struct route_options){ .pattern = patterns[i] });
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].event);
        CHECK_INT((int64_t)route_of(&pipeline, cases[i].event), (int64_t)cases[i].route);
    }
    pipeline_done(&pipeline);
}

static void a_route_that_drops_needs_no_schema(void)
{
    const struct flat *event = tree_of("{}");
    const struct route *route = NULL;
    struct pipeline pipeline;
    struct error err;

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ .drop = true });
    CHECK(routes_find(pipeline.routes, event, NULL, &route, &err));
    CHECK(route->drop && !route->live && !route->schema && route->output_count == 0);
    CHECK_INT((int64_t)catalog_count(pipeline.catalog), 0);
    pipeline_done(&pipeline);
}

static void each_output_has_its_name(void)
{
    const struct flat *event = tree_of("{}");
    const struct route *route = NULL;
    struct pipeline pipeline;
    struct error err;

    pipeline_init(&pipeline, NULL);

    const struct route_output_options outputs[] = { { pipeline.transform, 1 },
                                                    { pipeline.transform, 6 } };

    pipeline_add_route(
        &pipeline, &(struct route_options){ .name = "r", .outputs = outputs, .output_count = 2 });
    CHECK(routes_find(pipeline.routes, event, NULL, &route, &err));
    CHECK_INT((int64_t)route->output_count, 2);
    CHECK_STR(route->outputs[0].name, "r");
    CHECK_STR(route->outputs[1].name, "r#2");
    CHECK_INT((int64_t)route->outputs[1].sinks, 6);
    pipeline_done(&pipeline);
}

/* An event that each of many routes looks through: the search ends with the budget. */
static void a_search_ends_with_its_budget(void)
{
    enum { ROUTES = 200, NUMBERS = 2000 };
    static const char pattern[] = "{\"n\":[{\"numeric\":[\"<\",0]}]}";
    struct schema_budget none = schema_budget(0);
    struct schema_budget little = schema_budget(100);
    const struct route *route;
    struct pipeline pipeline;
    struct error err;
    CLEANUP(buf_done) struct buf event;

    buf_init(&event, SIZE_MAX);
    buf_add(&event, STR("{\"n\":[0"));
    for (int i = 0; i < NUMBERS; i++)
        buf_printf(&event, ",0.123456789012%04d", i);
    buf_add(&event, STR("]}"));
    pipeline_init(&pipeline, NULL);
    for (int i = 0; i < ROUTES; i++)
        pipeline_add_route(&pipeline, &(struct route_options){ .pattern = pattern });
    pipeline_add_route(&pipeline, &(struct route_options){ .name = "last" });

    const struct flat *tree = tree_read(buf_str(&event), NULL);

    CHECK(routes_find(pipeline.routes, tree, &none, &route, &err));
    CHECK_STR(route->name, "last");
    CHECK(!routes_find(pipeline.routes, tree, &little, &route, &err));
    CHECK_INT(err.code, ERR_TOO_EXPENSIVE);
    CHECK_STR(str_from_c(err.text), "Event too expensive to check");
    pipeline_done(&pipeline);
}

int main(void)
{
    RUN(a_route_matches_when_every_glob_does);
    RUN(the_first_match_wins);
    RUN(a_bad_part_is_named);
    RUN(the_index_changes_no_verdict);
    RUN(a_route_that_drops_needs_no_schema);
    RUN(each_output_has_its_name);
    RUN(a_search_ends_with_its_budget);
    trees_end();
    return test_end();
}
