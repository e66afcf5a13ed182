/*
 * test_metrics_store.c - claims about handlers/metrics_store.h.
 */
#include "handlers/metrics_store.h"

#include <string.h>

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
        "\nsluice_store_commit_duration_seconds_bucket{le=\"0.0001\"} ",
        "\nsluice_store_commit_duration_seconds_bucket{le=\"+Inf\"} ",
        "\nsluice_store_batch_events_sum 5.000000\n",
        "\nsluice_sink_enqueued_total{sink=\"hook\"} 3\n",
        "\nsluice_sink_delivered_total{sink=\"hook\"} 0\n",
        "\nsluice_sink_dead{sink=\"hook\"} 0\n",
        "\nsluice_sink_dropped_total{sink=\"hook\"} 0\n",
        "\nsluice_sink_pending{sink=\"hook\"} 3\n",
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
    metrics_write_store(&text, store.outbox);
    buf_add_char(&text, '\0');
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        check_line(&text, lines[i]);
    buf_done(&text);
    store_done(&store);
}

int main(void)
{
    RUN(shows_what_the_store_counts);
    return test_end();
}
