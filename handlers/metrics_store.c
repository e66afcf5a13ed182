/*
 * metrics_store.c - the series of the store and of the sinks, see metrics_internal.h.
 *
 * The names of sinks need no escapes (conf/sluice.schema.json).
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "handlers/metrics_internal.h"

static void write_quarantined(struct metrics_page *page, const struct outbox_counters *counters)
{
    const char *name = "sluice_store_quarantined_total";

    metrics_head(page, name, "counter", "Refused events that were kept, by what became of them.");
    for (size_t i = 0; i < counters->outcome_count; i++)
        buf_printf(page->out, "%s{outcome=\"%s\"} %" PRId64 "\n", name,
                   counters->quarantined[i].outcome, counters->quarantined[i].count);
}

static void write_store_histogram(struct metrics_page *page, const char *name,
                                  const int64_t *bounds, const struct outbox_histogram *histogram,
                                  double scale)
{
    metrics_histogram(page, name, "",
                      &(struct metrics_histogram){ bounds, histogram->counts, OUTBOX_BUCKETS,
                                                   histogram->sum, scale, NULL });
}

static void write_commits(struct metrics_page *page, const struct outbox_counters *counters)
{
    metrics_head(page, "sluice_store_commit_duration_seconds", "histogram",
                 "Transactions, from their begin to stable storage.");
    write_store_histogram(page, "sluice_store_commit_duration_seconds", outbox_commit_bounds_us,
                          &counters->commit_us, 1e6);
    metrics_head(page, "sluice_store_batch_events", "histogram", "Events in one transaction.");
    write_store_histogram(page, "sluice_store_batch_events", outbox_batch_bounds,
                          &counters->batch_events, 1);
}

static void write_sinks(struct metrics_page *page, const struct outbox_counters *counters)
{
    static const struct {
        const char *name;
        const char *type;
        const char *help;
    } metrics[] = {
        { "sluice_sink_enqueued_total", "counter", "Records that the sink was to get." },
        { "sluice_sink_delivered_total", "counter", "Records that it has got." },
        { "sluice_sink_dead", "gauge", "Records set aside, that it would not take." },
        { "sluice_sink_dropped_total", "counter", "Records given up." },
        { "sluice_sink_pending", "gauge", "Records still to be delivered." },
        { "sluice_sink_paused", "gauge", "1: an operator has paused the sink." },
    };

    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        metrics_head(page, metrics[i].name, metrics[i].type, metrics[i].help);
        for (size_t j = 0; j < counters->sink_count; j++) {
            const struct outbox_sink_counters *sink = &counters->sinks[j];
            const int64_t values[] = { sink->enqueued, sink->delivered, sink->dead,
                                       sink->dropped,  sink->pending,   sink->paused };

            static_assert(COUNT_OF(values) == COUNT_OF(metrics), "one value for each metric");
            buf_printf(page->out, "%s{sink=\"%s\"} %" PRId64 "\n", metrics[i].name, sink->name,
                       values[i]);
        }
    }
}

static void write_ages(struct metrics_page *page, const struct outbox_counters *counters)
{
    metrics_head(page, "sluice_sink_oldest_pending_seconds", "gauge",
                 "How long the oldest pending record has waited.");
    for (size_t i = 0; i < counters->sink_count; i++)
        buf_printf(page->out, "sluice_sink_oldest_pending_seconds{sink=\"%s\"} %.3f\n",
                   counters->sinks[i].name, (double)counters->sinks[i].oldest_age_us / 1e6);
}

void metrics_write_store(struct metrics_page *page, struct outbox *outbox)
{
    struct outbox_counters *counters = mem_alloc(sizeof(*counters));

    outbox_counters(outbox, counters);

    const struct {
        const char *name;
        const char *type;
        int64_t value;
        const char *help;
    } metrics[] = {
        { "sluice_store_accepted_total", "counter", counters->accepted, "Events made durable." },
        { "sluice_store_duplicates_total", "counter", counters->duplicates,
          "Events that had come before." },
        { "sluice_store_ids_reused_total", "counter", counters->ids_reused,
          "Events whose id another one had." },
        { "sluice_store_quarantine_rows", "gauge", counters->refused_rows,
          "Refused events kept now." },
        { "sluice_store_quarantine_open", "gauge", counters->refused_open,
          "Those that were not accepted later." },
        { "sluice_store_quarantine_bytes", "gauge", counters->refused_bytes, "What they take." },
        { "sluice_store_quarantine_evicted_total", "counter", counters->refused_evicted,
          "Refused events that were let go, too old or too many." },
        { "sluice_store_quarantine_too_large_total", "counter", counters->refused_too_large,
          "Refused events larger than the quarantine, so not kept." },
        { "sluice_store_dedup_rows", "gauge", counters->seen, "Events remembered for duplicates." },
        { "sluice_store_bytes", "gauge", counters->bytes,
          "Records that wait for sinks, and the write-ahead log." },
        { "sluice_store_max_bytes", "gauge", counters->max_bytes,
          "The most of them: store.max_size, or what the disk has room for." },
        { "sluice_store_dead_bytes", "gauge", counters->dead_bytes,
          "Records that no sink waits for and some have set aside." },
        { "sluice_store_history_bytes", "gauge", counters->history_bytes,
          "Delivered records that are kept as history." },
        { "sluice_store_counters_corrected_total", "counter", counters->corrections,
          "Counters that differed from the rows they count." },
    };

    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        metrics_head(page, metrics[i].name, metrics[i].type, metrics[i].help);
        buf_printf(page->out, "%s %" PRId64 "\n", metrics[i].name, metrics[i].value);
    }
    write_quarantined(page, counters);
    write_commits(page, counters);
    write_sinks(page, counters);
    write_ages(page, counters);
    mem_free(counters);
}

static void write_delays(struct metrics_page *page, struct pump *pump)
{
    struct pump_delays delays;
    struct exemplar exemplars[EXEMPLARS_MAX];
    char labels[128];

    pump_delays(pump, &delays);
    pump_exemplars(pump, exemplars);
    (void)snprintf(labels, sizeof(labels), "sink=\"%s\"", pump_name(pump));
    metrics_histogram(page, "sluice_sink_delivery_seconds", labels,
                      &(struct metrics_histogram){ pump_delay_bounds_us, delays.counts,
                                                   PUMP_DELAY_BUCKETS, delays.sum_us, 1e6,
                                                   exemplars });
}

void metrics_write_attempts(struct metrics_page *page, struct pump *const *pumps, size_t count)
{
    static const enum sink_result shown[] = {
        SINK_POSTPONED, SINK_REFUSED, SINK_DELIVERED, SINK_MISCONFIGURED, SINK_IMPOSSIBLE,
    };

    metrics_head(page, "sluice_sink_attempts_total", "counter",
                 "Records handed to the sink, each time, by what it said.");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < COUNT_OF(shown); j++)
            buf_printf(
                page->out, "sluice_sink_attempts_total{sink=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                pump_name(pumps[i]), sink_result_name(shown[j]), pump_attempts(pumps[i], shown[j]));
    metrics_head(page, "sluice_sink_deliveries_in_flight", "gauge", "Deliveries under way.");
    for (size_t i = 0; i < count; i++)
        buf_printf(page->out, "sluice_sink_deliveries_in_flight{sink=\"%s\"} %zu\n",
                   pump_name(pumps[i]), pump_in_flight(pumps[i]));
    metrics_head(page, "sluice_sink_misconfigured", "gauge",
                 "1: the sink says that its configuration is wrong; all its records wait.");
    for (size_t i = 0; i < count; i++)
        buf_printf(page->out, "sluice_sink_misconfigured{sink=\"%s\"} %d\n", pump_name(pumps[i]),
                   pump_is_misconfigured(pumps[i]));
    metrics_head(page, "sluice_sink_delivery_seconds", "histogram",
                 "From the acceptance of a record to its delivery.");
    for (size_t i = 0; i < count; i++)
        write_delays(page, pumps[i]);
}

static const struct pump *find_pump(struct pump *const *pumps, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pump_name(pumps[i]), name) == 0)
            return pumps[i];
    return NULL;
}

/* `pump` NULL: the sink is not configured any more. */
static struct str state_of(const struct pump *pump, bool is_paused, int64_t waits_until_us)
{
    if (!pump)
        return STR("unconfigured");
    if (is_paused)
        return STR("paused");
    if (pump_is_misconfigured(pump))
        return STR("configuration");
    return waits_until_us ? STR("waiting") : STR("running");
}

