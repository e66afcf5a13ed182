/*
 * test_events.c - claims about handlers/events.h: what POST /events answers, to the byte.
 */
#include "handlers/events.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

#define GOOD_DETAIL "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\"}}"
#define GOOD_RECORD "{\"interaction_id\":\"i\",\"customer_name\":null,\"attributes\":{}}"
#define WRONG_ID                                                                                   \
    "\"error\":\"Schema validation failed\",\"details\":\"<integer> is not of type 'string'\","    \
    "\"errors\":[{\"instanceLocation\":\"/interaction/id\",\"keywordLocation\":"                   \
    "\"/properties/interaction/properties/id/type\","                                              \
    "\"error\":\"<integer> is not of type 'string'\"}]"

/* Post, and check that the answer is JSON whatever it is. */
static void post(struct pipeline *pipeline, struct str body, struct response *response)
{
    struct json_object *answer = NULL;
    struct error err = { 0 };

    pipeline_post(pipeline, body, response);
    CHECK(response->status == 200 || response->status == 400 || response->status == 500 ||
          response->status == 503);
    CHECK(json_read(response->body, &(struct json_read_options){ .max_depth = JSON_DEPTH_LIMIT },
                    &answer, &err));
    CHECK((response->status == 503) == (response->retry_after_seconds >= 1));
    CHECK(!response->content_type && !response->www_authenticate && !response->duplicate);
    json_release(answer);
}

static void check_post(struct pipeline *pipeline, const char *body, int status, const char *answer)
{
    struct response response;

    post(pipeline, str_from_c(body), &response);
    CHECK_INT(response.status, status);
    CHECK_STR(response.body, answer);
}

static const struct {
    const char *body;
    int status;
    const char *outcome;
    const char *answer;
} documented[] = {
    { "{\"id\":\"a\",\"detail\":" GOOD_DETAIL "}", 200, "valid", GOOD_RECORD },
    { " \r\n\t{\"detail\":" GOOD_DETAIL "} \n", 200, "valid", GOOD_RECORD },
    { "{\"detail\":{\"interaction\":{\"id\":\"\xC3\xA9/\\u0041\",\"start_time\":\"t\","
      "\"customer\":{\"name\":\"N\"},\"attributes\":{\"b\":1e400,\"a\":[12345678901234567890]}}}}",
      200, "valid",
      "{\"interaction_id\":\"\xC3\xA9/A\",\"customer_name\":\"N\","
      "\"attributes\":{\"b\":1e400,\"a\":[12345678901234567890]}}" },
    { "{}", 400, "malformed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}" },
    { "{\"Detail\":{}}", 400, "malformed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}" },
    { "5", 400, "malformed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}" },
    { "null", 400, "malformed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}" },
    { "\"{}\"", 400, "malformed",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}" },
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
      "{" WRONG_ID "}" },
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
            post(&pipeline, str_from_c(documented[i].body), &response);
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
        post(&pipeline, cases[i].body, &response);
        CHECK_INT(response.status, 400);
        (void)snprintf(beginning, sizeof(beginning),
                       "{\"error\":\"Processing failed\",\"details\":\"Invalid JSON at byte %zu: ",
                       cases[i].at);
        CHECK(str_starts_with(response.body, str_from_c(beginning)));
        CHECK_STR(response.note.outcome, "malformed");
    }
    pipeline_done(&pipeline);
}

static void nesting_is_bounded(void)
{
    enum { DEPTH = 200000 };
    char *body = mem_alloc(DEPTH + 1);
    struct pipeline pipeline;
    struct response response;

    memset(body, '[', DEPTH);
    pipeline_init_default(&pipeline, &(struct events_options){ 0 });
    post(&pipeline, (struct str){ body, DEPTH }, &response);
    CHECK_INT(response.status, 400);
    CHECK(str_starts_with(response.body, STR("{\"error\":\"Processing failed\","
                                             "\"details\":\"Invalid JSON at byte ")));
    memset(body, '[', 30);
    memset(body + 30, ']', 30);
    post(&pipeline, (struct str){ body, 60 }, &response); /* one element, which is an array */
    CHECK_INT(response.status, 400);
    CHECK_INT((int64_t)response.note.events, 1);
    mem_free(body);
    pipeline_done(&pipeline);
}

