/*
 * test_events_commit.c - claims about handlers/events.h: the answer is the outbox's result, and
 * none is sent before it.
 */
#include <string.h>

#include "delivery/outbox/backlog.h"
#include "handlers/events.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

#define GOOD(id) "{\"id\":\"" id "\",\"detail\":" PIPELINE_GOOD_DETAIL "}"
#define BAD(id)  "{\"id\":\"" id "\",\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}"

#define EMPTY(id)          "{\"id\":\"" id "\",\"detail\":{}}"
#define NAMELESS           "{\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}"
#define REPLAY(id, detail) "{\"id\":\"" id "\",\"replay-name\":\"r\",\"detail\":" detail "}"

static struct pipeline pipeline;
static struct store store;

/* With the store's options as they are. */
static void begin_open(bool quarantine)
{
    store_open(&store);
    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline_start(&pipeline, &(struct events_options){ .outbox = store.outbox,
                                                        .redact_values = true,
                                                        .quarantine = quarantine,
                                                        .dedup = *store.options.path != '\0' });
}

/* `path` NULL: a store; `sink` NULL: none. */
static void begin_with(const char *path, const char *const *sink, bool quarantine)
{
    store_init(&store);
    if (path)
        store.options.path = path;
    store.options.sinks = sink;
    store.options.sink_count = sink != NULL;
    begin_open(quarantine);
}

static void begin(bool quarantine)
{
    begin_with(NULL, NULL, quarantine);
}

static void end(void)
{
    outbox_stop(store.outbox);
    pipeline_done(&pipeline);
    store_done(&store);
}

/* Post, wait for the waker, and look at the answer. */
static void check_post(const char *body, int status, const char *answer)
{
    TEST_CASE(body);
    CHECK_INT(pipeline_handle(&pipeline, str_from_c(body)), HANDLER_WAIT);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, status);
    CHECK_STR(pipeline.response.body, answer);
}

static void answers_when_it_is_durable(void)
{
    begin(true);
    check_post(GOOD("a"), 200, PIPELINE_GOOD_RECORD);
    CHECK(!pipeline.response.duplicate);
    CHECK_STR(pipeline.response.note.outcome, "valid");
    check_post(GOOD("a"), 200, PIPELINE_GOOD_RECORD);
    CHECK(pipeline.response.duplicate);
    CHECK_STR(pipeline.response.note.outcome, "duplicate");
    check_post(BAD("b"), 400, "{" PIPELINE_WRONG_ID "}");
    check_post("[" GOOD("a") "," GOOD("c") "," BAD("d") "]", 200,
               "{\"results\":[{\"id\":\"a\",\"status\":200,\"duplicate\":true},"
               "{\"id\":\"c\",\"status\":200},{\"id\":\"d\",\"status\":400," PIPELINE_WRONG_ID
               "}],\"batchItemFailures\":[]}");
    CHECK_INT(store_counters(&store)->accepted, 2);
    CHECK_INT(store_counters(&store)->duplicates, 2);
    CHECK_INT(store_counters(&store)->refused_rows, 2);
    end();
}

static void does_not_trouble_the_outbox_for_nothing(void)
{
    begin(false);
    CHECK_INT(pipeline_handle(&pipeline, STR("[]")), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 200);
    CHECK_INT(pipeline_handle(&pipeline, STR(NAMELESS)),
              HANDLER_DONE); /* without an id, and not kept */
    CHECK_INT(pipeline.response.status, 400);
    CHECK_INT(pipeline_handle(&pipeline, STR("[" NAMELESS ",7]")), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 400);
    CHECK_INT(store_counters(&store)->refused_rows, 0);
    end();
}

/* As if an earlier schema had accepted it. */
static void accept_before(const char *id, const char *raw)
{
    struct outbox_event event = store_event(id, raw);

    event.time_us = OUTBOX_NO_TIME;
    CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
}