static void write_last_error(struct buf *out, const struct pump *pump)
{
    struct pump_error error = { 0 };

    if (pump)
        pump_last_error(pump, &error);
    if (error.at_us == 0) {
        member_json(out, "last_error", STR_NONE);
        return;
    }
    member_open(out, "last_error", '{');
    member_text(out, "reason", str_from_c(error.reason));
    member_time(out, "at", error.at_us);
    member_int(out, "in_a_row", error.in_a_row);
    if (error.said_len > 0)
        member_bytes(out, "said", (struct str){ error.said, error.said_len });
    buf_add_char(out, '}');
}

static void write_sink_state(struct buf *out, const struct outbox_sink_counters *sink,
                             const struct pump *pump)
{
    int64_t waits_until_us = pump ? pump_waits_until_us(pump) : 0;

    buf_add_char(out, '{');
    member_text(out, "name", str_from_c(sink->name));
    member_int(out, "delivered", sink->delivered);
    member_int(out, "pending", sink->pending);
    member_int(out, "dead", sink->dead);
    member_int(out, "dropped", sink->dropped);
    member_int(out, "oldest_ms", sink->oldest_age_us / US_PER_MS);
    member_bool(out, "paused", sink->paused);
    member_bool(out, "misconfigured", pump && pump_is_misconfigured(pump));
    member_text(out, "state", state_of(pump, sink->paused, waits_until_us));
    member_time(out, "waits_until", waits_until_us);
    write_last_error(out, pump);
    buf_add_char(out, '}');
}

void metrics_store_state(struct buf *out, struct outbox *outbox, struct pump *const *pumps,
                         size_t count)
{
    struct outbox_counters *counters = mem_alloc(sizeof(*counters));

    outbox_counters(outbox, counters);
    buf_printf(out,
               ",\"store\":{\"bytes\":%" PRId64 ",\"max_bytes\":%" PRId64
               ",\"refused_open\":%" PRId64 "},\"sinks\":[",
               counters->bytes, counters->max_bytes, counters->refused_open);
    for (size_t i = 0; i < counters->sink_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_sink_state(out, &counters->sinks[i],
                         find_pump(pumps, count, counters->sinks[i].name));
    }
    buf_add_char(out, ']');
    mem_free(counters);
}

void metrics_store_read(struct outbox *outbox, const struct metrics_reader *reader)
{
    struct outbox_counters *counters = mem_alloc(sizeof(*counters));

    outbox_counters(outbox, counters);
    for (size_t i = 0; i < counters->sink_count; i++)
        reader->sink(reader->self, &counters->sinks[i]);
    mem_free(counters);
}
