/*
 * metrics.c - see metrics.h.
 *
 * All label values come from fixed sets, so that a sender cannot create series. The series of
 * outcomes exist from the start, those of requests from the first request of their kind.
 */
#include "handlers/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/flat.h"
#include "base/memory.h"
#include "handlers/metrics_internal.h"

static const char *const paths[] = { "/events", "/", "/healthz", "/readyz", "/metrics", "other" };
static const char *const tls_failures[] = { "alert",       "closed",      "late",     "not_tls",
                                            "server_name", "unsupported", "malformed" };
static const char *const http_failures[] = { "late", "not_http", "too_long", "version",
                                             "malformed" };
static const char *const methods[] = { "POST", "GET", "HEAD", "other" };
static const struct {
    int status;
    const char *label;
} statuses[] = {
    { 200, "200" },           { 400, "400" }, { 401, "401" }, { 404, "404" },
    { 405, "405" },           { 408, "408" }, { 411, "411" }, { 413, "413" },
    { 414, "414" },           { 415, "415" }, { 429, "429" }, { 431, "431" },
    { 500, "500" },           { 501, "501" }, { 503, "503" }, { METRICS_LATE, "late" },
    { METRICS_GONE, "gone" }, { 0, "other" },
};

/* The duration histogram's buckets, by upper bound in microseconds. */
static const struct {
    int64_t us;
    const char *label; /* in seconds */
} buckets[] = {
    { 50, "0.00005" },     { 100, "0.0001" },  { 250, "0.00025" }, { 500, "0.0005" },
    { 1000, "0.001" },     { 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },
    { 25000, "0.025" },    { 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" },
    { 500000, "0.5" },     { 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },
    { INT64_MAX, "+Inf" },
};

enum { OUTPUT_MAX = 4 * 1024 * 1024 };

typedef _Atomic uint64_t counter;

struct metrics_counts {
    counter requests[COUNT_OF(paths)][COUNT_OF(methods)][COUNT_OF(statuses)];
    counter durations[COUNT_OF(buckets)];
    counter duration_sum_us;
    counter tls_failures[COUNT_OF(tls_failures)];
    counter http_failures[COUNT_OF(http_failures)];
    counter events[CONDITION_COUNT];
    size_t owners; /* metrics that share these counts; used by the thread that creates them */
};

struct metrics {
    struct metrics_options options;
    struct metrics_counts *counts;
};

struct metrics *metrics_create(const struct metrics_options *options)
{
    struct metrics *metrics = mem_alloc(sizeof(*metrics));

    metrics->options = *options;
    metrics->counts =
        options->predecessor ? options->predecessor->counts : mem_alloc(sizeof(*metrics->counts));
    metrics->counts->owners++;
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (!metrics)
        return;
    if (--metrics->counts->owners == 0)
        mem_free(metrics->counts);
    mem_free(metrics);
}

struct metrics_counts *metrics_counts(struct metrics *metrics)
{
    return metrics->counts;
}

static void add(counter *value, uint64_t more)
{
    atomic_fetch_add_explicit(value, more, memory_order_relaxed);
}

static uint64_t get(const counter *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* The index of `name`; the last index stands for all names that are not listed. */
static size_t find_name(const char *const *names, size_t count, struct str name)
{
    size_t i = 0;

    while (i + 1 < count && !str_equal(name, str_from_c(names[i])))
        i++;
    return i;
}

static size_t find_status(int status)
{
    size_t i = 0;

    while (i + 1 < COUNT_OF(statuses) && statuses[i].status != status)
        i++;
    return i;
}

void metrics_count_request(struct metrics_counts *counts, struct str path, struct str method,
                           int status, int64_t duration_us)
{
    size_t bucket = 0;

    add(&counts->requests[find_name(paths, COUNT_OF(paths), path)]
                         [find_name(methods, COUNT_OF(methods), method)][find_status(status)],
        1);
    while (duration_us > buckets[bucket].us)
        bucket++;
    add(&counts->durations[bucket], 1);
    add(&counts->duration_sum_us, (uint64_t)duration_us);
}

void metrics_count_failure(struct metrics_counts *counts, bool tls, struct str reason)
{
    if (tls)
        add(&counts->tls_failures[find_name(tls_failures, COUNT_OF(tls_failures), reason)], 1);
    else
        add(&counts->http_failures[find_name(http_failures, COUNT_OF(http_failures), reason)], 1);
}

void metrics_count_event(struct metrics *metrics, enum condition condition)
{
    add(&metrics->counts->events[condition], 1);
}

/* The page. */

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_histogram(struct buf *out, const char *name, const struct metrics_histogram *histogram)
{
    uint64_t total = 0;

    for (size_t i = 0; i < histogram->count; i++) {
        total += histogram->counts[i];
        if (histogram->bounds[i] == INT64_MAX)
            buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, total);
        else
            buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                       (double)histogram->bounds[i] / histogram->scale, total);
    }
    buf_printf(out, "%s_sum %.6f\n", name, (double)histogram->sum / histogram->scale);
    buf_printf(out, "%s_count %" PRIu64 "\n", name, total);
}