/* A registry of failures: each schema's name says which. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the table reads better so */
static const struct failure {
    const char *schema;
    enum err_code code;
    const char *text;
    const char *outcome;
    const char *tutorial;
    int tutorial_status;
    const char *eventbridge; /* NULL: the same */
} failures[] = {
    { "NotFound", ERR_SCHEMA_NOT_FOUND, "Schema NotFound not found in registry Registry",
      "schema_not_found",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Schema NotFound not found in registry Registry\"}",
      400,
      "{\"error\":\"Service unavailable\","
      "\"details\":\"Schema NotFound not found in registry Registry\"}" },
    { "Denied", ERR_REGISTRY_DENIED, "IAM role lacks glue:GetSchemaVersion permission",
      "registry_denied",
      "{\"error\":\"Processing failed\","
      "\"details\":\"IAM role lacks glue:GetSchemaVersion permission\"}",
      400,
      "{\"error\":\"Service unavailable\","
      "\"details\":\"IAM role lacks glue:GetSchemaVersion permission\"}" },
    { "Unreachable", ERR_REGISTRY_UNREACHABLE, "AWS SDK error during schema retrieval: \"timeout\"",
      "registry_unreachable",
      "{\"error\":\"Processing failed\","
      "\"details\":\"AWS SDK error during schema retrieval: \\\"timeout\\\"\"}",
      400,
      "{\"error\":\"Service unavailable\","
      "\"details\":\"AWS SDK error during schema retrieval: \\\"timeout\\\"\"}" },
    { "Empty", ERR_SCHEMA_UNUSABLE, "Schema definition is empty in Glue Registry",
      "schema_unusable",
      "{\"error\":\"Processing failed\","
      "\"details\":\"Schema definition is empty in Glue Registry\"}",
      400,
      "{\"error\":\"Service unavailable\","
      "\"details\":\"Schema definition is empty in Glue Registry\"}" },
    { "Throttled", ERR_REGISTRY_UNAVAILABLE, "", "registry_unavailable",
      "{\"error\":\"AWS Glue service unavailable\"}", 500, NULL },
    { "Ours", ERR_INTERNAL, "short reason", "internal",
      "{\"error\":\"Internal server error\",\"details\":\"short reason\"}", 500, NULL },
    { "Away", ERR_UNAVAILABLE, "starting", "unavailable",
      "{\"error\":\"Service unavailable\",\"details\":\"starting\"}", 503, NULL },
};

static bool fetch_failure(void *self, const char *registry, const char *schema,
                          struct schema_definition *out, struct error *err)
{
    (void)self;
    (void)registry;
    (void)out;
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (strcmp(failures[i].schema, schema) == 0)
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
        const struct route_match match = { "source", failures[i].schema };

        pipeline_add_route(pipeline, &(struct route_options){ .match = &match,
                                                              .match_count = 1,
                                                              .schema = failures[i].schema });
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
            bool moved = map == STATUS_MAP_EVENTBRIDGE && failure->eventbridge;
            struct response response;
            char body[100];

            TEST_CASE(failure->schema);
            (void)snprintf(body, sizeof(body), "{\"source\":\"%s\",\"detail\":{}}",
                           failure->schema);
            post(&pipeline, str_from_c(body), &response);
            CHECK_INT(response.status, moved ? 503 : failure->tutorial_status);
            CHECK_STR(response.body, moved ? failure->eventbridge : failure->tutorial);
            CHECK_STR(response.note.outcome, failure->outcome);
            CHECK_STR(response.note.schema, failure->schema);
        }
        check_post(&pipeline, "{\"source\":\"elsewhere\",\"detail\":{}}", 400,
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
    post(&pipeline, STR("{\"detail\":{}}"), &response);
    CHECK_INT(response.status, 500);
    CHECK(
        str_starts_with(response.body, STR("{\"error\":\"Internal server error\",\"details\":\"")));
    pipeline_done(&pipeline);
}

