/*
 * test_metrics_store.c - claims about handlers/metrics_store.c.
 */
#include <string.h>

#include "handlers/metrics_internal.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

static void check_line(const struct buf *text, const char *line)
{
    TEST_CASE(line);
    CHECK(strstr(text->ptr, line) != NULL);
}

static void shows_what_the_store_counts(void)
{
    static const char *const sinks[] = { "hook" };
    static const char *const lines[] = {
        "\nsluice_store_accepted_total 3\n",
        "\nsluice_store_duplicates_total 1\n",
        "\nsluice_store_quarantined_total{outcome=\"schema_invalid\"} 1\n",
        "\nsluice_store_max_bytes 67108864\n",
        "\nsluice_store_quarantine_rows 1\n",
        "\nsluice_store_quarantine_open 1\n",
        "\nsluice_store_commit_duration_seconds_bucket{le=\"0.0001\"} ",
        "\nsluice_store_commit_duration_seconds_bucket{le=\"+Inf\"} ",
        "\nsluice_store_batch_events_sum 5.000000\n",
        "\nsluice_sink_enqueued_total{sink=\"hook\"} 3\n",
        "\nsluice_sink_delivered_total{sink=\"hook\"} 0\n",
        "\nsluice_sink_dead{sink=\"hook\"} 0\n",
        "\nsluice_sink_dropped_total{sink=\"hook\"} 0\n",
        "\nsluice_sink_pending{sink=\"hook\"} 3\n",
        "\nsluice_store_history_bytes 0\n",
        "\nsluice_sink_paused{sink=\"hook\"} 0\n",
        "\nsluice_sink_oldest_pending_seconds{sink=\"hook\"} ",
    };
    struct store store;
    struct buf text;
    struct outbox_event event = store_event("e0", "e0");
    struct outbox_event bad = store_refusal("bad", "{}");

    store_init(&store);
    store.options.sinks = sinks;
    store.options.sink_count = 1;
    store_open(&store);
    store_fill(&store, "e", 2);
    (void)store_submit(&store, &event);
    event.id = STR("other");
    (void)store_submit(&store, &event);
    (void)store_submit(&store, &bad);
    buf_init(&text, 1 << 20);
    metrics_write_store(&(struct metrics_page){ .out = &text }, store.outbox);
    buf_add_char(&text, '\0');
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        check_line(&text, lines[i]);
    buf_done(&text);
    store_done(&store);
}

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
    metrics_write_attempts(&(struct metrics_page){ .out = &out }, pumps, COUNT_OF(pumps));

    struct str text = buf_str(&out);
    const char *delays = memmem(text.ptr, text.len, "# HELP sluice_sink_delivery_seconds", 35);

    CHECK(delays != NULL);
    text.len = (size_t)(delays - text.ptr);
    CHECK_STR(text,
              "# HELP sluice_sink_attempts_total Records handed to the sink, each time, by what it "
              "said.\n"
              "# TYPE sluice_sink_attempts_total counter\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"failed\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"refused\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"delivered\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"misconfigured\"} 0\n"
              "sluice_sink_attempts_total{sink=\"archive\",result=\"impossible\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"failed\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"refused\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"delivered\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"misconfigured\"} 0\n"
              "sluice_sink_attempts_total{sink=\"hook\",result=\"impossible\"} 0\n"
              "# HELP sluice_sink_deliveries_in_flight Deliveries under way.\n"
              "# TYPE sluice_sink_deliveries_in_flight gauge\n"
              "sluice_sink_deliveries_in_flight{sink=\"archive\"} 0\n"
              "sluice_sink_deliveries_in_flight{sink=\"hook\"} 0\n"
              "# HELP sluice_sink_misconfigured 1: the sink says that its configuration is wrong; "
              "all its records wait.\n"
              "# TYPE sluice_sink_misconfigured gauge\n"
              "sluice_sink_misconfigured{sink=\"archive\"} 0\n"
              "sluice_sink_misconfigured{sink=\"hook\"} 0\n");
    buf_add_char(&out, '\0');
    check_line(&out, "\nsluice_sink_delivery_seconds_bucket{sink=\"archive\",le=\"0.005\"} 0\n");
    check_line(&out, "\nsluice_sink_delivery_seconds_count{sink=\"hook\"} 0\n");
    for (size_t i = 0; i < COUNT_OF(pumps); i++)
        pump_destroy(pumps[i]);
}

int main(void)
{
    RUN(each_sink_has_a_series_for_each_result);
    RUN(shows_what_the_store_counts);
    return test_end();
}
