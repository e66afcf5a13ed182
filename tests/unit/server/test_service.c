/*
 * test_service.c - claims about server/service.h: how a configuration handles an event.
 */
#include "server/service.h"

#include <stdio.h>

#include "base/log.h"
#include "tests/unit/load_config.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"

static const char good_event[] =
    "{\"id\":\"a\",\"source\":\"genesyscloud\","
    "\"detail\":{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\"}}}";

static struct folder folder;
static struct config *config;
static struct service *service;

/* Write a configuration into the folder: its registry and route, then `more`. */
static void write_config(const char *more)
{
    char text[4000];

    folder_write(&folder, "schemas/Registry/Schema.json", str_from_c(pipeline_schema));
    folder_write(&folder, "transform.yaml", str_from_c(pipeline_transform));
    (void)snprintf(text, sizeof(text),
                   "registry: { dir: %s/schemas }\n"
                   "routes:\n"
                   "  - match: { source: genesys* }\n"
                   "    registry: Registry\n"
                   "    schema: Schema\n"
                   "    transform: %s/transform.yaml\n"
                   "%s",
                   folder.path, folder.path, more);
    folder_write(&folder, "sluice.yaml", str_from_c(text));
}

static bool create(const char *more, struct error *err)
{
    char path[FOLDER_PATH_SIZE];

    folder_init(&folder);
    write_config(more);
    folder_path(&folder, "sluice.yaml", path);
    if (!load_config(path, &config, err))
        return false;
    return service_create(config, NULL, &service, err);
}

static void end(void)
{
    service_destroy(service);
    config_destroy(config);
    folder_done(&folder);
    service = NULL;
    config = NULL;
}

static void begin(const char *more)
{
    struct error err = { 0 };

    CHECK(create(more, &err));
    CHECK_STR(str_from_c(err.text), "");
}

/* The answer's status; its body in `arena`. */
static int post(struct arena *arena, const char *body, struct str *answer)
{
    struct request request = pipeline_request(arena, str_from_c(body));
    struct response response = { 0 };

    events_answer(service->events, &request, NULL, &response);
    *answer = response.body;
    return response.status;
}

static void check_post(const char *body, int status, const char *answer)
{
    struct arena *arena = arena_create();
    struct str seen;

    CHECK_INT(post(arena, body, &seen), status);
    CHECK_STR(seen, answer);
    arena_destroy(arena);
}

