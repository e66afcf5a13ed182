/*
 * test_events_slow.c - claims about handlers/events.h: requests on the slow lane, and wake-ups that
 * come late, twice, for nothing or in any order.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "handlers/events.h"
#include "handlers/slow_lane.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/scripted.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

#define GOOD(id) "{\"id\":\"" id "\",\"detail\":" PIPELINE_GOOD_DETAIL "}"

enum { LARGE = 20 * 1024, ROUNDS = 600, STEPS_MAX = 5 };

static struct scripted script;
static struct pipeline pipeline;
static struct store store;
static struct slow_lane *lane;
static atomic_int detached; /* requests that are not released yet */

static void open_lane(void)
{
    struct error err = { 0 };

    lane = slow_lane_create(&(struct slow_lane_options){ .threads = 2 });
    CHECK(slow_lane_start(lane, &err));
}

static bool are_released(void *self)
{
    (void)self;
    return atomic_load(&detached) == 0;
}

static void end_request(void)
{
    arena_destroy(pipeline.arena);
    pipeline.arena = NULL;
}

static void end(void)
{
    end_request();
    scripted_close(&script, false);
    catalog_stop(pipeline.catalog);
    slow_lane_stop(lane);
    outbox_stop(store.outbox);
    CHECK(wait_until(are_released, NULL));
    slow_lane_destroy(lane);
    pipeline_done(&pipeline);
    store_done(&store);
    scripted_done(&script);
}

static void release(struct request *taken)
{
    arena_destroy(taken->arena);
    atomic_fetch_sub(&detached, 1);
}

static void drop_body(struct request *taken)
{
    memset((char *)taken->body.ptr, '?', taken->body.len);
}

/* As the server does, without a connection. */
static struct request *detach(struct request *it)
{
    struct request *taken = arena_alloc(it->arena, sizeof(*taken));

    *taken = *it;
    taken->body = arena_copy(taken->arena, it->body);
    taken->detach = NULL;
    taken->release = release;
    taken->drop_body = drop_body;
    it->body = STR_NONE;
    it->arena = arena_create();
    pipeline.arena = it->arena;
    atomic_fetch_add(&detached, 1);
    return taken;
}

/* With a store; the registry knows the schema, or gives it when its gate opens. */
static void begin(bool closed)
{
    struct error err = { 0 };
    struct registry registry;

    scripted_init(&script);
    scripted_close(&script, closed);
    scripted_give(&script, "1", pipeline_schema);
    registry = scripted_registry(&script);
    store_init(&store);
    store_open(&store);
    open_lane();
    pipeline_init(&pipeline, &registry);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    if (!closed)
        catalog_load(pipeline.catalog);
    pipeline.events = events_create(&(struct events_options){
        .routes = pipeline.routes,
        .catalog = pipeline.catalog,
        .outbox = store.outbox,
        .lane = lane,
        .quarantine = true,
        .redact_values = true,
        .max_batch = 500,
        .max_errors = 10,
        .budget_us = 50000,
    });
    pipeline.detach = detach;
    CHECK(catalog_start(pipeline.catalog, &err));
}

/* `text` with white space behind it, which makes it large. */
static struct str large(const char *text)
{
    static char body[LARGE];
    int len = snprintf(body, sizeof(body), "%s", text);

    memset(body + len, ' ', sizeof(body) - (size_t)len);
    return (struct str){ body, sizeof(body) };
}

static void check_post(struct str body, int status, const char *answer)
{
    CHECK_INT(pipeline_handle(&pipeline, body), HANDLER_WAIT);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, status);
    CHECK_STR(pipeline.response.body, answer);
}

