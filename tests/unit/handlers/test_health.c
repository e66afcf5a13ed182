/*
 * test_health.c - claims about handlers/health.h.
 */
#include "handlers/health.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct pipeline pipeline;
static struct health *health;

static struct response get(struct handler handler)
{
    struct response response = { 0 };
    struct request request;

    arena_destroy(pipeline.arena);
    pipeline.arena = arena_create();
    request = pipeline_request(pipeline.arena, STR_NONE);
    CHECK(!handler.admit);
    CHECK_INT(handler.method, HANDLER_GET);
    handler.handle(handler.self, &request, &response);
    CHECK(!response.content_type);
    return response;
}

static void begin(void)
{
    pipeline_init_default(&pipeline, &(struct events_options){ 0 });
    health = health_create(pipeline.catalog, NULL, "1.2.3");
}

static void end(void)
{
    health_destroy(health);
    pipeline_done(&pipeline);
}

static void check_ready(int status, const char *body)
{
    struct response response = get(health_ready_handler(health));

    CHECK_INT(response.status, status);
    CHECK_STR(response.body, body);
    CHECK((response.retry_after_seconds >= 1) == (status == 503));
    CHECK(health_is_ready(health) == (status == 200));
}

static void the_root_names_program_and_version(void)
{
    begin();

    struct response response = get(health_root_handler(health));

    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, "{\"name\":\"sluice\",\"version\":\"1.2.3\"}");
    CHECK_STR(str_from_c(health_root_handler(health).path), "/");
    end();
    health_destroy(NULL);
}

static void it_lives_whatever_happens(void)
{
    begin();
    folder_remove(&pipeline.folder, "schemas/Registry/Schema.json");
    health_set_draining(health);

    struct response response = get(health_live_handler(health));

    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, "{\"status\":\"ok\"}");
    CHECK_STR(str_from_c(health_live_handler(health).path), "/healthz");
    end();
}

static void it_is_ready_until_it_drains(void)
{
    begin();
    CHECK_STR(str_from_c(health_ready_handler(health).path), "/readyz");
    check_ready(200, "{\"ready\":true,\"checks\":{\"schema\":{\"ok\":true},"
                     "\"store\":{\"ok\":true},\"draining\":{\"ok\":true}}}");
    health_set_draining(health);
    check_ready(503, "{\"ready\":false,\"checks\":{\"schema\":{\"ok\":true},"
                     "\"store\":{\"ok\":true},"
                     "\"draining\":{\"ok\":false,\"reason\":\"draining\"}}}");
    end();
}

static void it_is_not_ready_without_a_schema(void)
{
    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_add_route(&pipeline, &(struct route_options){ .schema = "No\"ne" });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    health = health_create(pipeline.catalog, NULL, "1.2.3");
    check_ready(503, "{\"ready\":false,\"checks\":{\"schema\":{\"ok\":false,\"reason\":"
                     "\"Schema No\\\"ne not found in registry Registry\"},"
                     "\"store\":{\"ok\":true},\"draining\":{\"ok\":true}}}");
    end();
}

static void it_tells_of_a_registry_that_fails(void)
{
    begin();
    folder_remove(&pipeline.folder, "schemas/Registry/Schema.json");
    catalog_load(pipeline.catalog);

    struct response response = get(health_ready_handler(health));

    CHECK_INT(response.status, 200);
    CHECK(str_starts_with(response.body,
                          STR("{\"ready\":true,\"checks\":{\"schema\":{\"ok\":true,\"news\":["
                              "{\"schema\":\"Schema\",\"version\":\"")));
    CHECK(strstr(arena_copy(pipeline.arena, response.body).ptr,
                 "\"last_error\":\"Schema Schema not found in registry Registry\"}]},\"store\"") !=
          NULL);
    end();
}

static void it_tells_what_the_guard_saw(void)
{
    struct scripted script;
    struct registry registry;
    const struct flat *payload = tree_of("{\"name\":\"x\"}");

    scripted_init(&script);
    registry = scripted_registry(&script);
    pipeline_init_guarded(&pipeline, &registry);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    health = health_create(pipeline.catalog, NULL, "1.2.3");
    catalog_accepted(catalog_add(pipeline.catalog, "Registry", "Schema"), payload, clock_now_us());
    scripted_give(&script, "2", "{\"properties\":{\"name\":{\"type\":\"integer\"}}}");
    catalog_load(pipeline.catalog);
    check_ready(200, "{\"ready\":true,\"checks\":{\"schema\":{\"ok\":true,\"news\":[{\"schema\":"
                     "\"Schema\",\"version\":\"2\",\"guard\":{\"held\":false,\"version\":\"2\","
                     "\"tried\":1,\"refused\":1,\"instanceLocation\":\"/name\","
                     "\"keywordLocation\":\"/properties/name/type\"}}]},"
                     "\"store\":{\"ok\":true},\"draining\":{\"ok\":true}}}");
    end();
    scripted_done(&script);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(the_root_names_program_and_version);
    RUN(it_lives_whatever_happens);
    RUN(it_is_ready_until_it_drains);
    RUN(it_is_not_ready_without_a_schema);
    RUN(it_tells_of_a_registry_that_fails);
    RUN(it_tells_what_the_guard_saw);
    trees_end();
    return test_end();
}
