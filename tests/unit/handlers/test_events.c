/*
 * test_events.c - claims about handlers/events.h: what POST /events answers one event, to the byte.
 */
#include "handlers/events.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

#define NO_DETAIL                                                                                  \
    "{\"error\":\"Processing failed\","                                                            \
    "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}"

static const struct {
    const char *body;
    int status;
    const char *outcome;
    const char *answer;
} documented[] = {
    { "{\"id\":\"a\",\"detail\":" PIPELINE_GOOD_DETAIL "}", 200, "valid", PIPELINE_GOOD_RECORD },
    { " \r\n\t{\"detail\":" PIPELINE_GOOD_DETAIL "} \n", 200, "valid", PIPELINE_GOOD_RECORD },
    { "{\"detail\":{\"interaction\":{\"id\":\"\xC3\xA9/\\u0041\",\"start_time\":\"t\","
      "\"customer\":{\"name\":\"N\"},\"attributes\":{\"b\":1e400,\"a\":[12345678901234567890]}}}}",
      200, "valid",
      "{\"interaction_id\":\"\xC3\xA9/A\",\"customer_name\":\"N\","
      "\"attributes\":{\"b\":1e400,\"a\":[12345678901234567890]}}" },
    { "{}", 400, "malformed", NO_DETAIL },
    { "{\"Detail\":{}}", 400, "malformed", NO_DETAIL },
    { "5", 400, "malformed", NO_DETAIL },
    { "null", 400, "malformed", NO_DETAIL },
    { "\"{}\"", 400, "malformed", NO_DETAIL },
    { "{\"detail\":5}", 400, "schema_invalid",
      "{\"error\":\"Schema validation failed\",\"details\":\"<integer> is not of type 'object'\","
      "\"errors\":[{\"instanceLocation\":\"\",\"keywordLocation\":\"/type\","
      "\"error\":\"<integer> is not of type 'object'\"}]}" },
    { "{\"detail\":null}", 400, "schema_invalid",
      "{\"error\":\"Schema validation failed\",\"details\":\"<null> is not of type 'object'\","
      "\"errors\":[{\"instanceLocation\":\"\",\"keywordLocation\":\"/type\","
      "\"error\":\"<null> is not of type 'object'\"}]}" },
    { "{\"detail\":{}}", 400, "schema_invalid",
      "{\"error\":\"Schema validation failed\","
      "\"details\":\"'interaction' is a required property\","
      "\"errors\":[{\"instanceLocation\":\"\",\"keywordLocation\":\"/required\","
      "\"error\":\"'interaction' is a required property\"}]}" },
    { "{\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}", 400, "schema_invalid",
      "{" PIPELINE_WRONG_ID "}" },
    { "{\"detail\":{\"interaction\":{\"id\":\"\",\"start_time\":\"t\"}}}", 400, "transform_failed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Transformation failed: missing interaction.id\"}" },
};

static void each_event_has_its_documented_answer(void)
{
    for (enum status_map map = STATUS_MAP_TUTORIAL; map <= STATUS_MAP_EVENTBRIDGE; map++) {
        struct pipeline pipeline;

        pipeline_init_default(&pipeline,
                              &(struct events_options){ .status_map = map, .redact_values = true });
        for (size_t i = 0; i < COUNT_OF(documented); i++) {
            struct response response;

            TEST_CASE(documented[i].body);
            pipeline_post(&pipeline, str_from_c(documented[i].body), &response);
            CHECK_INT(response.status, documented[i].status);
            CHECK_STR(response.body, documented[i].answer);
            CHECK_STR(response.note.outcome, documented[i].outcome);
        }
        pipeline_done(&pipeline);
    }
}

static void what_is_no_json_is_malformed(void)
{
    static const struct {
        const char *name;
        struct str body;
        size_t at;
    } cases[] = {
        { "nothing", STR_INIT(""), 0 },
        { "no text at all", { NULL, 0 }, 0 },
        { "a word", STR_INIT("detail"), 0 },
        { "cut", STR_INIT("{\"detail\":"), 10 },
        { "trailing bytes", STR_INIT("{} x"), 3 },
        { "two values", STR_INIT("{}{}"), 2 },
        { "a byte order mark", STR_INIT("\xEF\xBB\xBF{}"), 0 },
        { "NaN", STR_INIT("{\"detail\":NaN}"), 10 },
        { "invalid UTF-8", STR_INIT("{\"\xFF\":1}"), 2 },
        { "a NUL behind", STR_INIT("{}\0"), 2 },
    };
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true });
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct response response;
        char beginning[200];

        TEST_CASE(cases[i].name);
        pipeline_post(&pipeline, cases[i].body, &response);
        CHECK_INT(response.status, 400);
        (void)snprintf(beginning, sizeof(beginning),
                       "{\"error\":\"Processing failed\",\"details\":\"Invalid JSON at byte %zu: ",
                       cases[i].at);
        CHECK(str_starts_with(response.body, str_from_c(beginning)));
        CHECK_STR(response.note.outcome, "malformed");
    }
    pipeline_done(&pipeline);
}