static void receipts_hide_the_record(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline,
                          &(struct events_options){ .receipt = true, .redact_values = true });
    check_post(&pipeline, "{\"id\":\"a\",\"detail\":" GOOD_DETAIL "}", 200,
               "{\"id\":\"a\",\"status\":\"accepted\"}");
    check_post(&pipeline, "{\"id\":7,\"detail\":" GOOD_DETAIL "}", 200,
               "{\"id\":null,\"status\":\"accepted\"}");
    check_post(&pipeline, "{\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}", 400,
               "{" WRONG_ID "}");
    pipeline_done(&pipeline);
}

static void values_are_shown_only_when_told_to(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = false });
    check_post(&pipeline, "{\"detail\":{\"interaction\":{\"id\":4711,\"start_time\":\"t\"}}}", 400,
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
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
        "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\",\"routing\":\"SECRET\","
        "\"customer\":[\"SECRET\"]}}",
        "{\"interaction\":{\"id\":\"\",\"start_time\":\"SECRET\"}}",
    };
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true });
    for (size_t i = 0; i < COUNT_OF(details); i++) {
        struct response response;
        char body[300];

        TEST_CASE(details[i]);
        (void)snprintf(body, sizeof(body), "{\"id\":\"a\",\"detail\":%s}", details[i]);
        post(&pipeline, str_from_c(body), &response);
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
    post(&pipeline, STR("{\"id\":\"a\",\"detail\":{}}"), &response);
    CHECK_STR(response.note.event_id, "a");
    CHECK_STR(response.note.outcome, "schema_invalid");
    CHECK_STR(response.note.schema, "Schema");
    CHECK_INT((int64_t)response.note.schema_version.len, 12);
    CHECK_STR(response.note.rule, "/required");
    CHECK_INT((int64_t)response.note.events, 0);
    post(&pipeline, STR("{\"id\":\"a\",\"detail\":" GOOD_DETAIL "}"), &response);
    CHECK(!response.note.rule.ptr);
    CHECK_STR(response.note.outcome, "valid");
    post(&pipeline, STR("nonsense"), &response);
    CHECK(!response.note.event_id.ptr && !response.note.schema.ptr);
    pipeline_done(&pipeline);
}

/* Longer than a struct error holds. */
static void long_messages_are_shown_whole(void)
{
    struct buf body;
    struct buf answer;
    struct pipeline pipeline;
    struct response response;

    buf_init(&body, 10000);
    buf_init(&answer, 10000);
    buf_add(&answer, STR("{\"error\":\"Schema validation failed\",\"details\":\"'"));
    buf_add(&body, STR("{\"detail\":\""));
    for (int i = 0; i < 1000; i++) {
        buf_add_char(&body, 'x');
        buf_add_char(&answer, 'x');
    }
    buf_add(&body, STR("\"}"));
    buf_add(&answer, STR("' is not of type 'object'\","));
    pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = false });
    post(&pipeline, buf_str(&body), &response);
    CHECK(str_starts_with(response.body, buf_str(&answer)));
    buf_done(&body);
    buf_done(&answer);
    pipeline_done(&pipeline);
}

/* An object whose members p0, p1, ... are numbers where strings are asked for. */
static void write_members(struct buf *out, size_t count, const char *format)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s\"p%zu\":", i ? "," : "", i);
        buf_add(out, str_from_c(format));
    }
    buf_add_char(out, '}');
}

