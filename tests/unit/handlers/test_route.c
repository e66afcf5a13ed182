/*
 * test_route.c - claims about handlers/route.h.
 */
#include "handlers/route.h"

#include "base/attr.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

/* The number of the route that `event` takes; 0: none. */
static size_t route_of(const struct pipeline *pipeline, const char *event)
{
    const struct flat *tree = tree_of(event);
    const struct route *route = NULL;
    struct error err = { 0 };
    bool found = routes_find(pipeline->routes, tree, &route, &err);

    if (found)
        return route->number;
    CHECK_INT(err.code, ERR_NOT_FOUND);
    CHECK_STR(str_from_c(err.text), "No route for this event");
    CHECK(route == NULL);
    return 0;
}

static void a_route_matches_when_every_glob_does(void)
{
    static const struct route_match match[] = {
        { "source", "genesys*" },
        { "detail-type", "interaction.?*" },
        { "/detail/kind", "x" },
    };
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
    pipeline_add_route(&pipeline,
                       &(struct route_options){ .match = match, .match_count = COUNT_OF(match) });
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].event);
        CHECK_INT((int64_t)route_of(&pipeline, cases[i].event), cases[i].match);
    }
    pipeline_done(&pipeline);
}

static void what_is_absent_or_no_string_reads_as_empty(void)
{
    static const struct {
        struct route_match match;
        const char *event;
        bool match_it;
    } cases[] = {
        { { "source", "" }, "{}", true },
        { { "source", "" }, "{\"source\":null}", true },
        { { "source", "" }, "{\"source\":5}", true },
        { { "source", "" }, "{\"source\":[\"a\"]}", true },
        { { "source", "" }, "{\"source\":\"\"}", true },
        { { "source", "" }, "{\"source\":\"a\"}", false },
        { { "source", "*" }, "{\"source\":5}", true },
        { { "source", "**" }, "{}", true },
        { { "source", "*x" }, "{\"source\":\"xy\"}", false },
        { { "source", "?*" }, "{}", false },
        { { "source", "5" }, "{\"source\":5}", false },
        { { "/a/0/b", "x" }, "{\"a\":[{\"b\":\"x\"}]}", true },
        { { "/a~1b", "x" }, "{\"a/b\":\"x\"}", true },
        { { "/a/b", "" }, "{\"a\":7}", true },
        { { "/Metadata/EventSource", "g*" }, "{\"Metadata\":{\"EventSource\":\"g\"}}", true },
        { { "a.b", "x" }, "{\"a\":{\"b\":\"x\"}}", false },
        { { "source", "{id}" }, "{\"source\":\"{id}\"}", true },
        { { "source", "a" }, "{\"source\":\"a\\u0000b\"}", false },
        { { "source", "a?b" }, "{\"source\":\"a\\u0000b\"}", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pipeline pipeline;

        TEST_CASE(cases[i].event);
        pipeline_init(&pipeline, NULL);
        pipeline_add_route(&pipeline,
                           &(struct route_options){ .match = &cases[i].match, .match_count = 1 });
        CHECK_INT((int64_t)route_of(&pipeline, cases[i].event), cases[i].match_it);
        pipeline_done(&pipeline);
    }
}

static void the_first_match_wins(void)
{
    static const struct route_match first = { "source", "a" };
    static const struct route_match second = { "source", "*" };
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    CHECK_INT((int64_t)route_of(&pipeline, "{}"), 0);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = &first, .match_count = 1 });
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"b\"}"), 0);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = &second, .match_count = 1 });
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"a\"}"), 1);
    CHECK_INT((int64_t)route_of(&pipeline, "{\"source\":\"b\"}"), 2);
    CHECK_INT((int64_t)catalog_count(pipeline.catalog), 1);
    pipeline_done(&pipeline);
    routes_destroy(NULL);
}

static void a_bad_part_is_named(void)
{
    static const struct route_match bad_match = { "/a~2", "x" };
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);

    const struct route_options good = { .registry = "R",
                                        .schema = "S",
                                        .payload = "/detail",
                                        .id = "/id",
                                        .transform = pipeline.transform };
    struct {
        const char *name;
        struct route_options options;
        const char *beginning;
    } cases[] = {
        { "match", good, "match: " },
        { "payload", good, "payload: " },
        { "id", good, "id: " },
        { "transform", good, "/nonexistent.yaml" },
    };

    cases[0].options.match = &bad_match;
    cases[0].options.match_count = 1;
    cases[1].options.payload = "detail";
    cases[2].options.id = "/~";
    cases[3].options.transform = "/nonexistent.yaml";
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

int main(void)
{
    RUN(a_route_matches_when_every_glob_does);
    RUN(what_is_absent_or_no_string_reads_as_empty);
    RUN(the_first_match_wins);
    RUN(a_bad_part_is_named);
    trees_end();
    return test_end();
}
