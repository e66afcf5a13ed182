/*
 * metrics.c - see metrics.h.
 *
 * All label values come from fixed sets, so that a sender cannot create series. The series of
 * outcomes exist from the start, those of requests from the first request of their kind.
 */
#include "handlers/metrics.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/flat.h"
#include "base/memory.h"
#include "base/process_usage.h"
#include "handlers/metrics_internal.h"

static const char *const paths[] = { "/events", "/", "/healthz", "/readyz", "/metrics", "other" };
static const char *const tls_failures[] = { "alert",       "closed",      "late",     "not_tls",
                                            "server_name", "unsupported", "malformed" };
static const char *const http_failures[] = { "late",    "not_http",     "too_long",
                                             "version", "proxy_header", "malformed" };
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

/* The upper bounds of the duration histogram. */
static const int64_t duration_bounds_us[] = {
    50,    100,    250,    500,    1000,    2500,    5000,    10000,     25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, INT64_MAX,
};

enum {
    OUTPUT_MAX = 64 * 1024 * 1024, /* thousands of routes have 2 KB each */
    FAST_ROUTES_MAX = 100,         /* with more of them a worker makes the page */
};

struct metrics_counts {
    counter requests[COUNT_OF(paths)][COUNT_OF(methods)][COUNT_OF(statuses)];
    counter durations[COUNT_OF(duration_bounds_us)];
    counter duration_sum_us;
    struct exemplars duration_exemplars;
    counter tls_failures[COUNT_OF(tls_failures)];
    counter http_failures[COUNT_OF(http_failures)];
    counter reloads[2]; /* failed, succeeded */
    struct metrics_events *events;
    int64_t started_us;
    size_t owners; /* metrics that share these counts; used by the thread that creates them */
};

struct metrics {
    struct metrics_options options;
    struct metrics_counts *counts;
    struct metrics_route **routes; /* by the number of a route; the first: no route */
};

static struct metrics_counts *create_counts(void)
{
    struct metrics_counts *counts = mem_alloc(sizeof(*counts));

    counts->events = metrics_events_create();
    exemplars_init(&counts->duration_exemplars);
    counts->started_us = clock_now_us();
    return counts;
}

struct metrics *metrics_create(const struct metrics_options *options)
{
    struct metrics *metrics = mem_alloc(sizeof(*metrics));

    metrics->options = *options;
    metrics->options.route_names = NULL; /* borrowed for this call only */
    metrics->counts = options->predecessor ? options->predecessor->counts : create_counts();
    metrics->counts->owners++;
    metrics->routes = mem_alloc_array(options->route_count + 1, sizeof(struct metrics_route *));
    metrics->routes[0] = metrics_events_route(metrics->counts->events, STR(""));
    for (size_t i = 0; i < options->route_count; i++)
        metrics->routes[i + 1] =
            metrics_events_route(metrics->counts->events, str_from_c(options->route_names[i]));
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (!metrics)
        return;
    if (--metrics->counts->owners == 0) {
        metrics_events_destroy(metrics->counts->events);
        exemplars_done(&metrics->counts->duration_exemplars);
        mem_free(metrics->counts);
    }
    mem_free(metrics->routes);
    mem_free(metrics);
}