/* A pipeline whose schema wants strings in p0 ... p29. */
static void begin_wide(struct pipeline *pipeline, const struct events_options *options)
{
    struct buf schema;

    buf_init(&schema, 100000);
    buf_add(&schema, STR("{\"properties\":"));
    write_members(&schema, 30, "{\"type\":\"string\"}");
    buf_add(&schema, STR("}\0"));
    pipeline_init(pipeline, NULL);
    pipeline_write_schema(pipeline, "Schema", schema.ptr);
    pipeline_add_route(pipeline, &(struct route_options){ 0 });
    pipeline_start(pipeline, options);
    buf_done(&schema);
}

static void post_members(struct pipeline *pipeline, size_t count, size_t events,
                         struct response *response)
{
    struct buf body;

    buf_init(&body, 10000000);
    if (events > 0)
        buf_add_char(&body, '[');
    for (size_t i = 0; i < (events ? events : 1); i++) {
        buf_add(&body, i > 0 ? STR(",{\"detail\":") : STR("{\"detail\":"));
        write_members(&body, count, "1");
        buf_add_char(&body, '}');
    }
    if (events > 0)
        buf_add_char(&body, ']');
    post(pipeline, buf_str(&body), response);
    buf_done(&body);
}

static size_t count_text(struct str text, struct str what)
{
    size_t count = 0;

    for (;;) {
        const char *at = text.len > 0 ? memmem(text.ptr, text.len, what.ptr, what.len) : NULL;

        if (!at)
            return count;
        count++;
        text = str_from(text, (size_t)(at - text.ptr) + what.len);
    }
}

static void errors_are_at_most_max_errors(void)
{
    static const struct {
        size_t wrong;
        size_t max_errors;
        size_t shown;
    } cases[] = {
        { 1, 20, 1 }, { 19, 20, 19 }, { 20, 20, 20 }, { 21, 20, 20 }, { 30, 20, 20 },
        { 2, 1, 1 },  { 1, 1, 1 },    { 30, 29, 29 }, { 30, 30, 30 }, { 30, 1000, 30 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pipeline pipeline;
        struct response response;

        begin_wide(&pipeline, &(struct events_options){ .max_errors = cases[i].max_errors });
        post_members(&pipeline, cases[i].wrong, 0, &response);
        CHECK_INT((int64_t)count_text(response.body, STR("instanceLocation")),
                  (int64_t)cases[i].shown);
        CHECK(str_ends_with(response.body, STR("],\"truncated\":true}")) ==
              (cases[i].shown < cases[i].wrong));
        pipeline_done(&pipeline);
    }
}

static void an_array_shows_a_thousand_errors_and_one_for_each(void)
{
    struct pipeline pipeline;
    struct response response;

    begin_wide(&pipeline, &(struct events_options){ .max_errors = 20 });
    post_members(&pipeline, 30, 500, &response);
    CHECK_INT(response.status, 400);
    CHECK_INT((int64_t)count_text(response.body, STR("\"status\":400")), 500);
    CHECK_INT((int64_t)count_text(response.body, STR("\"truncated\":true")), 500);

    size_t units = count_text(response.body, STR("instanceLocation"));

    CHECK(units >= 1000 && units <= 1500);
    CHECK_INT((int64_t)count_text(response.body, STR("\"details\"")), 500);
    pipeline_done(&pipeline);
}

/* Thousands of errors, each at a place whose name takes six times its bytes as JSON. */
static void an_answer_too_large_for_its_errors_goes_without(void)
{
    enum { MISSING = 3500, NAME = 4000 };
    struct buf schema;
    struct buf body;
    struct pipeline pipeline;
    struct response response;

    buf_init(&schema, 1000000);
    buf_add(&schema, STR("{\"additionalProperties\":{\"required\":["));
    for (int i = 0; i < MISSING; i++)
        buf_printf(&schema, "%s\"p%d\"", i ? "," : "", i);
    buf_add(&schema, STR("]}}\0"));
    buf_init(&body, 1000000);
    buf_add(&body, STR("{\"detail\":{\""));
    for (int i = 0; i < NAME; i++)
        buf_add(&body, STR("\\u0001"));
    buf_add(&body, STR("\":{}}}\0"));

    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", schema.ptr);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .max_errors = 10000 });
    check_post(&pipeline, body.ptr, 400,
               "{\"error\":\"Schema validation failed\","
               "\"details\":\"'p0' is a required property\"}");
    pipeline_done(&pipeline);
    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", schema.ptr);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .max_errors = 10 });
    post(&pipeline, str_from_c(body.ptr), &response);
    CHECK_INT((int64_t)count_text(response.body, STR("instanceLocation")), 10);
    buf_done(&body);
    buf_done(&schema);
    pipeline_done(&pipeline);
}

static void what_costs_too_much_is_not_checked_to_the_end(void)
{
    enum { ELEMENTS = 300000 };
    struct pipeline pipeline;
    struct response response;
    struct buf body;

    buf_init(&body, 10000000);
    buf_add(&body, STR("{\"detail\":["));
    for (int i = 0; i < ELEMENTS; i++)
        buf_add(&body, i ? STR(",1") : STR("1"));
    buf_add(&body, STR("]}"));
    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema",
                          "{\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":5}}");
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .budget_us = 1 });
    post(&pipeline, buf_str(&body), &response);
    CHECK_INT(response.status, 400);
    CHECK_STR(response.body,
              "{\"error\":\"Processing failed\",\"details\":\"Event too expensive to check\"}");
    CHECK_STR(response.note.outcome, "too_expensive");
    buf_done(&body);
    pipeline_done(&pipeline);
}

