/*
 * test_metrics.c - claims about handlers/metrics.h. tests/e2e/test_metrics.py checks the format.
 */
#include "handlers/metrics.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct pipeline pipeline;
static struct health *health;
static struct metrics *metrics;
static struct str page;
static struct slow_lane *lane; /* NULL: none */
static atomic_int detached;    /* requests that are not released yet */

static size_t seven(void *self)
{
    CHECK(self == &pipeline);
    return 7;
}

static void begin_with(const char *schema)
{
    static const char *const names[] = { "started", "ended" };

    pipeline_init(&pipeline, NULL);
    pipeline_add_route(&pipeline, &(struct route_options){ 0 });
    if (schema)
        pipeline_add_route(&pipeline, &(struct route_options){ .schema = schema });
    pipeline_start(&pipeline, &(struct events_options){ 0 });
    health = health_create(pipeline.catalog, NULL, "1.2.3");
    metrics = metrics_create(&(struct metrics_options){ .version = "1.2.3",
                                                        .catalog = pipeline.catalog,
                                                        .health = health,
                                                        .connections = seven,
                                                        .inflight_bytes = seven,
                                                        .self = &pipeline,
                                                        .route_names = names,
                                                        .route_count = COUNT_OF(names) });
}

static void begin(void)
{
    begin_with(NULL);
}

static void end(void)
{
    metrics_destroy(metrics);
    health_destroy(health);
    pipeline_done(&pipeline);
}

static const char *accept; /* the request's header; NULL: none */

static struct str accept_header(const void *connection, const char *name)
{
    (void)connection;
    return strcmp(name, "Accept") == 0 ? str_from_c(accept) : STR_NONE;
}

static void no_wake(struct waker waker)
{
    (void)waker;
}

static void release(struct request *taken)
{
    arena_destroy(taken->arena);
    atomic_fetch_sub(&detached, 1);
}

/* As the server does, without a connection. */
static struct request *detach(struct request *it)
{
    struct request *taken = arena_alloc(it->arena, sizeof(*taken));

    *taken = *it;
    taken->release = release;
    taken->header = NULL;
    it->arena = pipeline.arena = arena_create();
    atomic_fetch_add(&detached, 1);
    return taken;
}

static struct request request;
static struct response response;

static bool is_answered(void *self)
{
    struct handler *handler = self;

    return handler->resume(handler->self, &request, &response, HANDLER_WOKEN) == HANDLER_DONE;
}

/* Returns the content type. */
static const char *scrape_as(const char *accepted)
{
    struct handler handler = metrics_handler(metrics);

    arena_destroy(pipeline.arena);
    pipeline.arena = arena_create();
    request = pipeline_request(pipeline.arena, STR_NONE);
    request.header = accept_header;
    request.waker.wake = no_wake;
    request.detach = detach;
    response = (struct response){ 0 };
    accept = accepted;
    CHECK(!handler.admit && handler.method == HANDLER_GET && handler.is_quiet);
    CHECK_STR(str_from_c(handler.path), "/metrics");
    if (handler.handle(handler.self, &request, &response) == HANDLER_WAIT)
        CHECK(wait_until(is_answered, &handler));
    CHECK_INT(response.status, 200);
    page = response.body;
    return response.content_type;
}

static void scrape(void)
{
    CHECK_STR(str_from_c(scrape_as(NULL)), "text/plain; version=0.0.4; charset=utf-8");
}

static struct str take_line(struct str *text)
{
    const char *at = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    struct str line = { text->ptr, at ? (size_t)(at - text->ptr) : text->len };

    *text = str_from(*text, line.len + 1);
    return line;
}

/* The value of the sample `series`, labels included; -1 when there is none. */
static double value(const char *series)
{
    struct str rest = page;

    while (rest.len > 0) {
        struct str line = take_line(&rest);

        if (str_starts_with(line, str_from_c(series)) && line.len > strlen(series) &&
            line.ptr[strlen(series)] == ' ')
            return strtod(line.ptr + strlen(series) + 1, NULL);
    }
    return -1;
}

#define CHECK_VALUE(series, expected) CHECK_INT((int64_t)value(series), (expected))

