/*
 * test_events_wait.c - claims about handlers/events.h: events whose schema is being fetched.
 */
#include "base/log.h"
#include "handlers/events.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"

#define EVENT "{\"id\":\"a\",\"detail\":" PIPELINE_GOOD_DETAIL "}"

static struct scripted script;
static struct pipeline pipeline;

/* A running catalog that has no schema yet; its registry does not answer. */
static void begin(void)
{
    struct error err = { 0 };
    struct registry registry;

    scripted_init(&script);
    scripted_close(&script, true);
    scripted_give(&script, "1", pipeline_schema);
    registry = scripted_registry(&script);
    pipeline_init(&pipeline, &registry);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    pipeline.events = events_create(&(struct events_options){
        .routes = pipeline.routes,
        .catalog = pipeline.catalog,
        .max_batch = 10,
        .max_errors = 10,
    });
    CHECK(catalog_start(pipeline.catalog, &err));
}

static void end(void)
{
    pipeline_done(&pipeline);
    scripted_done(&script);
}

static void an_event_waits_for_its_schema(void)
{
    begin();
    CHECK_INT(pipeline_handle(&pipeline, STR(EVENT)), HANDLER_WAIT);
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_WOKEN), HANDLER_WAIT); /* an old wake-up */
    scripted_close(&script, false);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, 200);
    CHECK_STR(pipeline.response.body, PIPELINE_GOOD_RECORD);
    CHECK_INT(pipeline_handle(&pipeline, STR(EVENT)), HANDLER_DONE);
    end();
}

static void a_failure_is_answered_at_once(void)
{
    begin();
    CHECK_INT(pipeline_handle(&pipeline, STR(EVENT)), HANDLER_WAIT);
    scripted_fail(&script, ERR_NOT_FOUND, "Schema Schema not found in registry Registry");
    scripted_close(&script, false);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, 400);
    CHECK_STR(pipeline.response.note.outcome, "schema_not_found");
    end();
}

static void the_deadline_is_a_503(void)
{
    begin();
    CHECK_INT(pipeline_handle(&pipeline, STR(EVENT)), HANDLER_WAIT);
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_EXPIRED), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK_STR(pipeline.response.body,
              "{\"error\":\"Service unavailable\",\"details\":\"deadline\"}");
    CHECK_INT(pipeline.response.retry_after_seconds >= 1, 1);
    end();
}

static void an_array_waits_as_a_whole(void)
{
    begin();
    CHECK_INT(pipeline_handle(&pipeline, STR("[" EVENT ",5," EVENT "]")), HANDLER_WAIT);
    scripted_close(&script, false);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT((int64_t)pipeline.response.note.events, 3);
    CHECK_INT((int64_t)pipeline.response.note.refused, 1);
    end();
}

static void what_needs_no_schema_does_not_wait(void)
{
    static const struct {
        const char *name;
        const char *body;
        int status;
    } cases[] = {
        { "no JSON", "{", 400 },
        { "no event", "5", 400 },
        { "nothing", "[]", 200 },
        { "no events", "[1,2]", 400 },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK_INT(pipeline_handle(&pipeline, str_from_c(cases[i].body)), HANDLER_DONE);
        CHECK_INT(pipeline.response.status, cases[i].status);
    }
    end();
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(an_event_waits_for_its_schema);
    RUN(a_failure_is_answered_at_once);
    RUN(the_deadline_is_a_503);
    RUN(an_array_waits_as_a_whole);
    RUN(what_needs_no_schema_does_not_wait);
    return test_end();
}