struct metrics_counts *metrics_counts(struct metrics *metrics)
{
    return metrics->counts;
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

static size_t bucket_of(int64_t duration_us)
{
    size_t bucket = 0;

    while (duration_us > duration_bounds_us[bucket])
        bucket++;
    return bucket;
}

void metrics_note_trace(struct metrics_counts *counts, int64_t duration_us, struct str traceparent)
{
    if (traceparent.ptr)
        exemplars_note(&counts->duration_exemplars, bucket_of(duration_us), duration_us,
                       traceparent);
}

void metrics_count_request(struct metrics_counts *counts, struct str path, struct str method,
                           int status, int64_t duration_us)
{
    size_t bucket = bucket_of(duration_us);

    metrics_add(&counts->requests[find_name(paths, COUNT_OF(paths), path)][find_name(
                    methods, COUNT_OF(methods), method)][find_status(status)],
                1);
    metrics_add(&counts->durations[bucket], 1);
    metrics_add(&counts->duration_sum_us, (uint64_t)duration_us);
}

void metrics_count_failure(struct metrics_counts *counts, bool tls, struct str reason)
{
    if (tls)
        metrics_add(&counts->tls_failures[find_name(tls_failures, COUNT_OF(tls_failures), reason)],
                    1);
    else
        metrics_add(
            &counts->http_failures[find_name(http_failures, COUNT_OF(http_failures), reason)], 1);
}

void metrics_count_event(struct metrics *metrics, const struct metrics_event *event)
{
    size_t number = event->route_number <= metrics->options.route_count ? event->route_number : 0;

    if (event->is_replay)
        metrics_events_count_replay(metrics->counts->events, event->condition);
    else
        metrics_events_count(metrics->routes[number], event->condition, event->age_us);
}

void metrics_count_reload(struct metrics_counts *counts, bool succeeded)
{
    metrics_add(&counts->reloads[succeeded], 1);
}

/* The page. */

static void write_connection_failures(struct metrics_page *page, const struct metrics *metrics)
{
    metrics_head(page, "sluice_tls_handshake_failures_total", "counter",
                 "TLS handshakes that did not come to their end.");
    for (size_t i = 0; i < COUNT_OF(tls_failures); i++)
        buf_printf(page->out, "sluice_tls_handshake_failures_total{reason=\"%s\"} %" PRIu64 "\n",
                   tls_failures[i], metrics_get(&metrics->counts->tls_failures[i]));
    metrics_head(page, "sluice_http_not_understood_total", "counter",
                 "What came on connections and is no request.");
    for (size_t i = 0; i < COUNT_OF(http_failures); i++)
        buf_printf(page->out, "sluice_http_not_understood_total{reason=\"%s\"} %" PRIu64 "\n",
                   http_failures[i], metrics_get(&metrics->counts->http_failures[i]));
}

/* The series of one path and method: one line per status that was sent. */
static void write_requests_of(struct metrics_page *page, const struct metrics *metrics, size_t path,
                              size_t method)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        uint64_t count = metrics_get(&metrics->counts->requests[path][method][i]);

        if (count > 0)
            buf_printf(page->out,
                       "sluice_http_requests_total{path=\"%s\",method=\"%s\",status=\"%s\"} "
                       "%" PRIu64 "\n",
                       paths[path], methods[method], statuses[i].label, count);
    }
}

static void write_requests(struct metrics_page *page, const struct metrics *metrics)
{
    metrics_head(page, "sluice_http_requests_total", "counter",
                 "Requests answered, cut (late) or left by their senders (gone).");
    for (size_t path = 0; path < COUNT_OF(paths); path++)
        for (size_t method = 0; method < COUNT_OF(methods); method++)
            write_requests_of(page, metrics, path, method);
}

static void write_durations(struct metrics_page *page, const struct metrics *metrics)
{
    uint64_t counts[COUNT_OF(duration_bounds_us)];
    struct exemplar exemplars[EXEMPLARS_MAX];

    exemplars_read(&metrics->counts->duration_exemplars, exemplars);
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        counts[i] = metrics_get(&metrics->counts->durations[i]);
    metrics_head(page, "sluice_http_request_duration_seconds", "histogram",
                 "From the first byte of a request to its answer.");
    metrics_histogram(page, "sluice_http_request_duration_seconds", "",
                      &(struct metrics_histogram){ duration_bounds_us, counts, COUNT_OF(counts),
                                                   metrics_get(&metrics->counts->duration_sum_us),
                                                   1e6, exemplars });
}

static void write_traces(struct metrics_page *page, const struct metrics *metrics)
{
    struct tracer_counts counts;

    if (!metrics->options.tracer)
        return;
    counts = tracer_counts(metrics->options.tracer);
    metrics_head(page, "sluice_traces_exported_total", "counter",
                 "Spans that the collector has taken.");
    buf_printf(page->out, "sluice_traces_exported_total %" PRIu64 "\n", counts.exported);
    metrics_head(page, "sluice_traces_dropped_total", "counter",
                 "Spans that it did not take, or for which there was no room.");
    buf_printf(page->out, "sluice_traces_dropped_total %" PRIu64 "\n", counts.dropped);
}

