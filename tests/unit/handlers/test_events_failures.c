/*
 * test_events_failures.c - claims about handlers/events.h: events whose schema is not to be had.
 */
#include "handlers/events.h"

#include <stdio.h>

#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"

/* A registry of failures: each schema's name says which. */
static const struct failure {
    const char *schema;
    enum err_code code;
    const char *text;
    const char *outcome;
    const char *error; /* with the tutorial's map */
    int status;
    bool moves; /* with the map eventbridge it is a 503 */
} failures[] = {
    { "NotFound", ERR_NOT_FOUND, "Schema NotFound not found in registry Registry",
      "schema_not_found", "Processing failed", 400, true },
    { "Denied", ERR_DENIED, "IAM role lacks glue:GetSchemaVersion permission", "registry_denied",
      "Processing failed", 400, true },
    { "Unreachable", ERR_UNREACHABLE, "AWS SDK error during schema retrieval: timeout",
      "registry_unreachable", "Processing failed", 400, true },
    { "Empty", ERR_INVALID, "Schema definition is empty in Glue Registry", "schema_unusable",
      "Processing failed", 400, true },
    { "Referring", ERR_MALFORMED, "Other.json: Invalid JSON at byte 1", "schema_unusable",
      "Processing failed", 400, true },
    { "Throttled", ERR_THROTTLED, "", "registry_unavailable", "AWS Glue service unavailable", 500,
      false },
    { "Ours", ERR_INTERNAL, "short reason", "internal", "Internal server error", 500, false },
    { "Away", ERR_UNAVAILABLE, "starting", "unavailable", "Service unavailable", 503, false },
};

/* The body of a refusal; `details` "": none. */
static struct str refusal(struct arena *arena, const char *error, const char *details)
{
    if (!*details)
        return arena_printf(arena, "{\"error\":\"%s\"}", error);
    return arena_printf(arena, "{\"error\":\"%s\",\"details\":\"%s\"}", error, details);
}

static bool fetch_failure(void *self, const struct registry_query *query,
                          struct schema_definition *out, struct error *err)
{
    (void)self;
    (void)out;
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (strcmp(failures[i].schema, query->schema) == 0)
            return fail(err, failures[i].code, "%s", failures[i].text);
    return fail(err, ERR_INTERNAL, "no such failure");
}

static void destroy_nothing(void *self)
{
    (void)self;
}

/* Each failure behind a route for the source of its name. */
static void begin_failures(struct pipeline *pipeline, const struct events_options *options)
{
    static const struct registry registry = { .fetch = fetch_failure, .destroy = destroy_nothing };

    pipeline_init(pipeline, &registry);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        char match[200];

        (void)snprintf(match, sizeof(match), "{\"source\":\"%s\"}", failures[i].schema);
        pipeline_add_route(pipeline,
                           &(struct route_options){ .match = match, .schema = failures[i].schema });
    }
    pipeline_start(pipeline, options);
}

static void a_registrys_failure_is_told_by_the_map_in_force(void)
{
    for (enum status_map map = STATUS_MAP_TUTORIAL; map <= STATUS_MAP_EVENTBRIDGE; map++) {
        struct pipeline pipeline;

        begin_failures(&pipeline, &(struct events_options){ .status_map = map });
        for (size_t i = 0; i < COUNT_OF(failures); i++) {
            const struct failure *failure = &failures[i];
            bool moved = map == STATUS_MAP_EVENTBRIDGE && failure->moves;
            struct arena *arena = arena_create();
            struct response response;

            TEST_CASE(failure->schema);
            pipeline_post(&pipeline,
                          arena_printf(arena, "{\"source\":\"%s\",\"detail\":{}}", failure->schema),
                          &response);
            CHECK_INT(response.status, moved ? 503 : failure->status);
            CHECK_STR(
                response.body,
                refusal(arena, moved ? "Service unavailable" : failure->error, failure->text).ptr);
            CHECK_STR(response.note.outcome, failure->outcome);
            CHECK_STR(response.note.schema, failure->schema);
            arena_destroy(arena);
        }
        pipeline_check_post(
            &pipeline, "{\"source\":\"elsewhere\",\"detail\":{}}", 400,
            "{\"error\":\"Processing failed\",\"details\":\"No route for this event\"}");
        pipeline_done(&pipeline);
    }
}