static void a_large_body_is_answered_like_a_small_one(void)
{
    static const struct {
        const char *name;
        const char *body;
        int status;
        const char *answer;
    } cases[] = {
        { "good", GOOD("a"), 200, PIPELINE_GOOD_RECORD },
        { "again", GOOD("a"), 200, PIPELINE_GOOD_RECORD },
        { "no JSON", "{\"id\":}", 400,
          "{\"error\":\"Processing failed\",\"details\":\"Invalid JSON at byte 6: expected a "
          "value at /id\"}" },
        { "an array", "[" GOOD("a") "," GOOD("b") ",7]", 200,
          "{\"results\":[{\"id\":\"a\",\"status\":200,\"duplicate\":true},{\"id\":\"b\",\"status\":"
          "200},{\"id\":null,\"status\":400,\"error\":\"Processing failed\",\"details\":"
          "\"Invalid EventBridge payload: missing 'detail' key\"}],\"batchItemFailures\":[]}" },
    };

    begin(false);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_post(large(cases[i].body), cases[i].status, cases[i].answer);
        CHECK(pipeline.response.duplicate == (i == 1));
        CHECK(pipeline.request.body.len == 0); /* it was worked off outside its connection */
    }
    end();
}

static void a_body_of_many_tokens_is_large(void)
{
    static const struct {
        size_t tokens;
        bool is_large;
    } cases[] = { { 1500, false }, { 2500, true } };

    begin(false);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf body;

        buf_init(&body, LARGE);
        buf_add(&body, STR("{\"id\":\"a\",\"detail\":[0"));
        for (size_t n = 0; n < cases[i].tokens; n++)
            buf_add(&body, STR(",0"));
        buf_add(&body, STR("]}"));
        while (body.len < 6000)
            buf_add_char(&body, ' ');
        CHECK_INT(pipeline_handle(&pipeline, buf_str(&body)), HANDLER_WAIT);
        CHECK((pipeline.request.body.len == 0) == cases[i].is_large);
        CHECK(pipeline_await_answer(&pipeline));
        CHECK_INT(pipeline.response.status, 400);
        buf_done(&body);
    }
    end();
}

static void a_large_body_waits_for_its_schema(void)
{
    begin(true);
    CHECK_INT(pipeline_handle(&pipeline, large(GOOD("a"))), HANDLER_WAIT);
    CHECK(scripted_await_inside(&script));
    CHECK_INT(pipeline_resume(&pipeline, HANDLER_WOKEN), HANDLER_WAIT); /* for nothing */
    scripted_close(&script, false);
    CHECK(pipeline_await_answer(&pipeline));
    CHECK_INT(pipeline.response.status, 200);
    end();
}

/* Each of 500 strings takes more steps than the slice has time for. */
static void a_costly_check_goes_to_a_worker(void)
{
    static const char schema[] =
        "{\"items\":{\"anyOf\":[{\"pattern\":\"^(\\\\w+\\\\s?)+$\"},{\"maxLength\":40}]}}";
    struct buf body;

    begin(false);
    scripted_give(&script, "2", schema);
    buf_init(&body, LARGE);
    buf_add(&body, STR("{\"id\":\"x\",\"detail\":["));
    for (int i = 0; i < 200; i++)
        buf_add(&body, i ? STR(",\"aaaaaaaaaaaaa!\"") : STR("\"aaaaaaaaaaaaa!\""));
    buf_add(&body, STR("]}"));
    do { /* until the registry's new version is live */
        CHECK_INT(pipeline_handle(&pipeline, buf_str(&body)), HANDLER_WAIT);
        CHECK(pipeline_await_answer(&pipeline));
    } while (memmem(pipeline.response.body.ptr, pipeline.response.body.len, "validation", 10));
    CHECK_INT(pipeline.response.status, 400);
    CHECK(pipeline.request.body.len == 0);
    buf_done(&body);
    end();
}

static void an_expired_request_is_not_submitted(void)
{
    static const char *const bodies[] = {
        "[{\"id\":\"x\"}," GOOD("a") "]",
        "[" GOOD("b") "," GOOD("c") "]",
        GOOD("d"),
    };

    begin(true);
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        for (int is_large = 0; is_large < 2; is_large++) {
            TEST_CASE(bodies[i]);
            CHECK_INT(
                pipeline_handle(&pipeline, is_large ? large(bodies[i]) : str_from_c(bodies[i])),
                HANDLER_WAIT);
            CHECK_INT(pipeline_resume(&pipeline, HANDLER_EXPIRED), HANDLER_DONE);
            CHECK_INT(pipeline.response.status, 503);
            CHECK_STR(pipeline.response.body,
                      "{\"error\":\"Service unavailable\",\"details\":\"deadline\"}");
        }
    end_request();
    CHECK(wait_until(are_released, NULL));
    CHECK_INT(store_counters(&store)->accepted, 0);
    CHECK_INT(store_counters(&store)->refused_rows, 0);
    end();
}

