/*
 * test_events_wait.c - claims about handlers/events.h: events whose schema is being fetched.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "handlers/events.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/scripted.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

#define EVENT "{\"id\":\"a\",\"detail\":" PIPELINE_GOOD_DETAIL "}"

static struct scripted script;
static struct pipeline pipeline;
static struct handler handler;
static struct request request;
static struct response response;
static atomic_int woken;

/* A running catalog that knows nothing yet, and whose registry lets nobody go. */
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
    handler = events_handler(pipeline.events);
    CHECK(catalog_start(pipeline.catalog, &err));
}

static void end(void)
{
    arena_destroy(pipeline.arena);
    pipeline.arena = NULL;
    pipeline_done(&pipeline);
    scripted_done(&script);
}

static void count_wake(struct waker waker)
{
    (void)waker;
    atomic_fetch_add(&woken, 1);
}

static bool is_woken(void *self)
{
    (void)self;
    return atomic_load(&woken) > 0;
}

static enum handler_step post(const char *body)
{
    arena_destroy(pipeline.arena);
    pipeline.arena = arena_create();
    response = (struct response){ 0 };
    request = pipeline_request(pipeline.arena, str_from_c(body));
    request.waker = (struct waker){ .wake = count_wake };
    atomic_store(&woken, 0);
    return handler.handle(handler.self, &request, &response);
}

static enum handler_step resume(enum resume_reason reason)
{
    return handler.resume(handler.self, &request, &response, reason);
}

static void an_event_waits_for_its_schema(void)
{
    begin();
    CHECK_INT(post(EVENT), HANDLER_WAIT);
    CHECK_INT(resume(HANDLER_WOKEN), HANDLER_WAIT); /* an old wake-up */
    scripted_close(&script, false);
    CHECK(wait_until(is_woken, NULL));
    CHECK_INT(resume(HANDLER_WOKEN), HANDLER_DONE);
    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, PIPELINE_GOOD_RECORD);
    CHECK_INT(post(EVENT), HANDLER_DONE);
    end();
}

static void a_failure_is_told_as_soon_as_it_is_known(void)
{
    begin();
    CHECK_INT(post(EVENT), HANDLER_WAIT);
    scripted_fail(&script, ERR_NOT_FOUND, "Schema Schema not found in registry Registry");
    scripted_close(&script, false);
    CHECK(wait_until(is_woken, NULL));
    CHECK_INT(resume(HANDLER_WOKEN), HANDLER_DONE);
    CHECK_INT(response.status, 400);
    CHECK_STR(response.note.outcome, "schema_not_found");
    end();
}

static void at_the_deadline_the_sender_is_told_to_come_again(void)
{
    begin();
    CHECK_INT(post(EVENT), HANDLER_WAIT);
    CHECK_INT(resume(HANDLER_EXPIRED), HANDLER_DONE);
    CHECK_INT(response.status, 503);
    CHECK_STR(response.body, "{\"error\":\"Service unavailable\",\"details\":\"deadline\"}");
    CHECK_INT(response.retry_after_seconds >= 1, 1);
    end();
}

static void an_array_waits_as_a_whole(void)
{
    begin();
    CHECK_INT(post("[" EVENT ",5," EVENT "]"), HANDLER_WAIT);
    scripted_close(&script, false);
    CHECK(wait_until(is_woken, NULL));
    CHECK_INT(resume(HANDLER_WOKEN), HANDLER_DONE);
    CHECK_INT((int64_t)response.note.events, 3);
    CHECK_INT((int64_t)response.note.refused, 1);
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
        CHECK_INT(post(cases[i].body), HANDLER_DONE);
        CHECK_INT(response.status, cases[i].status);
    }
    end();
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(an_event_waits_for_its_schema);
    RUN(a_failure_is_told_as_soon_as_it_is_known);
    RUN(at_the_deadline_the_sender_is_told_to_come_again);
    RUN(an_array_waits_as_a_whole);
    RUN(what_needs_no_schema_does_not_wait);
    return test_end();
}