static void write_reloads(struct metrics_page *page, const struct metrics *metrics)
{
    metrics_head(page, "sluice_reloads_total", "counter",
                 "Reloads of the configuration, by whether it is in force.");
    buf_printf(page->out, "sluice_reloads_total{result=\"ok\"} %" PRIu64 "\n",
               metrics_get(&metrics->counts->reloads[true]));
    buf_printf(page->out, "sluice_reloads_total{result=\"error\"} %" PRIu64 "\n",
               metrics_get(&metrics->counts->reloads[false]));
}

/*
 * Add `name{registry="...",schema="..."`, without the closing brace. The names have no control
 * characters (checked by the configuration), so JSON's escapes are valid in Prometheus' format.
 */
static void open_labels(struct metrics_page *page, const char *name,
                        const struct catalog_status *status)
{
    buf_add(page->out, str_from_c(name));
    buf_add(page->out, STR("{registry="));
    json_write_string(page->out, str_from_c(status->registry));
    buf_add(page->out, STR(",schema="));
    json_write_string(page->out, str_from_c(status->schema));
}

static void write_schema_info(struct metrics_page *page, const struct catalog_status *status)
{
    if (!status->usable)
        return;
    open_labels(page, "sluice_schema_info", status);
    buf_printf(page->out, ",version=\"%s\"} 1\n", status->version);
}

static void write_schema_age(struct metrics_page *page, const struct catalog_status *status)
{
    if (!status->usable)
        return;
    open_labels(page, "sluice_schema_age_seconds", status);
    buf_printf(page->out, "} %.3f\n", (double)status->age_us / 1e6);
}

static void write_schema_refreshes(struct metrics_page *page, const struct catalog_status *status)
{
    open_labels(page, "sluice_schema_refreshes_total", status);
    buf_printf(page->out, ",result=\"ok\"} %" PRIu64 "\n", status->refreshed);
    open_labels(page, "sluice_schema_refreshes_total", status);
    buf_printf(page->out, ",result=\"error\"} %" PRIu64 "\n", status->failed);
    open_labels(page, "sluice_schema_refreshes_total", status);
    buf_printf(page->out, ",result=\"held\"} %" PRIu64 "\n", status->held);
}

static void write_guard_refusals(struct metrics_page *page, const struct catalog_status *status)
{
    open_labels(page, "sluice_schema_guard_refusals_total", status);
    buf_printf(page->out, "} %" PRIu64 "\n", status->guard_refusals);
}

static void write_shadows(struct metrics_page *page, struct catalog *catalog)
{
    struct catalog_shadow_status shadow;

    if (catalog_shadow_count(catalog) == 0)
        return;
    metrics_head(page, "sluice_shadow_events_total", "counter",
                 "Events by what the shadow schema of their route says beside the live one.");
    for (size_t i = 0; i < catalog_shadow_count(catalog); i++) {
        catalog_shadow_status(catalog, i, &shadow);
        for (enum shadow_verdict j = 0; j < SHADOW_VERDICTS; j++)
            buf_printf(page->out,
                       "sluice_shadow_events_total{route=\"%s\",verdict=\"%s\"} %" PRIu64 "\n",
                       shadow.route, shadow_verdict_name(j), shadow.totals[j]);
    }
}

static void write_each_schema(struct metrics_page *page, const struct metrics *metrics,
                              void (*write)(struct metrics_page *, const struct catalog_status *))
{
    struct catalog_status status;

    for (size_t i = 0; i < catalog_count(metrics->options.catalog); i++) {
        catalog_status(metrics->options.catalog, i, &status);
        write(page, &status);
    }
}

static void write_schemas(struct metrics_page *page, const struct metrics *metrics)
{
    metrics_head(page, "sluice_schema_info", "gauge", "The live version of each schema.");
    write_each_schema(page, metrics, write_schema_info);
    metrics_head(page, "sluice_schema_age_seconds", "gauge",
                 "Since the registry last confirmed the live version.");
    write_each_schema(page, metrics, write_schema_age);
    metrics_head(page, "sluice_schema_refreshes_total", "counter", "Looks at the registry.");
    write_each_schema(page, metrics, write_schema_refreshes);
    metrics_head(page, "sluice_schema_guard_refusals_total", "counter",
                 "New versions that would have refused events accepted of late.");
    write_each_schema(page, metrics, write_guard_refusals);
    write_shadows(page, metrics->options.catalog);
}