static void receipts_hide_the_record(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline,
                          &(struct events_options){ .receipt = true, .redact_values = true });
    pipeline_check_post(&pipeline, "{\"id\":\"a\",\"detail\":" PIPELINE_GOOD_DETAIL "}", 200,
                        "{\"id\":\"a\",\"status\":\"accepted\"}");
    pipeline_check_post(&pipeline, "{\"id\":7,\"detail\":" PIPELINE_GOOD_DETAIL "}", 200,
                        "{\"id\":null,\"status\":\"accepted\"}");
    pipeline_check_post(&pipeline, "{\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}",
                        400, "{" PIPELINE_WRONG_ID "}");
    pipeline_done(&pipeline);
}

static void values_are_shown_only_when_told_to(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = false });
    pipeline_check_post(&pipeline,
                        "{\"detail\":{\"interaction\":{\"id\":4711,\"start_time\":\"t\"}}}", 400,
                        "{\"error\":\"Schema validation failed\","
                        "\"details\":\"4711 is not of type 'string'\","
                        "\"errors\":[{\"instanceLocation\":\"/interaction/id\",\"keywordLocation\":"
                        "\"/properties/interaction/properties/id/type\","
                        "\"error\":\"4711 is not of type 'string'\"}]}");
    pipeline_done(&pipeline);
}

static void no_value_of_the_event_leaves_in_a_refusal(void)
{
    static const char *const details[] = {
        "\"SECRET\"",
        "[\"SECRET\"]",
        "{\"interaction\":\"SECRET\"}",
        "{\"interaction\":{\"id\":[\"SECRET\"],\"start_time\":{\"x\":\"SECRET\"}}}",
        "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\",\"routing\":\"SECRET\"}}",
        "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\",\"customer\":[\"SECRET\"]}}",
        "{\"interaction\":{\"id\":\"\",\"start_time\":\"SECRET\"}}",
    };
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true });
    for (size_t i = 0; i < COUNT_OF(details); i++) {
        struct response response;
        char body[300];

        TEST_CASE(details[i]);
        (void)snprintf(body, sizeof(body), "{\"id\":\"a\",\"detail\":%s}", details[i]);
        pipeline_post(&pipeline, str_from_c(body), &response);
        CHECK_INT(response.status, 400);
        CHECK(!memmem(response.body.ptr, response.body.len, "SECRET", 6));
        CHECK(!memmem(response.note.rule.ptr ? response.note.rule.ptr : "", response.note.rule.len,
                      "SECRET", 6));
    }
    pipeline_done(&pipeline);
}

static void the_note_is_for_log_and_metrics(void)
{
    struct pipeline pipeline;
    struct response response;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true });
    pipeline_post(&pipeline, STR("{\"id\":\"a\",\"detail\":{}}"), &response);
    CHECK_STR(response.note.event_id, "a");
    CHECK_STR(response.note.outcome, "schema_invalid");
    CHECK_STR(response.note.schema, "Schema");
    CHECK_INT((int64_t)response.note.schema_version.len, 12);
    CHECK_STR(response.note.rule, "/required");
    CHECK_INT((int64_t)response.note.events, 0);
    pipeline_post(&pipeline, STR("{\"id\":\"a\",\"detail\":" PIPELINE_GOOD_DETAIL "}"), &response);
    CHECK(!response.note.rule.ptr);
    CHECK_STR(response.note.outcome, "valid");
    pipeline_post(&pipeline, STR("nonsense"), &response);
    CHECK(!response.note.event_id.ptr && !response.note.schema.ptr);
    pipeline_done(&pipeline);
}

static void wrapped_events_have_their_places(void)
{
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline,
                       &(struct route_options){ .match = "{\"/Metadata/EventSource\":\"genesys*\"}",
                                                .payload = "/Data",
                                                .id = "/Metadata/EventId" });
    pipeline_start(&pipeline, &(struct events_options){ .receipt = true });
    pipeline_check_post(&pipeline,
                        "{\"Data\":" PIPELINE_GOOD_DETAIL
                        ",\"Metadata\":{\"EventId\":\"w\",\"EventSource\":\"genesyscloud\"}}",
                        200, "{\"id\":\"w\",\"status\":\"accepted\"}");
    pipeline_check_post(&pipeline,
                        "{\"Metadata\":{\"EventId\":\"w\",\"EventSource\":\"genesyscloud\"}}", 400,
                        "{\"error\":\"Processing failed\","
                        "\"details\":\"Invalid EventBridge payload: missing 'Data' key\"}");
    pipeline_done(&pipeline);
}