static void write_connection_failures(struct buf *out, const struct metrics *metrics)
{
    metrics_head(out, "sluice_tls_handshake_failures_total", "counter",
                 "TLS handshakes that did not come to their end.");
    for (size_t i = 0; i < COUNT_OF(tls_failures); i++)
        buf_printf(out, "sluice_tls_handshake_failures_total{reason=\"%s\"} %" PRIu64 "\n",
                   tls_failures[i], get(&metrics->counts->tls_failures[i]));
    metrics_head(out, "sluice_http_not_understood_total", "counter",
                 "What came on connections and is no request.");
    for (size_t i = 0; i < COUNT_OF(http_failures); i++)
        buf_printf(out, "sluice_http_not_understood_total{reason=\"%s\"} %" PRIu64 "\n",
                   http_failures[i], get(&metrics->counts->http_failures[i]));
}

/* The series of one path and method: one line per status that was sent. */
static void write_requests_of(struct buf *out, const struct metrics *metrics, size_t path,
                              size_t method)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        uint64_t count = get(&metrics->counts->requests[path][method][i]);

        if (count > 0)
            buf_printf(out,
                       "sluice_http_requests_total{path=\"%s\",method=\"%s\",status=\"%s\"} "
                       "%" PRIu64 "\n",
                       paths[path], methods[method], statuses[i].label, count);
    }
}

static void write_requests(struct buf *out, const struct metrics *metrics)
{
    metrics_head(out, "sluice_http_requests_total", "counter",
                 "Requests answered, cut (late) or left by their senders (gone).");
    for (size_t path = 0; path < COUNT_OF(paths); path++)
        for (size_t method = 0; method < COUNT_OF(methods); method++)
            write_requests_of(out, metrics, path, method);
}

static void write_durations(struct buf *out, const struct metrics *metrics)
{
    uint64_t total = 0;

    metrics_head(out, "sluice_http_request_duration_seconds", "histogram",
                 "From the first byte of a request to its answer.");
    for (size_t i = 0; i < COUNT_OF(buckets); i++) {
        total += get(&metrics->counts->durations[i]);
        buf_printf(out, "sluice_http_request_duration_seconds_bucket{le=\"%s\"} %" PRIu64 "\n",
                   buckets[i].label, total);
    }
    buf_printf(out, "sluice_http_request_duration_seconds_sum %.6f\n",
               (double)get(&metrics->counts->duration_sum_us) / 1e6);
    buf_printf(out, "sluice_http_request_duration_seconds_count %" PRIu64 "\n", total);
}

static void write_events(struct buf *out, const struct metrics *metrics)
{
    metrics_head(out, "sluice_events_total", "counter", "Events, by what became of them.");
    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        buf_printf(out, "sluice_events_total{outcome=\"%s\"} %" PRIu64 "\n",
                   status_row(STATUS_MAP_TUTORIAL, i)->condition, get(&metrics->counts->events[i]));
}

/*
 * Add `name{registry="...",schema="..."`, without the closing brace. The names have no control
 * characters (checked by the configuration), so JSON's escapes are valid in Prometheus' format.
 */
static void open_labels(struct buf *out, const char *name, const struct catalog_status *status)
{
    buf_add(out, str_from_c(name));
    buf_add(out, STR("{registry="));
    json_write_string(out, str_from_c(status->registry));
    buf_add(out, STR(",schema="));
    json_write_string(out, str_from_c(status->schema));
}

static void write_schema_info(struct buf *out, const struct catalog_status *status)
{
    if (!status->usable)
        return;
    open_labels(out, "sluice_schema_info", status);
    buf_printf(out, ",version=\"%s\"} 1\n", status->version);
}

static void write_schema_age(struct buf *out, const struct catalog_status *status)
{
    if (!status->usable)
        return;
    open_labels(out, "sluice_schema_age_seconds", status);
    buf_printf(out, "} %.3f\n", (double)status->age_us / 1e6);
}

static void write_schema_refreshes(struct buf *out, const struct catalog_status *status)
{
    open_labels(out, "sluice_schema_refreshes_total", status);
    buf_printf(out, ",result=\"ok\"} %" PRIu64 "\n", status->refreshed);
    open_labels(out, "sluice_schema_refreshes_total", status);
    buf_printf(out, ",result=\"error\"} %" PRIu64 "\n", status->failed);
    open_labels(out, "sluice_schema_refreshes_total", status);
    buf_printf(out, ",result=\"held\"} %" PRIu64 "\n", status->held);
}