static void write_credentials(struct metrics_page *page, const struct metrics *metrics)
{
    if (!metrics->options.credential_expiry)
        return;
    metrics_head(page, "sluice_aws_credential_expiry_timestamp_seconds", "gauge",
                 "When the AWS credentials in use expire, since 1970; 0: never.");
    buf_printf(page->out, "sluice_aws_credential_expiry_timestamp_seconds %" PRId64 "\n",
               metrics->options.credential_expiry(metrics->options.session));
}

static void write_process_usage(struct metrics_page *page, const struct metrics *metrics)
{
    struct process_usage usage;

    process_usage_read(&usage);

    const struct {
        const char *name;
        const char *type;
        double value;
        const char *help;
    } rows[] = {
        { "process_cpu_seconds_total", "counter", usage.cpu_seconds, "CPU time used." },
        { "process_resident_memory_bytes", "gauge", usage.resident_bytes, "Memory in use." },
        { "process_virtual_memory_bytes", "gauge", usage.virtual_bytes, "Address space." },
        { "process_open_fds", "gauge", usage.open_fds, "Open file descriptors." },
        { "process_max_fds", "gauge", usage.max_fds, "The most of them." },
        { "process_start_time_seconds", "gauge", (double)metrics->counts->started_us / US_PER_S,
          "When the process started, since 1970." },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        metrics_head(page, rows[i].name, rows[i].type, rows[i].help);
        buf_printf(page->out, "%s %.15g\n", rows[i].name, rows[i].value);
    }
}

static void write_process(struct metrics_page *page, const struct metrics *metrics)
{
    metrics_head(page, "sluice_build_info", "gauge", "The running version.");
    buf_printf(page->out, "sluice_build_info{version=\"%s\"} 1\n", metrics->options.version);
    metrics_head(page, "sluice_ready", "gauge", "1 while /readyz answers 200.");
    buf_printf(page->out, "sluice_ready %d\n", health_is_ready(metrics->options.health));
    metrics_head(page, "sluice_http_connections", "gauge", "Connections that are open now.");
    buf_printf(page->out, "sluice_http_connections %zu\n",
               metrics->options.connections(metrics->options.self));
    metrics_head(page, "sluice_inflight_bytes", "gauge",
                 "Memory held by bodies that have come and are not answered.");
    buf_printf(page->out, "sluice_inflight_bytes %zu\n",
               metrics->options.inflight_bytes(metrics->options.self));
}

static void write_certificate(struct metrics_page *page, const struct metrics_options *options)
{
    int64_t expires_s =
        options->certificate_expires_s ? options->certificate_expires_s(options->self) : 0;

    if (!expires_s)
        return;
    metrics_head(page, "sluice_tls_certificate_expiry_timestamp_seconds", "gauge",
                 "When the server's certificate expires.");
    buf_printf(page->out, "sluice_tls_certificate_expiry_timestamp_seconds %" PRId64 "\n",
               expires_s);
}

static void write_slow_lane(struct metrics_page *page, struct slow_lane *lane)
{
    struct slow_lane_waits waits;

    slow_lane_waits(lane, &waits);
    metrics_head(page, "sluice_slow_lane_seconds", "histogram",
                 "How long large and costly requests waited for a worker thread.");
    metrics_histogram(page, "sluice_slow_lane_seconds", "",
                      &(struct metrics_histogram){ slow_lane_bounds_us, waits.counts,
                                                   SLOW_LANE_BUCKETS, waits.sum_us, 1e6, NULL });
}

static void write_page(struct metrics_page *page, const struct metrics *metrics)
{
    write_process(page, metrics);
    write_process_usage(page, metrics);
    write_certificate(page, &metrics->options);
    write_reloads(page, metrics);
    write_traces(page, metrics);
    write_requests(page, metrics);
    write_connection_failures(page, metrics);
    write_durations(page, metrics);
    metrics_write_events(page, metrics->counts->events);
    if (metrics->options.lane)
        write_slow_lane(page, metrics->options.lane);
    write_schemas(page, metrics);
    if (metrics->options.outbox)
        metrics_write_store(page, metrics->options.outbox);
    if (metrics->options.pump_count > 0)
        metrics_write_attempts(page, metrics->options.pumps, metrics->options.pump_count);
    write_credentials(page, metrics);
    if (page->is_open)
        buf_add(page->out, STR("# EOF\n"));
}

