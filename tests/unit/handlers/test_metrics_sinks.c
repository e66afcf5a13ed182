/*
 * test_metrics_sinks.c - claims about handlers/metrics_sinks.h
 */
#include "handlers/metrics_sinks.h"

#include "tests/unit/test.h"

static void destroy(void *self)
{
    (void)self;
}

static void each_sink_has_a_series_for_each_result(void)
{
    struct pump *pumps[] = {
        pump_create(&(struct pump_options){ .name = "archive", .sink = { .destroy = destroy } }),
        pump_create(&(struct pump_options){ .name = "hook", .sink = { .destroy = destroy } }),
    };
    CLEANUP(buf_done) struct buf out;

    buf_init(&out, 10000);
    metrics_write_attempts(&out, pumps, COUNT_OF(pumps));
    CHECK_STR(buf_str(&out),
              "# HELP sluice_sink_attempts_total Records handed to the sink, each time, by what it "
              "said.\n"
              "# TYPE sluice_sink_attempts_total counter\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"failed\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"refused\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"delivered\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"failed\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"refused\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"delivered\"} 0\n");
    for (size_t i = 0; i < COUNT_OF(pumps); i++)
        pump_destroy(pumps[i]);
}

int main(void)
{
    RUN(each_sink_has_a_series_for_each_result);
    return test_end();
}