static void a_full_lane_is_a_503(void)
{
    begin(false);
    slow_lane_stop(lane);
    CHECK_INT(pipeline_handle(&pipeline, large(GOOD("a"))), HANDLER_DONE);
    CHECK_INT(pipeline.response.status, 503);
    CHECK_STR(pipeline.response.body,
              "{\"error\":\"Service unavailable\",\"details\":\"overload\"}");
    end();
}

/* A small generator, so that each run is the same. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static struct str any_body(uint32_t *seed)
{
    static char body[LARGE];
    static const char *const forms[][2] = {
        { "{\"id\":\"", "\",\"detail\":" PIPELINE_GOOD_DETAIL "}" },
        { "{\"id\":\"", "\",\"detail\":{\"interaction\":7}}" },
        { "[{\"id\":\"", "\"},{\"id\":\"y\",\"detail\":" PIPELINE_GOOD_DETAIL "}]" },
        { "[{\"id\":\"", "\",\"detail\":" PIPELINE_GOOD_DETAIL "},5]" },
        { "{\"id\":", "" },
    };
    const char *const *form = forms[next(seed) % COUNT_OF(forms)];
    int len = snprintf(body, sizeof(body), "%s%u%s", form[0], next(seed) % 50, form[1]);

    memset(body + len, ' ', sizeof(body) - (size_t)len);
    return (struct str){ body, next(seed) % 2 ? sizeof(body) : (size_t)len };
}

/* Wake-ups of all kinds until it is answered, or until its sender leaves. */
static void drive(uint32_t *seed)
{
    enum handler_step step = pipeline_handle(&pipeline, any_body(seed));

    for (int i = 0; step == HANDLER_WAIT && i < STEPS_MAX; i++) {
        uint32_t kind = next(seed) % 8;

        if (kind == 0)
            break; /* the sender leaves */
        if (kind == 1 && next(seed) % 4 == 0)
            scripted_close(&script, next(seed) % 2);
        if (kind < 6) {
            step = pipeline_resume(&pipeline, HANDLER_WOKEN);
        } else {
            step = pipeline_resume(&pipeline, HANDLER_EXPIRED);
            CHECK_INT(step, HANDLER_DONE);
        }
    }
    if (step == HANDLER_WAIT && next(seed) % 2) {
        step = pipeline_resume(&pipeline, HANDLER_EXPIRED);
        CHECK_INT(step, HANDLER_DONE);
    }
    if (step == HANDLER_DONE) {
        CHECK(pipeline.response.status == 200 || pipeline.response.status == 400 ||
              pipeline.response.status == 503);
        CHECK((pipeline.response.status == 503) == (pipeline.response.retry_after_seconds > 0));
        CHECK(pipeline.response.body.len > 0);
    }
    end_request();
}

static void any_order_of_wakeups_ends_in_one_answer(void)
{
    for (uint32_t run = 0; run < 2; run++) {
        uint32_t seed = 7 + run;

        begin(run == 0); /* with and without a version from the start */
        for (int i = 0; i < ROUNDS; i++)
            drive(&seed);
        end();
    }
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(a_large_body_is_answered_like_a_small_one);
    RUN(a_body_of_many_tokens_is_large);
    RUN(a_large_body_waits_for_its_schema);
    RUN(a_costly_check_goes_to_a_worker);
    RUN(an_expired_request_is_not_submitted);
    RUN(a_full_lane_is_a_503);
    RUN(any_order_of_wakeups_ends_in_one_answer);
    return test_end();
}