#define OK_A1    "{\"id\":\"a1\",\"status\":200}"
#define BAD_A2   "{\"id\":\"a2\",\"status\":400," WRONG_ID "}"
#define EVENT_A1 "{\"id\":\"a1\",\"detail\":" GOOD_DETAIL "}"
#define EVENT_A2 "{\"id\":\"a2\",\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}"
#define NO_DETAIL                                                                                  \
    "{\"id\":null,\"status\":400,\"error\":\"Processing failed\","                                 \
    "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}"

static void an_array_has_an_outcome_for_each(void)
{
    static const struct {
        const char *body;
        int status;
        size_t refused;
        const char *answer;
    } cases[] = {
        { "[]", 200, 0, "{\"results\":[],\"batchItemFailures\":[]}" },
        { "[" EVENT_A1 "]", 200, 0, "{\"results\":[" OK_A1 "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A2 "]", 400, 1, "{\"results\":[" BAD_A2 "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A2 "," EVENT_A1 "]", 200, 1,
          "{\"results\":[" BAD_A2 "," OK_A1 "],\"batchItemFailures\":[]}" },
        { "[null,5,[],\"x\"]", 400, 4,
          "{\"results\":[" NO_DETAIL "," NO_DETAIL "," NO_DETAIL "," NO_DETAIL
          "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A1 ",null]", 200, 1,
          "{\"results\":[" OK_A1 "," NO_DETAIL "],\"batchItemFailures\":[]}" },
    };

    for (int mode = 0; mode < 4; mode++) {
        struct pipeline pipeline;
        bool partial = mode & 1;

        pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true,
                                                                   .partial = partial,
                                                                   .receipt = mode & 2 });
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            struct response response;

            TEST_CASE(cases[i].body);
            post(&pipeline, str_from_c(cases[i].body), &response);
            CHECK_INT(response.status, partial ? 200 : cases[i].status);
            CHECK_STR(response.body, cases[i].answer);
            CHECK_STR(response.note.outcome, "batch");
            CHECK_INT((int64_t)response.note.refused, (int64_t)cases[i].refused);
        }
        pipeline_done(&pipeline);
    }
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
            post(&pipeline, str_from_c(cases[i].body), &response);
            CHECK_INT(response.status, partial ? 200 : status);
        }
        pipeline_done(&pipeline);
    }
}