static void the_configuration_is_used(void)
{
    static const struct {
        const char *more;
        const char *body;
        int status;
        const char *answer;
    } cases[] = {
        { "", good_event, 200,
          "{\"interaction_id\":\"i\",\"customer_name\":null,\"attributes\":{}}" },
        { "http: { respond: receipt }\n", good_event, 200,
          "{\"id\":\"a\",\"status\":\"accepted\"}" },
        { "", "{\"source\":\"other\",\"detail\":{}}", 400,
          "{\"error\":\"Processing failed\",\"details\":\"No route for this event\"}" },
        { "http: { max_batch: 1 }\n", "[{},{}]", 400,
          "{\"error\":\"Processing failed\",\"details\":\"Batch of 2 events, at most 1\"}" },
        { "http: { batch_response: partial }\n", "[1]", 200,
          "{\"results\":[{\"id\":null,\"status\":400,\"error\":\"Processing failed\","
          "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}],"
          "\"batchItemFailures\":[]}" },
        { "validation: { redact_values: false }\n", "{\"source\":\"genesys\",\"detail\":7}", 400,
          "{\"error\":\"Schema validation failed\",\"details\":\"7 is not of type 'object'\","
          "\"errors\":[{\"instanceLocation\":\"\",\"keywordLocation\":\"/type\","
          "\"error\":\"7 is not of type 'object'\"}]}" },
        { "", "{\"source\":\"genesys\",\"detail\":7}", 400,
          "{\"error\":\"Schema validation failed\","
          "\"details\":\"<integer> is not of type 'object'\","
          "\"errors\":[{\"instanceLocation\":\"\",\"keywordLocation\":\"/type\","
          "\"error\":\"<integer> is not of type 'object'\"}]}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].more);
        begin(cases[i].more);
        check_post(cases[i].body, cases[i].status, cases[i].answer);
        CHECK(health_is_ready(service->health));
        CHECK(!service->auth);
        end();
    }
}

static void the_status_map_is_used(void)
{
    static const struct {
        const char *more;
        int status;
    } cases[] = { { "", 400 }, { "status_map: eventbridge\n", 503 } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct error err = { 0 };
        char path[FOLDER_PATH_SIZE];
        struct str answer;

        folder_init(&folder);
        write_config(cases[i].more);
        folder_remove(&folder, "schemas/Registry/Schema.json");
        folder_path(&folder, "sluice.yaml", path);
        CHECK(load_config(path, &config, &err));
        CHECK(service_create(config, NULL, &service, &err));
        CHECK_INT(post(arena, good_event, &answer), cases[i].status);
        CHECK(memmem(answer.ptr, answer.len, "Schema Schema not found in registry Registry", 44));
        CHECK(!health_is_ready(service->health));
        arena_destroy(arena);
        end();
    }
}

static struct str one_key(const void *connection, const char *name)
{
    CHECK_STR(str_from_c(name), "x-api-key");
    return str_from_c(connection);
}

static void credentials_are_asked_for_when_configured(void)
{
    char more[FOLDER_PATH_SIZE + 100];
    struct folder keys;
    struct response response = { 0 };
    struct arena *arena = arena_create();
    struct request request = pipeline_request(arena, STR(""));

    folder_init(&keys);
    folder_write(&keys, "key", STR("alpha\n"));
    (void)snprintf(more, sizeof(more),
                   "auth: { api_keys: [ { header: x-api-key, value_file: %s/key } ] }\n",
                   keys.path);
    begin(more);

    struct handler handler = events_handler(service->events);

    request.header = one_key;
    request.connection = "alpha";
    CHECK(handler.admit(handler.self, &request, &response));
    request.connection = "beta";
    CHECK(!handler.admit(handler.self, &request, &response));
    CHECK_INT(response.status, 401);
    end();
    arena_destroy(arena);
    folder_done(&keys);
}

static void what_cannot_be_used_is_named(void)
{
    static const struct {
        const char *more;
        const char *text;
    } cases[] = {
        { "auth: { api_keys: [ { header: k, value_file: /nonexistent/key } ] }\n",
          "/nonexistent/key" },
        { "auth: { basic: [ { user: u, password_file: /nonexistent/pw } ] }\n", "/nonexistent/pw" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };

        TEST_CASE(cases[i].more);
        CHECK(!create(cases[i].more, &err));
        CHECK(!service);
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, cases[i].text) != NULL);
        end();
    }
}

static void the_defaults_take_the_shipped_sample(void)
{
    struct error err = { 0 };
    struct arena *arena = arena_create();
    struct str answer;

    CHECK(load_config(NULL, &config, &err));
    CHECK(service_create(config, NULL, &service, &err));
    CHECK_INT(post(arena, good_event, &answer), 200);
    CHECK(str_starts_with(
        answer, STR("{\"interaction_id\":\"i\",\"start_time\":\"t\",\"channel_type\":null,"
                    "\"queue_id\":null,\"queue_name\":null,\"customer_email\":null,"
                    "\"customer_name\":null,\"attributes\":{},\"processed_at\":\"2")));
    CHECK(str_ends_with(answer, STR("Z\"}")));
    arena_destroy(arena);
    service_destroy(service);
    config_destroy(config);
    service_destroy(NULL);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(the_configuration_is_used);
    RUN(the_status_map_is_used);
    RUN(credentials_are_asked_for_when_configured);
    RUN(what_cannot_be_used_is_named);
    RUN(the_defaults_take_the_shipped_sample);
    return test_end();
}
