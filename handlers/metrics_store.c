/*
 * metrics_store.c - see metrics_store.h.
 */
#include "handlers/metrics_store.h"

#include <inttypes.h>

#include "base/memory.h"
#include "handlers/metrics_text.h"

static void write_number(struct buf *out, const char *name, const char *type, const char *help,
                         int64_t value)
{
    metrics_head(out, name, type, help);
    buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void write_quarantined(struct buf *out, const struct outbox_counters *counters)
{
    const char *name = "sluice_store_quarantined_total";

    metrics_head(out, name, "counter", "Refused events that were kept, by what became of them.");
    for (size_t i = 0; i < counters->outcome_count; i++)
        buf_printf(out, "%s{outcome=\"%s\"} %" PRId64 "\n", name, counters->quarantined[i].outcome,
                   counters->quarantined[i].count);
}

static void write_histogram(struct buf *out, const char *name, const int64_t *bounds,
                            const struct outbox_histogram *histogram, double scale)
{
    metrics_histogram(out, name,
                      &(struct metrics_histogram){ bounds, histogram->counts, OUTBOX_BUCKETS,
                                                   histogram->sum, scale });
}

static void write_commits(struct buf *out, const struct outbox_counters *counters)
{
    metrics_head(out, "sluice_store_commit_duration_seconds", "histogram",
                 "Transactions, from their begin to stable storage.");
    write_histogram(out, "sluice_store_commit_duration_seconds", outbox_commit_bounds_us,
                    &counters->commit_us, 1e6);
    metrics_head(out, "sluice_store_batch_events", "histogram", "Events in one transaction.");
    write_histogram(out, "sluice_store_batch_events", outbox_batch_bounds, &counters->batch_events,
                    1);
}

static int64_t enqueued(const struct outbox_sink_counters *sink)
{
    return sink->enqueued;
}

static int64_t delivered(const struct outbox_sink_counters *sink)
{
    return sink->delivered;
}

static int64_t dead(const struct outbox_sink_counters *sink)
{
    return sink->dead;
}

static int64_t dropped(const struct outbox_sink_counters *sink)
{
    return sink->dropped;
}

static int64_t pending(const struct outbox_sink_counters *sink)
{
    return sink->pending;
}

static void write_sinks(struct buf *out, const struct outbox_counters *counters)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
        int64_t (*value)(const struct outbox_sink_counters *sink);
    } metrics[] = {
        { "sluice_sink_enqueued_total", "counter", "Records that the sink was to get.", enqueued },
        { "sluice_sink_delivered_total", "counter", "Records that it has got.", delivered },
        { "sluice_sink_dead", "gauge", "Records set aside, that it would not take.", dead },
        { "sluice_sink_dropped_total", "counter", "Records given up.", dropped },
        { "sluice_sink_pending", "gauge", "Records still to be delivered.", pending },
    };

    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        metrics_head(out, metrics[i].name, metrics[i].type, metrics[i].help);
        for (size_t j = 0; j < counters->sink_count; j++)
            buf_printf(out, "%s{sink=\"%s\"} %" PRId64 "\n", metrics[i].name,
                       counters->sinks[j].name, metrics[i].value(&counters->sinks[j]));
    }
}

static void write_ages(struct buf *out, const struct outbox_counters *counters)
{
    metrics_head(out, "sluice_sink_oldest_pending_seconds", "gauge",
                 "How long the oldest pending record has waited.");
    for (size_t i = 0; i < counters->sink_count; i++)
        buf_printf(out, "sluice_sink_oldest_pending_seconds{sink=\"%s\"} %.3f\n",
                   counters->sinks[i].name, (double)counters->sinks[i].oldest_age_us / 1e6);
}

void metrics_write_store(struct buf *out, struct outbox *outbox)
{
    struct outbox_counters *counters = mem_alloc(sizeof(*counters));

    outbox_counters(outbox, counters);
    write_number(out, "sluice_store_accepted_total", "counter", "Events made durable.",
                 counters->accepted);
    write_number(out, "sluice_store_duplicates_total", "counter", "Events that had come before.",
                 counters->duplicates);
    write_number(out, "sluice_store_ids_reused_total", "counter",
                 "Events whose id another one had.", counters->ids_reused);
    write_quarantined(out, counters);
    write_number(out, "sluice_store_quarantine_rows", "gauge", "Refused events kept now.",
                 counters->refused_rows);
    write_number(out, "sluice_store_quarantine_bytes", "gauge", "What they take.",
                 counters->refused_bytes);
    write_number(out, "sluice_store_quarantine_evicted_total", "counter",
                 "Refused events that were let go, too old or too many.",
                 counters->refused_evicted);
    write_number(out, "sluice_store_quarantine_too_large_total", "counter",
                 "Refused events larger than the quarantine, so not kept.",
                 counters->refused_too_large);
    write_number(out, "sluice_store_dedup_rows", "gauge", "Events remembered for duplicates.",
                 counters->seen);
    write_number(out, "sluice_store_bytes", "gauge",
                 "Records that wait for sinks, and the write-ahead log.", counters->bytes);
    write_number(out, "sluice_store_max_bytes", "gauge",
                 "The most of them: store.max_size, or what the disk has room for.",
                 counters->max_bytes);
    write_number(out, "sluice_store_dead_bytes", "gauge",
                 "Records that no sink waits for and some have set aside.", counters->dead_bytes);
    write_number(out, "sluice_store_counters_corrected_total", "counter",
                 "Counters that differed from the rows they count.", counters->corrections);
    write_commits(out, counters);
    write_sinks(out, counters);
    write_ages(out, counters);
    mem_free(counters);
}
