/*
 * test_events_sources.c - claims about handlers/events.h: batches that AWS Lambda passes.
 */
#include "handlers/events.h"

#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"

#define DETAIL "{\\\"interaction\\\":{\\\"id\\\":\\\"i\\\",\\\"start_time\\\":\\\"t\\\"}}"
#define GOOD   "{\\\"id\\\":\\\"a1\\\",\\\"detail\\\":" DETAIL "}"
#define WRONG                                                                                      \
    "{\\\"id\\\":\\\"a2\\\",\\\"detail\\\":{\\\"interaction\\\":{\\\"id\\\":1,\\\"start_time\\\":" \
    "\\\"t\\\"}}}"

#define SQS(id, text) "{\"messageId\":\"" id "\",\"eventSource\":\"aws:sqs\",\"body\":\"" text "\"}"
#define KINESIS(id, data)                                                                          \
    "{\"eventSource\":\"aws:kinesis\",\"kinesis\":{\"sequenceNumber\":\"" id "\",\"data\":\"" data \
    "\"}}"
#define RECORDS(list) "{\"Records\":[" list "]}"

/* {"id":"a1","detail":{"interaction":{"id":"i","start_time":"t"}}} */
#define GOOD_BASE64                                                                                \
    "eyJpZCI6ImExIiwiZGV0YWlsIjp7ImludGVyYWN0aW9uIjp7ImlkIjoiaSIsInN0YXJ0X3RpbWUiOiJ0In19fQ=="

#define OK_A1  "{\"id\":\"a1\",\"status\":200}"
#define BAD_A2 "{\"id\":\"a2\",\"status\":400," PIPELINE_WRONG_ID "}"
#define BAD_JSON                                                                                   \
    "{\"id\":null,\"status\":400,\"error\":\"Processing failed\",\"details\":\"Invalid JSON at "   \
    "byte 0: "
#define NO_TEXT                                                                                    \
    "{\"id\":null,\"status\":400,\"error\":\"Processing failed\","                                 \
    "\"details\":\"Record without a readable text\"}"
#define NO_DETAIL                                                                                  \
    "{\"id\":null,\"status\":400,\"error\":\"Processing failed\","                                 \
    "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}"
#define ALL(results, failures) "{\"results\":[" results "],\"batchItemFailures\":[" failures "]}"
#define ITEM(id)               "{\"itemIdentifier\":\"" id "\"}"

static void begin_sources(struct pipeline *pipeline, bool quarantine)
{
    pipeline_init_default(pipeline, &(struct events_options){ .redact_values = true,
                                                              .lambda_sources = true,
                                                              .quarantine = quarantine });
}

static void each_record_has_an_outcome_and_its_name(void)
{
    static const struct {
        const char *body;
        const char *answer;
    } cases[] = {
        { RECORDS(SQS("m1", GOOD)), ALL(OK_A1, "") },
        { RECORDS(SQS("m1", WRONG) "," SQS("m2", GOOD)), ALL(BAD_A2 "," OK_A1, ITEM("m1")) },
        { RECORDS(SQS("m1", "[]")), ALL(NO_DETAIL, ITEM("m1")) },
        { RECORDS(SQS("m1", "x") "," SQS("m2", GOOD)),
          ALL(BAD_JSON "expected a value\"}," OK_A1, ITEM("m1")) },
        { RECORDS("{\"eventSource\":\"aws:sqs\"}"), ALL(NO_TEXT, ITEM("")) },
        { RECORDS(KINESIS("s1", GOOD_BASE64)), ALL(OK_A1, "") },
        { RECORDS(KINESIS("s1", "?") "," KINESIS("s2", GOOD_BASE64)),
          ALL(NO_TEXT "," OK_A1, ITEM("s1")) },
        { RECORDS("{\"eventSource\":\"aws:kinesis\",\"kinesis\":[]}"), ALL(NO_TEXT, ITEM("")) },
    };
    struct pipeline pipeline;

    begin_sources(&pipeline, false);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].body);
        pipeline_check_post(&pipeline, cases[i].body, 200, cases[i].answer);
    }
    pipeline_done(&pipeline);
}

/* A refused event in the quarantine need not be sent again. */
static void what_is_kept_here_is_no_failure(void)
{
    struct pipeline pipeline;

    begin_sources(&pipeline, true);
    pipeline_check_post(&pipeline, RECORDS(SQS("m1", WRONG)), 200, ALL(BAD_A2, ""));
    pipeline_done(&pipeline);
}

static void other_bodies_are_events(void)
{
    static const char *const bodies[] = {
        "{\"Records\":[]}",
        "{\"Records\":{}}",
        "{\"Records\":[5]}",
        RECORDS("{\"eventSource\":\"aws:s3\"}"),
        RECORDS(SQS("m1", GOOD) "," KINESIS("s1", GOOD_BASE64)),
    };
    struct pipeline pipeline;

    begin_sources(&pipeline, false);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        TEST_CASE(bodies[i]);
        pipeline_check_post(&pipeline, bodies[i], 400,
                            "{\"error\":\"Processing failed\",\"details\":\"Invalid EventBridge "
                            "payload: missing 'detail' key\"}");
    }
    pipeline_check_post(&pipeline, "[" RECORDS(SQS("m1", GOOD)) "]", 400, ALL(NO_DETAIL, ""));
    pipeline_done(&pipeline);
}

static void without_the_option_a_batch_is_an_event(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ 0 });
    pipeline_check_post(&pipeline, RECORDS(SQS("m1", GOOD)), 400,
                        "{\"error\":\"Processing failed\",\"details\":\"Invalid EventBridge "
                        "payload: missing 'detail' key\"}");
    pipeline_done(&pipeline);
}

static void the_number_of_records_has_a_limit(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline,
                          &(struct events_options){ .lambda_sources = true, .max_batch = 1 });
    pipeline_check_post(
        &pipeline, RECORDS(SQS("m1", GOOD) "," SQS("m2", GOOD)), 400,
        "{\"error\":\"Processing failed\",\"details\":\"Batch of 2 events, at most 1\"}");
    pipeline_done(&pipeline);
}

/* A text that may be nested as deep as a body may, less one level. */
static void a_deep_event_does_not_harm_its_neighbours(void)
{
    struct pipeline pipeline;
    struct response response;
    struct buf body = { .max = 4096 };

    begin_sources(&pipeline, false);
    for (int depth = JSON_MAX_DEPTH - 2; depth <= JSON_MAX_DEPTH + 1; depth++) {
        buf_clear(&body);
        buf_add(&body, STR("{\"Records\":[" SQS("m1", GOOD) ",{\"eventSource\":\"aws:sqs\","
                                                            "\"messageId\":\"m2\",\"body\":\""));
        for (int i = 0; i < depth; i++)
            buf_add_char(&body, '[');
        for (int i = 0; i < depth; i++)
            buf_add_char(&body, ']');
        buf_add(&body, STR("\"}]}"));
        pipeline_post(&pipeline, buf_str(&body), &response);
        CHECK_INT(response.status, 200);
        CHECK(str_starts_with(response.body, STR("{\"results\":[" OK_A1 ",")));
        CHECK(str_ends_with(response.body, STR("\"batchItemFailures\":[" ITEM("m2") "]}")));
    }
    buf_done(&body);
    pipeline_done(&pipeline);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(each_record_has_an_outcome_and_its_name);
    RUN(what_is_kept_here_is_no_failure);
    RUN(other_bodies_are_events);
    RUN(without_the_option_a_batch_is_an_event);
    RUN(the_number_of_records_has_a_limit);
    RUN(a_deep_event_does_not_harm_its_neighbours);
    return test_end();
}