static void a_route_drops_its_events(void)
{
    struct pipeline pipeline;
    struct response response;

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = "{\"source\":\"noise\"}",
                                                           .name = "noise",
                                                           .drop = true });
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .receipt = true });
    pipeline_post(&pipeline, STR("{\"id\":\"a\",\"source\":\"noise\"}"), &response);
    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, "{\"status\":\"dropped\"}");
    CHECK_STR(response.note.outcome, "dropped");
    CHECK_STR(response.note.event_id, "a");
    CHECK(!response.note.schema.ptr && !response.note.schema_version.ptr);
    pipeline_check_post(
        &pipeline,
        "[{\"id\":\"a\",\"source\":\"noise\"},{\"id\":\"b\",\"detail\":" PIPELINE_GOOD_DETAIL "}]",
        200,
        "{\"results\":[{\"id\":\"a\",\"status\":200,\"dropped\":true},"
        "{\"id\":\"b\",\"status\":200}],\"batchItemFailures\":[]}");
    pipeline_done(&pipeline);
}

static void null_on_the_way_of_the_transform_is_told(void)
{
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", "true");
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    pipeline_check_post(
        &pipeline, "{\"detail\":{\"interaction\":{\"id\":\"i\",\"customer\":null}}}", 400,
        "{\"error\":\"Processing failed\","
        "\"details\":\"Transformation failed: interaction.customer is not an object "
        "(field customer_name from /interaction/customer/name)\"}");
    pipeline_done(&pipeline);
}

#define EVENT_A1 "{\"id\":\"a1\",\"detail\":" PIPELINE_GOOD_DETAIL "}"

static struct {
    char steps[200];
    enum err_code last;
    bool event_without_parse;
} seen;

static void note_step(void *self, const char *name, const struct event *event,
                      const struct error *err)
{
    size_t len = strlen(seen.steps);

    CHECK(self == &seen);
    (void)snprintf(seen.steps + len, sizeof(seen.steps) - len, "%s%s ", name, err ? "!" : "");
    seen.last = err ? err->code : ERR_NONE;
    seen.event_without_parse |= (event == NULL) != (strcmp(name, "parse") == 0);
}

static void the_observer_is_told_each_step(void)
{
    static const struct {
        const char *body;
        const char *steps;
        enum err_code last;
    } cases[] = {
        { EVENT_A1, "parse route payload validate transform ", ERR_NONE },
        { "{", "parse! ", ERR_MALFORMED },
        { "7", "parse route! ", ERR_MALFORMED },
        { "{}", "parse route payload! ", ERR_MALFORMED },
        { "{\"detail\":1}", "parse route payload validate! ", ERR_INVALID },
        { "{\"detail\":{\"interaction\":{\"id\":\"\",\"start_time\":\"\"}}}",
          "parse route payload validate transform! ", ERR_INVALID },
        { "[{},{}]", "parse route payload! route payload! ", ERR_MALFORMED },
    };
    static const struct event_observer observer = { .step = note_step, .self = &seen };
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ 0 });
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct request request = pipeline_request(arena, str_from_c(cases[i].body));
        struct response response = { 0 };

        TEST_CASE(cases[i].body);
        memset(&seen, 0, sizeof(seen));
        events_answer(pipeline.events, &request, &observer, &response);
        CHECK_STR(str_from_c(seen.steps), cases[i].steps);
        CHECK_INT(seen.last, cases[i].last);
        CHECK(!seen.event_without_parse);
        arena_destroy(arena);
    }
    pipeline_done(&pipeline);
}

static struct pipeline shared;
static atomic_bool stop;
static atomic_int wrong;

/* Either version of the schema refuses the event, each for its own reason. */
static bool is_either_refusal(const struct response *response)
{
    return response->status == 400 &&
           (str_ends_with(response->body, STR("<integer> is not of type 'string'\"}]}")) ||
            str_ends_with(response->body, STR("<integer> is not of type 'array'\"}]}")));
}

static void *post_until_stopped(void *self)
{
    while (!atomic_load(&stop)) {
        struct arena *arena = arena_create();
        struct request request = pipeline_request(arena, STR("{\"detail\":{\"a\":{\"b\":1}}}"));
        struct response response = { 0 };

        events_answer(shared.events, &request, NULL, &response);
        wrong += !is_either_refusal(&response);
        arena_destroy(arena);
    }
    return self;
}