static void accepted_before_is_a_duplicate_whatever_the_schema_says(void)
{
    static const bool quarantine[] = { true, false };

    for (size_t i = 0; i < COUNT_OF(quarantine); i++) {
        begin(quarantine[i]);
        accept_before("b", BAD("b"));
        accept_before("e", EMPTY("e"));
        CHECK_INT(pipeline_handle(&pipeline, STR(BAD("b"))), HANDLER_WAIT);
        CHECK(pipeline_await_answer(&pipeline));
        CHECK_INT(pipeline.response.status, 200);
        CHECK(pipeline.response.duplicate);
        CHECK(str_starts_with(pipeline.response.body, STR("{\"interaction_id\":1,")));
        CHECK_STR(pipeline.response.note.outcome, "duplicate");

        /* There is no record of it today. */
        check_post(EMPTY("e"), 200, "{\"id\":\"e\",\"status\":\"accepted\"}");
        CHECK(pipeline.response.duplicate);
        check_post("[" BAD("b") "," BAD("c") "]", 200,
                   "{\"results\":[{\"id\":\"b\",\"status\":200,\"duplicate\":true},"
                   "{\"id\":\"c\",\"status\":400," PIPELINE_WRONG_ID
                   "}],\"batchItemFailures\":[]}");
        CHECK_INT(store_counters(&store)->duplicates, 3);
        CHECK_INT(store_counters(&store)->refused_rows, quarantine[i]);
        end();
    }
}

static void an_array_of_junk_is_kept_as_one(void)
{
    begin(true);
    CHECK_INT(pipeline_handle(&pipeline, STR("[1,null,{\"id\":\"a\"}]")), HANDLER_WAIT);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, 400);
    CHECK_INT((int64_t)pipeline.response.note.refused, 3);
    CHECK_INT(store_counters(&store)->refused_rows, 1);
    CHECK_INT(pipeline_handle(&pipeline, STR("[1," BAD("b") "]")), HANDLER_WAIT);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(store_counters(&store)->refused_rows, 3);
    outbox_stop(store.outbox);
    CHECK_INT(pipeline_handle(&pipeline, STR("[1,2]")), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK(str_ends_with(pipeline.response.body,
                        STR("[{\"itemIdentifier\":\"\"},{\"itemIdentifier\":\"\"}]}")));
    end();
}

/* Else each round of resubmission would add a row, and post the same events again. */
static void each_event_of_a_bundle_is_kept_by_itself(void)
{
    begin(true);
    pipeline.is_bundle = true;
    for (int round = 0; round < 2; round++) {
        CHECK_INT(pipeline_handle(&pipeline, STR("[{\"id\":\"a\"},{\"id\":\"b\"}]")), HANDLER_WAIT);
        CHECK(pipeline_await_answer(&pipeline));
        CHECK_INT(pipeline.response.status, 400);
        CHECK_INT(store_counters(&store)->refused_rows, 2);
    }
    CHECK_INT(pipeline_handle(&pipeline, STR("[{\"id\":\"a\"},{\"id\":")), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 400);
    CHECK_INT(store_counters(&store)->refused_rows, 2);
    end();
}

static void a_replay_has_the_bytes_of_its_event(void)
{
    store_init(&store);
    store.options.dedup_replays = true;
    begin_open(true);
    check_post(GOOD("a"), 200, PIPELINE_GOOD_RECORD);
    check_post(REPLAY("a", PIPELINE_GOOD_DETAIL), 200, PIPELINE_GOOD_RECORD);
    CHECK(pipeline.response.duplicate);
    check_post(REPLAY("a", " " PIPELINE_GOOD_DETAIL), 200, PIPELINE_GOOD_RECORD);
    CHECK(!pipeline.response.duplicate); /* other bytes */
    CHECK_INT(store_counters(&store)->accepted, 2);
    CHECK_INT(store_counters(&store)->ids_reused, 0);
    end();
}

