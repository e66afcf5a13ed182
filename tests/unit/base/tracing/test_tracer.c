/*
 * test_tracer.c - claims about tracing/tracer.h.
 */
#include "base/tracing/tracer.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/canned.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { MANY = 10000 };

static char seen[64 * 1024]; /* the last request */

static struct str answer(void *self, struct str request, size_t nth)
{
    (void)nth;
    (void)snprintf(seen, sizeof(seen), "%.*s", STR_ARG(request));
    return self ? str_from_c(self) : CANNED_STALL;
}

static struct tracer *begin(const struct canned *server, double sample)
{
    struct tracer *tracer = NULL;
    char endpoint[64];
    struct error err;

    assert(fetch_init(&err));
    (void)snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d",
                   server ? canned_port(server) : 1);
    CHECK(tracer_create(&(struct tracer_options){ .exporter = { .endpoint = endpoint,
                                                                .ca_file = "",
                                                                .service_name = "s",
                                                                .version = "1" },
                                                  .sample = sample },
                        &tracer, &err));
    return tracer;
}

static void the_sender_decides_else_the_share(void)
{
    static const struct {
        double sample;
        uint64_t random;
        enum trace_sampled sent;
        bool is_sampled;
    } rows[] = {
        { 0, UINT64_MAX, TRACE_SAMPLED_YES, true },
        { 1, 0, TRACE_SAMPLED_NO, false },
        { 0, 0, TRACE_SAMPLED_UNKNOWN, false },
        { 1, UINT64_MAX, TRACE_SAMPLED_UNKNOWN, true },
        { 0.25, (UINT64_C(1) << 62) - 1, TRACE_SAMPLED_UNKNOWN, true },
        { 0.25, UINT64_C(1) << 62, TRACE_SAMPLED_UNKNOWN, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tracer *tracer = begin(NULL, rows[i].sample);

        CHECK_INT(tracer_samples(tracer, rows[i].sent, rows[i].random), rows[i].is_sampled);
        tracer_destroy(tracer);
    }
}

static void what_waits_is_sent_at_the_end(void)
{
    struct canned *server =
        canned_start(NULL, answer,
                     (void *)"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    struct tracer *tracer = begin(server, 1);

    tracer_add(tracer, &(struct span){ .name = STR("one") });
    tracer_add(tracer, &(struct span){ .name = STR("two") });
    tracer_stop(tracer, 30 * US_PER_S);
    CHECK(strstr(seen, "\"name\":\"one\""));
    CHECK(strstr(seen, "},{\"traceId\"") && strstr(seen, "\"name\":\"two\""));
    CHECK_INT((int64_t)tracer_counts(tracer).exported, 2);
    CHECK_INT((int64_t)tracer_counts(tracer).dropped, 0);
    tracer_stop(tracer, 0);
    tracer_destroy(tracer);
    tracer_destroy(NULL);
    canned_destroy(server);
}

static bool has_request(void *self)
{
    return canned_requests(self) > 0;
}

static void a_collector_that_hangs_costs_spans_only(void)
{
    struct canned *server = canned_start(NULL, answer, NULL);
    struct tracer *tracer = begin(server, 1);
    struct tracer_counts counts;
    int64_t began_us;

    tracer_add(tracer, &(struct span){ .name = STR("first") });
    CHECK(wait_until(has_request, server));
    for (int i = 0; i < MANY; i++)
        tracer_add(tracer, &(struct span){ .name = STR("span") });
    counts = tracer_counts(tracer);
    CHECK_INT((int64_t)counts.exported, 0);
    CHECK(counts.dropped > 0 && counts.dropped < MANY);
    began_us = clock_monotonic_us();
    tracer_stop(tracer, US_PER_MS);
    CHECK(clock_monotonic_us() - began_us < 9 * US_PER_S); /* the timeout of a call is 10 s */
    CHECK_INT((int64_t)tracer_counts(tracer).dropped, MANY + 1);
    tracer_destroy(tracer);
    canned_destroy(server);
}

static void a_span_that_is_too_long_is_dropped(void)
{
    struct tracer *tracer = begin(NULL, 1);
    static char name[70 * 1024];

    memset(name, 'x', sizeof(name));
    tracer_add(tracer, &(struct span){ .name = { name, sizeof(name) } });
    CHECK_INT((int64_t)tracer_counts(tracer).dropped, 1);
    tracer_destroy(tracer);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(the_sender_decides_else_the_share);
    RUN(what_waits_is_sent_at_the_end);
    RUN(a_collector_that_hangs_costs_spans_only);
    RUN(a_span_that_is_too_long_is_dropped);
    return test_end();
}