static void retryable_elements_are_listed(void)
{
    struct pipeline pipeline;

    begin_failures(&pipeline, &(struct events_options){ .partial = true });
    check_post(&pipeline,
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

static void an_array_has_at_most_max_batch_elements(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .max_batch = 2, .partial = true });
    check_post(&pipeline, "[1,2,3]", 400,
               "{\"error\":\"Processing failed\",\"details\":\"Batch of 3 events, at most 2\"}");
    check_post(&pipeline, "[1,2]", 200,
               "{\"results\":[" NO_DETAIL "," NO_DETAIL "],\"batchItemFailures\":[]}");
    pipeline_done(&pipeline);
}

static void wrapped_events_have_their_places(void)
{
    static const struct route_match match = { "/Metadata/EventSource", "genesys*" };
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ .match = &match,
                                                           .match_count = 1,
                                                           .payload = "/Data",
                                                           .id = "/Metadata/EventId" });
    pipeline_start(&pipeline, &(struct events_options){ .receipt = true });
    check_post(&pipeline,
               "{\"Data\":" GOOD_DETAIL
               ",\"Metadata\":{\"EventId\":\"w\",\"EventSource\":\"genesyscloud\"}}",
               200, "{\"id\":\"w\",\"status\":\"accepted\"}");
    check_post(&pipeline, "{\"Metadata\":{\"EventId\":\"w\",\"EventSource\":\"genesyscloud\"}}",
               400,
               "{\"error\":\"Processing failed\","
               "\"details\":\"Invalid EventBridge payload: missing 'Data' key\"}");
    pipeline_done(&pipeline);
}

static void null_on_the_way_of_the_transform_is_told(void)
{
    struct pipeline pipeline;

    pipeline_init(&pipeline, NULL);
    pipeline_write_schema(&pipeline, "Schema", "true");
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    check_post(&pipeline, "{\"detail\":{\"interaction\":{\"id\":\"i\",\"customer\":null}}}", 400,
               "{\"error\":\"Processing failed\","
               "\"details\":\"Transformation failed: interaction.customer is not an object\"}");
    pipeline_done(&pipeline);
}

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
        { "{\"detail\":1}", "parse route payload validate! ", ERR_SCHEMA_INVALID },
        { "{\"detail\":{\"interaction\":{\"id\":\"\",\"start_time\":\"\"}}}",
          "parse route payload validate transform! ", ERR_TRANSFORM_FAILED },
        { "[{},{}]", "parse route payload! route payload! ", ERR_MALFORMED },
    };
    static const struct event_observer observer = { note_step, &seen };
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
    CHECK_STR(response.body, GOOD_RECORD);
    arena_destroy(arena);
    pipeline_done(&pipeline);
    events_destroy(NULL);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(each_event_has_its_documented_answer);
    RUN(what_is_no_json_is_malformed);
    RUN(nesting_is_bounded);
    RUN(a_registrys_failure_is_told_by_the_map_in_force);
    RUN(a_schema_that_does_not_compile_is_our_fault);
    RUN(receipts_hide_the_record);
    RUN(values_are_shown_only_when_told_to);
    RUN(no_value_of_the_event_leaves_in_a_refusal);
    RUN(the_note_is_for_log_and_metrics);
    RUN(long_messages_are_shown_whole);
    RUN(errors_are_at_most_max_errors);
    RUN(an_array_shows_a_thousand_errors_and_one_for_each);
    RUN(an_answer_too_large_for_its_errors_goes_without);
    RUN(what_costs_too_much_is_not_checked_to_the_end);
    RUN(an_array_has_an_outcome_for_each);
    RUN(an_arrays_status_is_that_of_its_retryable_failures);
    RUN(retryable_elements_are_listed);
    RUN(an_array_has_at_most_max_batch_elements);
    RUN(wrapped_events_have_their_places);
    RUN(null_on_the_way_of_the_transform_is_told);
    RUN(the_observer_is_told_each_step);
    RUN(answers_are_whole_while_schemas_change);
    RUN(the_handler_is_post_events);
    return test_end();
}