static void waits_on_when_woken_for_nothing(void)
{
    begin(true);
    CHECK_INT(pipeline_handle(&pipeline, STR(GOOD("a"))), HANDLER_WAIT);
    while (pipeline_resume(&pipeline, HANDLER_WOKEN) == HANDLER_WAIT)
        continue;
    CHECK_INT(pipeline.response.status, 200);
    end();
}

/* The outbox is stopped, so that it says no; or the deadline comes, whatever it would say. */
static void says_why_it_could_not(void)
{
    begin(true);
    outbox_stop(store.outbox);
    CHECK_INT(pipeline_handle(&pipeline, STR(GOOD("a"))), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK(pipeline.response.retry_after_seconds >= 1);
    CHECK_STR(pipeline.response.body,
              "{\"error\":\"Service unavailable\",\"details\":\"draining\"}");
    CHECK_STR(pipeline.response.note.outcome, "unavailable");
    CHECK_INT(pipeline_handle(&pipeline, STR(BAD("b"))),
              HANDLER_DONE); /* not a 400, which would not come again */
    CHECK_INT(pipeline.response.status, 503);
    CHECK_INT(pipeline_handle(&pipeline, STR("[" GOOD("a") "," BAD("b") "]")), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK_STR(pipeline.response.body,
              "{\"results\":[{\"id\":\"a\",\"status\":503,\"error\":\"Service unavailable\","
              "\"details\":\"draining\"},{\"id\":\"b\",\"status\":503,\"error\":"
              "\"Service unavailable\",\"details\":\"draining\"}],\"batchItemFailures\":["
              "{\"itemIdentifier\":\"a\"},{\"itemIdentifier\":\"b\"}]}");
    end();
}

static void the_deadline_is_a_503_and_the_retry_finds_its_duplicate(void)
{
    begin(true);
    CHECK_INT(pipeline_handle(&pipeline, STR(GOOD("a"))), HANDLER_WAIT);
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_EXPIRED), HANDLER_DONE);
    if (pipeline.response.status == 503) /* else the commit was faster */
        CHECK_STR(pipeline.response.body,
                  "{\"error\":\"Service unavailable\",\"details\":\"deadline\"}");
    check_post(GOOD("a"), 200, PIPELINE_GOOD_RECORD);
    CHECK(pipeline.response.duplicate);
    CHECK_INT(store_counters(&store)->accepted, 1);
    end();
}

/* Without a store, and with a sink that takes one record and no more. */
static void what_has_arrived_by_the_deadline_is_200(void)
{
    static const char *const sink = "sink";
    const struct backlog_bounds one = { .records = 1, .bytes = 1000 };
    const struct backlog_record *records;
    struct backlog *backlog;

    begin_with("", &sink, false);
    backlog = taking_open(store.outbox, sink, BACKLOG_STRICT);
    CHECK_INT(pipeline_handle(&pipeline, STR("[" GOOD("a") "," BAD("b") "," GOOD("c") "]")),
              HANDLER_WAIT);
    CHECK_INT((int64_t)taking_next(backlog, &one, &records), 1);
    CHECK(taking_settle(backlog,
                        &(struct backlog_result){ records[0].seq, BACKLOG_DELIVERED, 0, NULL }, 1));
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_WOKEN), HANDLER_WAIT);
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_EXPIRED), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK_STR(pipeline.response.body,
              "{\"results\":[{\"id\":\"a\",\"status\":200},{\"id\":\"b\",\"status\":"
              "400," PIPELINE_WRONG_ID
              "},{\"id\":\"c\",\"status\":503,\"error\":\"Service unavailable\","
              "\"details\":\"deadline\"}],\"batchItemFailures\":[{\"itemIdentifier\":\"c\"}]}");
    taking_close(backlog);
    end();
}