static bool has_another_version(void *self)
{
    struct catalog_status status;

    catalog_status(shared.catalog, 0, &status);
    return strcmp(status.version, self) != 0;
}

/* Let the schema ask for `type`, and wait until it is live. */
static bool change_schema(const char *type, int number)
{
    struct catalog_status status;
    char text[200];

    catalog_status(shared.catalog, 0, &status);
    (void)snprintf(text, sizeof(text),
                   "{\"title\":\"%d\",\"properties\":{\"a\":{\"properties\":{\"b\":"
                   "{\"type\":\"%s\"}}}}}",
                   number, type);
    pipeline_write_schema(&shared, "Schema", text);
    return wait_until(has_another_version, status.version);
}

static void answers_are_whole_while_schemas_change(void)
{
    enum { THREADS = 2, CHANGES = 40 };
    pthread_t threads[THREADS];
    struct error err = { 0 };

    pipeline_init(&shared, NULL);
    pipeline_add_route(&shared, &(struct route_options){ 0 });
    pipeline_start(&shared, &(struct events_options){ .redact_values = true });
    CHECK(catalog_start(shared.catalog, &err));
    CHECK(change_schema("string", -1));
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, post_until_stopped, NULL) == 0);
    for (int i = 0; i < CHANGES; i++)
        CHECK(change_schema(i % 2 ? "string" : "array", i));
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    CHECK_INT(wrong, 0);
    pipeline_done(&shared);
}

static void the_handler_is_post_events(void)
{
    struct pipeline pipeline;
    struct response response = { 0 };

    pipeline_init_default(&pipeline, &(struct events_options){ 0 });

    struct handler handler = events_handler(pipeline.events);
    struct arena *arena = arena_create();
    struct request request = pipeline_request(arena, STR(EVENT_A1));

    CHECK_STR(str_from_c(handler.path), "/events");
    CHECK_INT(handler.method, HANDLER_POST);
    CHECK(handler.admit(handler.self, &request, &response)); /* no credential is configured */
    handler.handle(handler.self, &request, &response);
    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, PIPELINE_GOOD_RECORD);
    arena_destroy(arena);
    pipeline_done(&pipeline);
    events_destroy(NULL);
}

/* What the guard and the shadow know of the events so far. */
static void check_traces(struct pipeline *pipeline, uint64_t agreed, size_t tried)
{
    struct catalog_shadow_status shadow;
    struct catalog_status status;

    catalog_shadow_status(pipeline->catalog, 0, &shadow);
    CHECK_INT((int64_t)shadow.totals[SHADOW_AGREES], (int64_t)agreed);
    catalog_status(pipeline->catalog, 0, &status);
    CHECK_INT((int64_t)status.finding.tried, (int64_t)tried);
}

static void what_an_operator_tries_leaves_no_trace(void)
{
    static const char event[] = "{\"detail\":" PIPELINE_GOOD_DETAIL "}";
    struct scripted script;
    struct registry registry;
    struct pipeline pipeline;
    struct response response;

    scripted_init(&script);
    scripted_give(&script, "1", "true");
    registry = scripted_registry(&script);
    pipeline_init_guarded(&pipeline, &registry);
    pipeline_add_route(&pipeline, &(struct route_options){ .shadow_version = "7" });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    pipeline_post(&pipeline, str_from_c(event), &response);
    CHECK_INT(response.status, 200);
    scripted_give(&script, "2", "false");
    catalog_load(pipeline.catalog);
    check_traces(&pipeline, 0, 0);
    scripted_give(&script, "3", "true");
    catalog_load(pipeline.catalog);
    CHECK_INT((int64_t)pipeline_handle(&pipeline, str_from_c(event)), HANDLER_DONE);
    scripted_give(&script, "4", "false");
    catalog_load(pipeline.catalog);
    check_traces(&pipeline, 1, 1);
    pipeline_done(&pipeline);
    scripted_done(&script);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(each_event_has_its_documented_answer);
    RUN(what_is_no_json_is_malformed);
    RUN(receipts_hide_the_record);
    RUN(values_are_shown_only_when_told_to);
    RUN(no_value_of_the_event_leaves_in_a_refusal);
    RUN(the_note_is_for_log_and_metrics);
    RUN(wrapped_events_have_their_places);
    RUN(a_route_drops_its_events);
    RUN(null_on_the_way_of_the_transform_is_told);
    RUN(the_observer_is_told_each_step);
    RUN(what_an_operator_tries_leaves_no_trace);
    RUN(answers_are_whole_while_schemas_change);
    RUN(the_handler_is_post_events);
    return test_end();
}