static void write_guard_refusals(struct buf *out, const struct catalog_status *status)
{
    open_labels(out, "sluice_schema_guard_refusals_total", status);
    buf_printf(out, "} %" PRIu64 "\n", status->guard_refusals);
}

static void write_each_schema(struct buf *out, const struct metrics *metrics,
                              void (*write)(struct buf *, const struct catalog_status *))
{
    struct catalog_status status;

    for (size_t i = 0; i < catalog_count(metrics->options.catalog); i++) {
        catalog_status(metrics->options.catalog, i, &status);
        write(out, &status);
    }
}

static void write_schemas(struct buf *out, const struct metrics *metrics)
{
    metrics_head(out, "sluice_schema_info", "gauge", "The live version of each schema.");
    write_each_schema(out, metrics, write_schema_info);
    metrics_head(out, "sluice_schema_age_seconds", "gauge",
                 "Since the registry last confirmed the live version.");
    write_each_schema(out, metrics, write_schema_age);
    metrics_head(out, "sluice_schema_refreshes_total", "counter", "Looks at the registry.");
    write_each_schema(out, metrics, write_schema_refreshes);
    metrics_head(out, "sluice_schema_guard_refusals_total", "counter",
                 "New versions that would have refused events accepted of late.");
    write_each_schema(out, metrics, write_guard_refusals);
}

static void write_credentials(struct buf *out, const struct metrics *metrics)
{
    if (!metrics->options.credential_expiry)
        return;
    metrics_head(out, "sluice_aws_credential_expiry_timestamp_seconds", "gauge",
                 "When the AWS credentials in use expire, since 1970; 0: never.");
    buf_printf(out, "sluice_aws_credential_expiry_timestamp_seconds %" PRId64 "\n",
               metrics->options.credential_expiry(metrics->options.session));
}

static void write_process(struct buf *out, const struct metrics *metrics)
{
    metrics_head(out, "sluice_build_info", "gauge", "The running version.");
    buf_printf(out, "sluice_build_info{version=\"%s\"} 1\n", metrics->options.version);
    metrics_head(out, "sluice_ready", "gauge", "1 while /readyz answers 200.");
    buf_printf(out, "sluice_ready %d\n", health_is_ready(metrics->options.health));
    metrics_head(out, "sluice_http_connections", "gauge", "Connections that are open now.");
    buf_printf(out, "sluice_http_connections %zu\n",
               metrics->options.connections(metrics->options.self));
    metrics_head(out, "sluice_inflight_bytes", "gauge",
                 "Memory held by bodies that have come and are not answered.");
    buf_printf(out, "sluice_inflight_bytes %zu\n",
               metrics->options.inflight_bytes(metrics->options.self));
}

static void write_certificate(struct buf *out, const struct metrics_options *options)
{
    int64_t expires_s =
        options->certificate_expires_s ? options->certificate_expires_s(options->self) : 0;

    if (!expires_s)
        return;
    metrics_head(out, "sluice_tls_certificate_expiry_timestamp_seconds", "gauge",
                 "When the server's certificate expires.");
    buf_printf(out, "sluice_tls_certificate_expiry_timestamp_seconds %" PRId64 "\n", expires_s);
}

static void write_slow_lane(struct buf *out, struct slow_lane *lane)
{
    struct slow_lane_waits waits;

    slow_lane_waits(lane, &waits);
    metrics_head(out, "sluice_slow_lane_seconds", "histogram",
                 "How long large and costly requests waited for a worker thread.");
    metrics_histogram(out, "sluice_slow_lane_seconds",
                      &(struct metrics_histogram){ slow_lane_bounds_us, waits.counts,
                                                   SLOW_LANE_BUCKETS, waits.sum_us, 1e6 });
}

static enum handler_step answer_metrics(void *self, struct request *request,
                                        struct response *response)
{
    const struct metrics *metrics = self;
    struct buf *out = arena_buf(request->arena, OUTPUT_MAX);

    write_process(out, metrics);
    write_certificate(out, &metrics->options);
    write_requests(out, metrics);
    write_connection_failures(out, metrics);
    write_durations(out, metrics);
    write_events(out, metrics);
    if (metrics->options.lane)
        write_slow_lane(out, metrics->options.lane);
    write_schemas(out, metrics);
    if (metrics->options.outbox)
        metrics_write_store(out, metrics->options.outbox);
    if (metrics->options.pump_count > 0)
        metrics_write_attempts(out, metrics->options.pumps, metrics->options.pump_count);
    write_credentials(out, metrics);
    response->status = 200;
    response->body = buf_str(out);
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return HANDLER_DONE;
}

struct handler metrics_handler(struct metrics *metrics)
{
    return (struct handler){
        .path = "/metrics", .method = HANDLER_GET, .handle = answer_metrics, .self = metrics
    };
}