static enum handler_step answer_page(const struct metrics_page *page, struct response *response)
{
    response->status = page->out->overflow ? 500 : 200;
    response->body = page->out->overflow ? STR("# The page is too long.\n") : buf_str(page->out);
    response->content_type = page->is_open
                                 ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8";
    return HANDLER_DONE;
}

/* A page that a worker of the slow lane makes. */
struct page_work {
    struct slow_lane_job job;
    const struct metrics *metrics;
    struct request *request; /* detached; its arena holds all of this */
    struct metrics_page page;
};

static void make_page(struct slow_lane_job *job)
{
    struct page_work *work = CONTAINER_OF(job, struct page_work, job);

    write_page(&work->page, work->metrics);
}

static void release_page(struct slow_lane_job *job)
{
    struct request *request = CONTAINER_OF(job, struct page_work, job)->request;

    request->release(request);
}

static void abandon_page(void *self)
{
    struct page_work *work = self;

    if (slow_lane_abandon(work->metrics->options.lane, &work->job))
        release_page(&work->job);
}

/*
 * If the lane takes no more work, or does not do it in time, the page is made here: it is needed
 * most when there is too much to do.
 */
static enum handler_step make_slowly(const struct metrics *metrics, struct request *request,
                                     bool is_open, struct response *response)
{
    struct request *detached = request->detach(request);
    struct page_work *work = arena_alloc(detached->arena, sizeof(*work));

    work->metrics = metrics;
    work->request = detached;
    work->page = (struct metrics_page){ arena_buf(detached->arena, OUTPUT_MAX), is_open };
    work->job.sender = detached->sender;
    work->job.waker = detached->waker;
    work->job.run = make_page;
    work->job.release = release_page;
    arena_own(request->arena, work, abandon_page);
    request->state = work;
    if (slow_lane_add(metrics->options.lane, &work->job))
        return HANDLER_WAIT;
    write_page(&work->page, metrics);
    return answer_page(&work->page, response);
}

static enum handler_step make_here(const struct metrics *metrics, struct request *request,
                                   bool is_open, struct response *response)
{
    struct metrics_page page = { arena_buf(request->arena, OUTPUT_MAX), is_open };

    write_page(&page, metrics);
    return answer_page(&page, response);
}

static enum handler_step answer_metrics(void *self, struct request *request,
                                        struct response *response)
{
    const struct metrics *metrics = self;
    bool is_open = metrics_wants_open(request->header(request->connection, "Accept"));

    if (metrics->options.route_count > FAST_ROUTES_MAX && metrics->options.lane && request->detach)
        return make_slowly(metrics, request, is_open, response);
    return make_here(metrics, request, is_open, response);
}

static enum handler_step resume_metrics(void *self, struct request *request,
                                        struct response *response, enum resume_reason reason)
{
    const struct page_work *work = request->state;

    if (slow_lane_is_finished(&work->job))
        return answer_page(&work->page, response);
    if (reason != HANDLER_EXPIRED)
        return HANDLER_WAIT;
    return make_here(self, request, work->page.is_open, response);
}

void metrics_write_state(const struct metrics *metrics, struct buf *out)
{
    const struct metrics_options *options = &metrics->options;

    buf_printf(out, "{\"ready\":%s,\"connections\":%zu,\"inflight_bytes\":%zu",
               health_is_ready(options->health) ? "true" : "false",
               options->connections(options->self), options->inflight_bytes(options->self));
    metrics_events_state(out, metrics->counts->events);
    if (options->outbox)
        metrics_store_state(out, options->outbox, options->pumps, options->pump_count);
    buf_add_char(out, '}');
}

void metrics_read(const struct metrics *metrics, const struct metrics_reader *reader)
{
    metrics_events_read(metrics->counts->events, reader);
    if (metrics->options.outbox)
        metrics_store_read(metrics->options.outbox, reader);
}

struct handler metrics_handler(struct metrics *metrics)
{
    return (struct handler){ .path = "/metrics",
                             .method = HANDLER_GET,
                             .handle = answer_metrics,
                             .resume = resume_metrics,
                             .self = metrics,
                             .is_quiet = true };
}