/* The keys, routes and bytes of all records for the sink, one after the other. */
static void check_records(struct backlog *backlog, const char *expected)
{
    const struct backlog_record *records = NULL;
    size_t count =
        taking_next(backlog, &(struct backlog_bounds){ .records = 20, .bytes = 1 << 20 }, &records);
    struct buf out;

    buf_init(&out, 10000);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%.*s %.*s %.*s\n", STR_ARG(records[i].key), STR_ARG(records[i].route),
                   STR_ARG(records[i].bytes));
    CHECK_STR(buf_str(&out), expected);
    buf_done(&out);
}

static void a_route_has_several_outputs(void)
{
    static const char *const sinks[] = { "a", "b" };
    char second[FOLDER_PATH_SIZE];
    char third[FOLDER_PATH_SIZE];
    struct backlog *a;
    struct backlog *b;

    store_init(&store);
    store.options.sinks = sinks;
    store.options.sink_count = COUNT_OF(sinks);
    store_open(&store);
    pipeline_init(&pipeline, NULL);
    folder_path(&pipeline.folder, "second.yaml", second);
    folder_write(&pipeline.folder, "second.yaml",
                 STR("fields: [{name: start, from: /interaction/start_time}]\n"));

    folder_path(&pipeline.folder, "third.yaml", third);
    folder_write(&pipeline.folder, "third.yaml",
                 STR("fields: [{name: start, from: /interaction/start_time}]\n"
                     "drop_when: {interaction: {id: [i]}}\n"));

    const struct route_output_options outputs[] = { { pipeline.transform, 1 },
                                                    { third, 2 },
                                                    { second, 2 } };

    pipeline_add_route(
        &pipeline, &(struct route_options){ .name = "r", .outputs = outputs, .output_count = 3 });
    pipeline_start(&pipeline, &(struct events_options){
                                  .outbox = store.outbox, .quarantine = true, .dedup = true });
    check_post(GOOD("x"), 200, PIPELINE_GOOD_RECORD);
    check_post(GOOD("x"), 200, PIPELINE_GOOD_RECORD);
    CHECK(pipeline.response.duplicate);
    check_post("[" GOOD("y") "," BAD("z") "," GOOD("x") "]", 200,
               "{\"results\":[{\"id\":\"y\",\"status\":200},{\"id\":\"z\",\"status\":400,"
               "\"error\":\"Schema validation failed\",\"details\":\"1 is not of type 'string'\","
               "\"errors\":[{\"instanceLocation\":\"/interaction/id\",\"keywordLocation\":"
               "\"/properties/interaction/properties/id/type\",\"error\":\"1 is not of type "
               "'string'\"}]},{\"id\":\"x\",\"status\":200,\"duplicate\":true}],"
               "\"batchItemFailures\":[]}");
    a = taking_open(store.outbox, "a", BACKLOG_STRICT);
    b = taking_open(store.outbox, "b", BACKLOG_STRICT);
    check_records(a, "x r " PIPELINE_GOOD_RECORD "\ny r " PIPELINE_GOOD_RECORD "\n");
    check_records(b, "x#3 r#3 {\"start\":\"t\"}\ny#3 r#3 {\"start\":\"t\"}\n");
    taking_close(a);
    taking_close(b);
    CHECK_INT(store_counters(&store)->accepted, 2);
    end();
}

int main(void)
{
    RUN(a_route_has_several_outputs);
    RUN(answers_when_it_is_durable);
    RUN(does_not_trouble_the_outbox_for_nothing);
    RUN(accepted_before_is_a_duplicate_whatever_the_schema_says);
    RUN(an_array_of_junk_is_kept_as_one);
    RUN(each_event_of_a_bundle_is_kept_by_itself);
    RUN(a_replay_has_the_bytes_of_its_event);
    RUN(waits_on_when_woken_for_nothing);
    RUN(says_why_it_could_not);
    RUN(the_deadline_is_a_503_and_the_retry_finds_its_duplicate);
    RUN(what_has_arrived_by_the_deadline_is_200);
    return test_end();
}
