/*
 * test_pump_spans.c - claims about delivery/pump_spans.h. The spans themselves are read in
 * tests/e2e/test_tracing.py.
 */
#include "delivery/pump_spans.h"

#include <assert.h>

#include "base/fetch.h"
#include "tests/unit/test.h"

#define SAMPLED "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
#define IGNORED "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"

static void records_of_traces_pass_their_delivery_on(void)
{
    struct arena *arena = arena_create();
    struct sink_record records[] = {
        { .sequence = 1 },
        { .sequence = 2, .origin = { .traceparent = STR(SAMPLED) } },
        { .sequence = 3, .origin = { .traceparent = STR(IGNORED) } },
        { .sequence = 4, .origin = { .traceparent = STR(SAMPLED) } },
    };
    static const struct sink_outcome outcomes[] = {
        { .result = SINK_DELIVERED },
        { .result = SINK_DELIVERED },
        { .result = SINK_REFUSED },
        { .result = SINK_POSTPONED },
    };
    struct pump_spans *spans = pump_spans_begin(arena, records, COUNT_OF(records));
    struct tracer *tracer = NULL;
    struct error err;

    CHECK(!records[0].origin.traceparent.ptr);
    CHECK_STR(records[2].origin.traceparent, IGNORED);
    CHECK(trace_text_is_whole(records[1].origin.traceparent));
    CHECK(trace_text_is_sampled(records[1].origin.traceparent));
    CHECK_STR(trace_text_id(records[1].origin.traceparent), "5759e988bd862e3fe1be46a994272793");
    CHECK(!str_equal(records[1].origin.traceparent, STR(SAMPLED)));
    CHECK(!str_equal(records[1].origin.traceparent, records[3].origin.traceparent));

    assert(fetch_init(&err));
    assert(tracer_create(&(struct tracer_options){ .exporter = { .endpoint = "http://127.0.0.1:1",
                                                                 .ca_file = "",
                                                                 .service_name = "s",
                                                                 .version = "1" } },
                         &tracer, &err));
    pump_spans_end(spans, tracer, "sink", outcomes);
    tracer_stop(tracer, 0);
    CHECK_INT((int64_t)tracer_counts(tracer).dropped, 2);
    tracer_destroy(tracer);
    arena_destroy(arena);
}

static void other_records_have_no_spans(void)
{
    struct arena *arena = arena_create();
    struct sink_record records[] = { { .sequence = 1 },
                                     { .origin = { .traceparent = STR(IGNORED) } } };

    CHECK(!pump_spans_begin(arena, records, COUNT_OF(records)));
    arena_destroy(arena);
}

int main(void)
{
    RUN(records_of_traces_pass_their_delivery_on);
    RUN(other_records_have_no_spans);
    return test_end();
}