static void the_program_and_its_connections_are_shown(void)
{
    begin();
    scrape();
    CHECK_VALUE("sluice_build_info{version=\"1.2.3\"}", 1);
    CHECK_VALUE("sluice_http_connections", 7);
    CHECK_VALUE("sluice_inflight_bytes", 7);
    end();
    metrics_destroy(NULL);
}

static void names_of_schemas_are_escaped(void)
{
    begin_with("a\"b\\c {x}");
    scrape();
    CHECK(value("sluice_schema_refreshes_total{registry=\"Registry\","
                "schema=\"a\\\"b\\\\c {x}\",result=\"error\"}") >= 1);
    end();
}

static void requests_are_counted_by_small_sets(void)
{
    static const struct {
        const char *path;
        const char *method;
        int status;
        const char *series;
    } cases[] = {
        { "/events", "POST", 200, "path=\"/events\",method=\"POST\",status=\"200\"" },
        { "/", "GET", 200, "path=\"/\",method=\"GET\",status=\"200\"" },
        { "/healthz", "HEAD", 200, "path=\"/healthz\",method=\"HEAD\",status=\"200\"" },
        { "/readyz", "GET", 503, "path=\"/readyz\",method=\"GET\",status=\"503\"" },
        { "/metrics", "GET", 200, "path=\"/metrics\",method=\"GET\",status=\"200\"" },
        { "other", "POST", 404, "path=\"other\",method=\"POST\",status=\"404\"" },
        { "/EVENTS", "POST", 404, "path=\"other\",method=\"POST\",status=\"404\"" },
        { "/events", "DELETE", 405, "path=\"/events\",method=\"other\",status=\"405\"" },
        { "/events", "post", 405, "path=\"/events\",method=\"other\",status=\"405\"" },
        { "/events", "POST", METRICS_LATE, "path=\"/events\",method=\"POST\",status=\"late\"" },
        { "/events", "POST", METRICS_GONE, "path=\"/events\",method=\"POST\",status=\"gone\"" },
        { "/events", "POST", 777, "path=\"/events\",method=\"POST\",status=\"other\"" },
        { "", "", -1, "path=\"other\",method=\"other\",status=\"other\"" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char series[200];

        TEST_CASE(cases[i].series);
        begin();
        (void)snprintf(series, sizeof(series), "sluice_http_requests_total{%s}", cases[i].series);
        scrape();
        CHECK_VALUE(series, -1);
        metrics_count_request(metrics_counts(metrics), str_from_c(cases[i].path),
                              str_from_c(cases[i].method), cases[i].status, 1);
        metrics_count_request(metrics_counts(metrics), str_from_c(cases[i].path),
                              str_from_c(cases[i].method), cases[i].status, 1);
        scrape();
        CHECK_VALUE(series, 2);
        end();
    }
}

#define BUCKET(le) "sluice_http_request_duration_seconds_bucket{le=\"" le "\"}"

static void durations_fall_into_buckets(void)
{
    static const int64_t durations[] = { 0, 50, 51, 1000, 1001, 5000000, 5000001, 60000000 };

    begin();
    for (size_t i = 0; i < COUNT_OF(durations); i++)
        metrics_count_request(metrics_counts(metrics), STR("/"), STR("GET"), 200, durations[i]);
    scrape();
    CHECK_VALUE(BUCKET("5e-05"), 2);
    CHECK_VALUE(BUCKET("0.0001"), 3);
    CHECK_VALUE(BUCKET("0.001"), 4);
    CHECK_VALUE(BUCKET("0.0025"), 5);
    CHECK_VALUE(BUCKET("2.5"), 5);
    CHECK_VALUE(BUCKET("5.0"), 6);
    CHECK_VALUE(BUCKET("+Inf"), 8);
    CHECK_VALUE("sluice_http_request_duration_seconds_count", 8);
    CHECK(value("sluice_http_request_duration_seconds_sum") > 70.002 &&
          value("sluice_http_request_duration_seconds_sum") < 70.0022);
    metrics_count_request(metrics_counts(metrics), STR("/"), STR("GET"), 200, INT64_MAX);
    scrape();
    CHECK_VALUE(BUCKET("+Inf"), 9);
    end();
}

static void outcomes_are_there_from_the_start(void)
{
    begin();
    scrape();
    for (enum condition i = 0; i < CONDITION_COUNT; i++) {
        char series[100];

        (void)snprintf(series, sizeof(series),
                       "sluice_events_total{route=\"started\",outcome=\"%s\"}", status_name(i));
        TEST_CASE(series);
        CHECK_VALUE(series, 0);
        for (enum condition j = 0; j <= i; j++)
            metrics_count_event(metrics, &(struct metrics_event){ 1, METRICS_NO_AGE, i, false });
        scrape();
        CHECK_VALUE(series, (int64_t)i + 1);
    }
    end();
}

static void schemas_show_their_state(void)
{
    begin_with("None");
    scrape();

    struct catalog_status status;
    char series[200];

    catalog_status(pipeline.catalog, 0, &status);
    (void)snprintf(series, sizeof(series),
                   "sluice_schema_info{registry=\"Registry\",schema=\"Schema\",version=\"%s\"}",
                   status.version);
    CHECK_VALUE(series, 1);
    CHECK(value("sluice_schema_age_seconds{registry=\"Registry\",schema=\"Schema\"}") >= 0);
    CHECK(value("sluice_schema_age_seconds{registry=\"Registry\",schema=\"None\"}") < 0);
    CHECK_VALUE("sluice_schema_refreshes_total{registry=\"Registry\",schema=\"None\","
                "result=\"ok\"}",
                0);
    CHECK_VALUE("sluice_schema_refreshes_total{registry=\"Registry\",schema=\"None\","
                "result=\"error\"}",
                1);
    CHECK_VALUE("sluice_schema_refreshes_total{registry=\"Registry\",schema=\"None\","
                "result=\"held\"}",
                0);
    CHECK_VALUE("sluice_schema_guard_refusals_total{registry=\"Registry\",schema=\"None\"}", 0);
    CHECK_VALUE("sluice_ready", 0);
    end();
    begin();
    scrape();
    CHECK_VALUE("sluice_ready", 1);
    health_set_draining(health);
    scrape();
    CHECK_VALUE("sluice_ready", 0);
    end();
}

enum { THREADS = 4, COUNTS = 20000 };

static void *count_many(void *self)
{
    for (int i = 0; i < COUNTS; i++) {
        metrics_count_request(metrics_counts(metrics), STR("/events"), STR("POST"), 200, i);
        metrics_count_event(metrics, &(struct metrics_event){ 0, i, CONDITION_VALID, false });
    }
    return self;
}

static void threads_lose_no_count(void)
{
    pthread_t threads[THREADS];

    begin();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count_many, NULL) == 0);
    for (int i = 0; i < 10; i++)
        scrape();
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    scrape();
    CHECK_VALUE("sluice_http_requests_total{path=\"/events\",method=\"POST\",status=\"200\"}",
                (int64_t)THREADS * COUNTS);
    CHECK_VALUE("sluice_events_total{route=\"\",outcome=\"valid\"}", (int64_t)THREADS * COUNTS);
    CHECK_VALUE("sluice_http_request_duration_seconds_count", (int64_t)THREADS * COUNTS);
    end();
}