static void a_schema_that_does_not_compile_is_our_fault(void)
{
    struct pipeline pipeline;
    struct response response;

    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", "{\"type\":\"strin\"}");
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    pipeline_post(&pipeline, STR("{\"detail\":{}}"), &response);
    CHECK_INT(response.status, 500);
    CHECK(
        str_starts_with(response.body, STR("{\"error\":\"Internal server error\",\"details\":\"")));
    pipeline_done(&pipeline);
}

static void an_arrays_status_is_that_of_its_retryable_failures(void)
{
    static const struct {
        const char *body;
        int tutorial;
        int eventbridge;
    } cases[] = {
        { "[{\"source\":\"Throttled\",\"detail\":1}]", 500, 500 },
        { "[{\"source\":\"Away\",\"detail\":1}]", 503, 503 },
        { "[{\"source\":\"Away\",\"detail\":1},{\"source\":\"Ours\",\"detail\":1}]", 503, 503 },
        { "[{\"source\":\"Ours\",\"detail\":1},{\"source\":\"Away\",\"detail\":1}]", 503, 503 },
        { "[{\"source\":\"NotFound\",\"detail\":1},{}]", 400, 503 },
        { "[{},{\"source\":\"Ours\",\"detail\":1},{}]", 500, 500 },
        { "[{\"source\":\"NotFound\",\"detail\":1},{\"source\":\"Ours\",\"detail\":1}]", 500, 503 },
    };

    for (int mode = 0; mode < 4; mode++) {
        enum status_map map = mode & 1 ? STATUS_MAP_EVENTBRIDGE : STATUS_MAP_TUTORIAL;
        bool partial = mode & 2;
        struct pipeline pipeline;

        begin_failures(&pipeline,
                       &(struct events_options){ .status_map = map, .partial = partial });
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            int status = mode & 1 ? cases[i].eventbridge : cases[i].tutorial;
            struct response response;

            TEST_CASE(cases[i].body);
            pipeline_post(&pipeline, str_from_c(cases[i].body), &response);
            CHECK_INT(response.status, partial ? 200 : status);
        }
        pipeline_done(&pipeline);
    }
}

static void retryable_elements_are_listed(void)
{
    struct pipeline pipeline;

    begin_failures(&pipeline, &(struct events_options){ .partial = true });
    pipeline_check_post(
        &pipeline,
        "[{\"id\":\"x\",\"source\":\"Away\",\"detail\":1},{\"source\":\"Throttled\","
        "\"detail\":1},{\"id\":\"y\",\"source\":\"NotFound\",\"detail\":1}]",
        200,
        "{\"results\":[{\"id\":\"x\",\"status\":503,\"error\":\"Service unavailable\","
        "\"details\":\"starting\"},{\"id\":null,\"status\":500,"
        "\"error\":\"AWS Glue service unavailable\"},{\"id\":\"y\",\"status\":400,"
        "\"error\":\"Processing failed\","
        "\"details\":\"Schema NotFound not found in registry Registry\"}],"
        "\"batchItemFailures\":[{\"itemIdentifier\":\"x\"},{\"itemIdentifier\":\"\"}]}");
    pipeline_done(&pipeline);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(a_registrys_failure_is_told_by_the_map_in_force);
    RUN(a_schema_that_does_not_compile_is_our_fault);
    RUN(an_arrays_status_is_that_of_its_retryable_failures);
    RUN(retryable_elements_are_listed);
    return test_end();
}