static void counts_outlive_a_successor(void)
{
    begin();
    metrics_count_request(metrics_counts(metrics), STR("/"), STR("GET"), 200, 1);

    struct metrics *heir = metrics_create(&(struct metrics_options){ .version = "1.2.3",
                                                                     .catalog = pipeline.catalog,
                                                                     .health = health,
                                                                     .connections = seven,
                                                                     .inflight_bytes = seven,
                                                                     .self = &pipeline,
                                                                     .predecessor = metrics });

    CHECK(metrics_counts(heir) == metrics_counts(metrics));
    metrics_destroy(metrics);
    metrics = heir;
    metrics_count_request(metrics_counts(metrics), STR("/"), STR("GET"), 200, 1);
    scrape();
    CHECK(value("sluice_http_requests_total{path=\"/\",method=\"GET\",status=\"200\"}") == 2);
    metrics_destroy(NULL);
    end();
}

static bool says(const char *what)
{
    return memmem(page.ptr, page.len, what, strlen(what)) != NULL;
}

static void an_accept_header_chooses_the_format(void)
{
    static const struct {
        const char *accept;
        bool is_open;
    } cases[] = {
        { "application/openmetrics-text", true },
        { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
          "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          true },
        { "text/plain, Application/OpenMetrics-Text ; q=1", true },
        { "application/openmetrics-text;q=0.2,text/plain;q=0.5", false },
        { "application/openmetrics-text;q=0", false },
        { "application/openmetrics-texts", false },
        { "text/plain", false },
        { "*/*", false },
        { ";q=,,", false },
        { "", false },
        { NULL, false },
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *type = scrape_as(cases[i].accept);

        TEST_CASE(cases[i].accept ? cases[i].accept : "none");
        CHECK_STR(str_from_c(type), cases[i].is_open
                                        ? "application/openmetrics-text; version=1.0.0; "
                                          "charset=utf-8"
                                        : "text/plain; version=0.0.4; charset=utf-8");
        CHECK(str_ends_with(page, STR("\n# EOF\n")) == cases[i].is_open);
        CHECK(says("# TYPE sluice_events counter\n") == cases[i].is_open);
        CHECK(says("# TYPE sluice_events_total counter\n") != cases[i].is_open);
        CHECK_VALUE("sluice_events_total{route=\"ended\",outcome=\"valid\"}", 0);
    }
    end();
}

#define AGE(route, le) "sluice_event_age_seconds_bucket{route=\"" route "\",le=\"" le "\"}"

static void events_have_an_age_and_replays_are_counted_apart(void)
{
    static const struct metrics_event events[] = {
        { 1, 0, CONDITION_VALID, false },
        { 1, 250000, CONDITION_SCHEMA_INVALID, false },
        { 1, METRICS_NO_AGE, CONDITION_VALID, false },
        { 2, INT64_C(90000000000), CONDITION_VALID, false },
        { 2, 1, CONDITION_VALID, true },
        { 9, METRICS_NO_AGE, CONDITION_UNROUTED, false }, /* no such route */
    };

    begin();
    for (size_t i = 0; i < COUNT_OF(events); i++)
        metrics_count_event(metrics, &events[i]);
    scrape();
    CHECK_VALUE(AGE("started", "0.1"), 1);
    CHECK_VALUE(AGE("started", "0.25"), 2);
    CHECK_VALUE(AGE("started", "+Inf"), 2);
    CHECK_VALUE(AGE("ended", "86400.0"), 0);
    CHECK_VALUE(AGE("ended", "+Inf"), 1);
    CHECK_VALUE("sluice_event_age_seconds_count{route=\"\"}", 0);
    CHECK_VALUE("sluice_event_age_seconds_sum{route=\"ended\"}", 90000);
    CHECK_VALUE("sluice_events_total{route=\"ended\",outcome=\"valid\"}", 1);
    CHECK_VALUE("sluice_events_total{route=\"\",outcome=\"unrouted\"}", 1);
    CHECK_VALUE("sluice_replays_total{outcome=\"valid\"}", 1);
    end();
}

static void reloads_and_the_process_are_shown(void)
{
    begin();
    metrics_count_reload(metrics_counts(metrics), true);
    metrics_count_reload(metrics_counts(metrics), true);
    metrics_count_reload(metrics_counts(metrics), false);
    scrape();
    CHECK_VALUE("sluice_reloads_total{result=\"ok\"}", 2);
    CHECK_VALUE("sluice_reloads_total{result=\"error\"}", 1);
    CHECK(value("process_resident_memory_bytes") > 1e5);
    CHECK(value("process_virtual_memory_bytes") > 1e5);
    CHECK(value("process_open_fds") >= 3 && value("process_max_fds") > 3);
    CHECK(value("process_cpu_seconds_total") > 0);
    CHECK(value("process_start_time_seconds") > 1.5e9);
    end();
}

/* As a reload does. */
static void replace_routes(const char *const *names, size_t count)
{
    struct metrics *heir = metrics_create(&(struct metrics_options){ .version = "1.2.3",
                                                                     .catalog = pipeline.catalog,
                                                                     .health = health,
                                                                     .connections = seven,
                                                                     .inflight_bytes = seven,
                                                                     .self = &pipeline,
                                                                     .route_names = names,
                                                                     .route_count = count,
                                                                     .lane = lane,
                                                                     .predecessor = metrics });

    metrics_destroy(metrics);
    metrics = heir;
}

/* Counters have the names of routes: a reload may reorder them, take some away, add others. */
static void routes_keep_their_counts_over_a_reload(void)
{
    static const char *const names[] = { "new", "started" };

    begin();
    metrics_count_event(metrics, &(struct metrics_event){ 1, 5, CONDITION_VALID, false });
    metrics_count_event(metrics, &(struct metrics_event){ 2, 5, CONDITION_VALID, false });
    replace_routes(names, COUNT_OF(names));
    metrics_count_event(metrics, &(struct metrics_event){ 1, 5, CONDITION_VALID, false });
    metrics_count_event(metrics, &(struct metrics_event){ 2, 5, CONDITION_VALID, false });
    scrape();
    CHECK_VALUE("sluice_events_total{route=\"started\",outcome=\"valid\"}", 2);
    CHECK_VALUE("sluice_events_total{route=\"ended\",outcome=\"valid\"}", 1);
    CHECK_VALUE("sluice_events_total{route=\"new\",outcome=\"valid\"}", 1);
    end();
}

enum { ROUTES = 3000, FEWER_ROUTES = 120 };

static void begin_with_many_routes(size_t count)
{
    enum { NAME_SIZE = 16 };
    static char texts[ROUTES][NAME_SIZE];
    static const char *names[ROUTES];

    for (int i = 0; i < ROUTES; i++) {
        (void)snprintf(texts[i], NAME_SIZE, "route-%d", i);
        names[i] = texts[i];
    }
    begin();
    replace_routes(names, count);
}

/* What comes after the routes on the page is there, however many there are. */
static void check_whole_page(const char *last)
{
    CHECK_STR(str_from_c(scrape_as("application/openmetrics-text")),
              "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK_VALUE(last, 0);
    CHECK(says("sluice_schema_info{"));
    CHECK(value("sluice_schema_age_seconds{registry=\"Registry\",schema=\"Schema\"}") >= 0);
    CHECK(str_ends_with(page, STR("\n# EOF\n")));
}

static void end_requests(void)
{
    arena_destroy(pipeline.arena);
    pipeline.arena = NULL;
    CHECK_INT(atomic_load(&detached), 0);
}

static void the_page_of_many_routes_is_whole(void)
{
    begin_with_many_routes(ROUTES);
    check_whole_page("sluice_events_total{route=\"route-2999\",outcome=\"valid\"}");
    end();
}

/* It takes tens of milliseconds, so no loop thread makes it, unless the workers take no more. */
static void a_worker_makes_the_page_of_many_routes(void)
{
    static const char last[] = "sluice_events_total{route=\"route-119\",outcome=\"valid\"}";
    struct handler handler;
    struct error err = { 0 };

    lane = slow_lane_create(&(struct slow_lane_options){ .threads = 1 });
    begin_with_many_routes(FEWER_ROUTES);
    check_whole_page(last);
    CHECK_INT(atomic_load(&detached), 1);
    CHECK(slow_lane_start(lane, &err));
    check_whole_page(last);
    handler = metrics_handler(metrics);
    request = pipeline_request(pipeline.arena, STR_NONE);
    request.header = accept_header;
    request.waker.wake = no_wake;
    request.detach = detach;
    CHECK_INT(handler.handle(handler.self, &request, &response), HANDLER_WAIT);
    slow_lane_stop(lane); /* it runs it to its end, or not at all */
    response = (struct response){ 0 };
    CHECK_INT(handler.resume(handler.self, &request, &response, HANDLER_EXPIRED), HANDLER_DONE);
    page = response.body;
    CHECK_VALUE(last, 0);
    end_requests();
    end();
    slow_lane_destroy(lane);
    lane = NULL;
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(the_program_and_its_connections_are_shown);
    RUN(names_of_schemas_are_escaped);
    RUN(requests_are_counted_by_small_sets);
    RUN(durations_fall_into_buckets);
    RUN(outcomes_are_there_from_the_start);
    RUN(an_accept_header_chooses_the_format);
    RUN(events_have_an_age_and_replays_are_counted_apart);
    RUN(reloads_and_the_process_are_shown);
    RUN(routes_keep_their_counts_over_a_reload);
    RUN(the_page_of_many_routes_is_whole);
    RUN(a_worker_makes_the_page_of_many_routes);
    RUN(schemas_show_their_state);
    RUN(threads_lose_no_count);
    RUN(counts_outlive_a_successor);
    return test_end();
}
