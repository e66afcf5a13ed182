/*
 * serve.c - see serve.h.
 *
 * Main starts everything, then waits for signals and feeds the watchdog, then drains. After the
 * start and before the drain it never waits for the disk: housekeeping.c does.
 */
#include "server/serve.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/memory.h"
#include "base/regex.h"
#include "base/version.h"
#include "server/access_log.h"
#include "server/control.h"
#include "server/end_limit.h"
#include "server/housekeeping.h"
#include "server/http/failure.h"
#include "server/http/http.h"
#include "server/http/tls.h"
#include "server/listeners.h"
#include "server/reload.h"
#include "server/request_span.h"
#include "server/service.h"
#include "server/signals.h"
#include "server/systemd.h"

enum {
    DRAIN_US = 10 * US_PER_S, /* for requests in flight to be answered */
    FLUSH_US = 2 * US_PER_S,  /* for records to reach their sinks; the store keeps the rest */
    LAST_SPANS_US = US_PER_S, /* for a slow collector of traces */
    LAST_LINES_US = US_PER_S, /* for a slow reader of the log */
    END_US = 11 * US_PER_S,   /* for all of this together; then the process exits as it is */
    ADMIN_CONNECTIONS = 64,
    ADMIN_CONNECTIONS_EACH = 32, /* of one address, which may be a proxy's */
    ADMIN_IN_FLIGHT = 32,
    ADMIN_RATE = 200,                  /* requests a second */
    ADMIN_DEADLINE_US = 30 * US_PER_S, /* an order may run hundreds of events */
    WATCHDOG_SHARE = 4,                /* the watchdog is fed this often in its interval */
};

struct server {
    const char *path; /* of the configuration; NULL: the built-in defaults */
    struct config *config;
    struct service *service;
    struct metrics_counts *counts; /* shared by the services of all generations */
    struct systemd *systemd;
    struct http_tls *tls;  /* NULL: no TLS */
    struct tracer *tracer; /* NULL: nothing is traced */
    struct listeners listeners;
    struct http_network *proxies;
    struct slow_lane *lane;
    struct control_jobs *jobs;     /* NULL: no admin address */
    struct console_tokens *tokens; /* likewise */
    struct http *admin;            /* likewise */
    struct control *control;       /* NULL: neither store nor admin address */
    struct housekeeping *housekeeping;
    struct end_limit *end_limit;
    _Atomic(struct http *) http; /* NULL before its start and after its stop */
};

static size_t count_connections(void *self)
{
    struct server *server = self;
    struct http *http = atomic_load(&server->http);

    return http ? http_connections(http) : 0;
}

static size_t count_inflight_bytes(void *self)
{
    struct server *server = self;
    struct http *http = atomic_load(&server->http);

    return http ? http_inflight_bytes(http) : 0;
}

static bool lacks_memory(void *self)
{
    struct server *server = self;
    struct http *http = atomic_load(&server->http);

    return http && http_lacks_memory(http);
}

static int64_t certificate_expires_s(void *self)
{
    const struct server *server = self;

    return http_tls_expires_s(server->tls);
}

static void count_answer(void *self, const struct http_exchange_summary *summary)
{
    struct server *server = self;
    int unanswered = summary->end == HTTP_LATE ? METRICS_LATE : METRICS_GONE;

    metrics_count_request(server->counts, summary->path, summary->method,
                          summary->status ? summary->status : unanswered, summary->duration_us);
    metrics_note_trace(server->counts, summary->duration_us, summary->traceparent);
    if (server->tracer)
        request_span_add(server->tracer, summary, server->tls ? "https" : "http");
}

static void on_failure(void *self, const struct http_failure *failure)
{
    struct server *server = self;

    metrics_count_failure(server->counts, failure->tls, str_from_c(failure->reason));
    http_failure_log(failure);
}

static void log_answer(void *self, const struct http_exchange_summary *summary)
{
    (void)self;
    access_log(summary);
}

static bool start_tls(struct server *server, struct error *err)
{
    const struct config_tls *config = &server->config->http.tls;

    return !*config->cert_file ||
           http_tls_create(config->cert_file, config->key_file, &server->tls, err) ||
           fail_within(err, "http.tls");
}

static bool start_tracer(struct server *server, struct error *err)
{
    const struct config_tracing *config = &server->config->tracing;
    size_t count = config->headers.count + config->secret_headers.count;
    struct exporter_header *headers;
    bool ok;

    if (!*config->endpoint)
        return true;
    headers = mem_alloc_array(count + 1, sizeof(*headers));
    for (size_t i = 0; i < config->headers.count; i++)
        headers[i] = (struct exporter_header){ .name = config->headers.list[i].key,
                                               .value = config->headers.list[i].value };
    for (size_t i = 0; i < config->secret_headers.count; i++)
        headers[config->headers.count + i] =
            (struct exporter_header){ .name = config->secret_headers.list[i].key,
                                      .file = config->secret_headers.list[i].value };
    ok = tracer_create(&(struct tracer_options){ .exporter = { .endpoint = config->endpoint,
                                                               .headers = headers,
                                                               .header_count = count,
                                                               .ca_file = config->ca_file,
                                                               .service_name = config->service_name,
                                                               .version = SLUICE_VERSION },
                                                 .sample = config->sample },
                       &server->tracer, err);
    mem_free(headers);
    return ok;
}

static struct http_networks read_proxies(struct server *server)
{
    const struct config_strings *config = &server->config->http.trusted_proxies;
    struct http_networks networks = { 0 };

    server->proxies = mem_alloc_array(config->count, sizeof(server->proxies[0]));
    networks.list = server->proxies;
    for (size_t i = 0; i < config->count; i++)
        networks.count +=
            http_network_read(str_from_c(config->list[i]), &server->proxies[networks.count]);
    return networks;
}

static struct http_listener http_listener_of(const struct listener *listener,
                                             struct http_handlers handlers, struct http_tls *tls)
{
    return (struct http_listener){ listener->at.host, listener->at.port, handlers, tls,
                                   listener->socket };
}

static bool start_http(struct server *server, struct error *err)
{
    const struct listeners *listeners = &server->listeners;
    const struct config_http *config = &server->config->http;
    struct handler handlers[SERVICE_HANDLERS]; /* that of /metrics is the last */
    const struct http_handlers main_handlers = {
        handlers, (size_t)SERVICE_HANDLERS - (listeners->own_metrics || listeners->has_admin)
    };
    const struct http_handlers metrics_handlers = { &handlers[SERVICE_HANDLERS - 1], 1 };
    const struct http_listener list[] = {
        http_listener_of(&listeners->main, main_handlers, server->tls),
        http_listener_of(&listeners->metrics, metrics_handlers, NULL),
    };
    const struct http_options options = {
        .listeners = list,
        .listener_count = COUNT_OF(list) - !listeners->own_metrics,
        .threads = (unsigned)config->threads,
        .max_connections = (size_t)config->max_connections,
        .max_connections_per_address = (size_t)config->max_connections_per_address,
        .trusted_proxies = read_proxies(server),
        .proxy_protocol = config->proxy_protocol,
        .max_head = config->max_head,
        .max_body = config->max_body,
        .max_in_flight = (size_t)config->max_in_flight,
        .max_inflight_bytes = config->max_inflight_bytes,
        .deadline_us = config->deadline_us,
        .idle_timeout_us = config->idle_timeout_us,
        .rate_limit = (double)config->rate_limit,
        .tracer = server->tracer,
        .answering = count_answer,
        .answered = log_answer,
        .failed = on_failure,
        .self = server,
    };
    struct http *http;

    service_handlers(server->service, handlers);
    server->counts = metrics_counts(server->service->metrics);
    if (!http_start(&options, &http, err))
        return false;
    atomic_store(&server->http, http);
    return true;
}

/* Requests that operators make; those of probes and scrapers are counted as on the main address. */
static void count_admin_answer(void *self, const struct http_exchange_summary *summary)
{
    if (!str_starts_with(summary->path, STR("/api/")) &&
        !str_starts_with(summary->path, STR("/console")))
        count_answer(self, summary);
}

/*
 * A server of its own with one loop: whatever operators and their pages ask, the loops that serve
 * events do not notice.
 */
static bool start_admin(struct server *server, struct error *err)
{
    const struct config_http *config = &server->config->http;
    struct handler handlers[SERVICE_ADMIN_HANDLERS];
    const struct http_listener listener = http_listener_of(
        &server->listeners.admin, (struct http_handlers){ handlers, COUNT_OF(handlers) }, NULL);
    const struct http_options options = {
        .listeners = &listener,
        .listener_count = 1,
        .threads = 1,
        .max_connections = ADMIN_CONNECTIONS,
        .max_connections_per_address = ADMIN_CONNECTIONS_EACH,
        .max_head = config->max_head,
        .max_body = config->max_body,
        .max_in_flight = ADMIN_IN_FLIGHT,
        .max_inflight_bytes = config->max_inflight_bytes,
        .deadline_us = ADMIN_DEADLINE_US,
        .idle_timeout_us = config->idle_timeout_us,
        .rate_limit = ADMIN_RATE,
        .is_background = true,
        .answering = count_admin_answer,
        .answered = log_answer,
        .failed = on_failure,
        .self = server,
    };

    if (!server->listeners.has_admin)
        return true;
    service_admin_handlers(server->service, handlers);
    return http_start(&options, &server->admin, err) || fail_within(err, "admin.listen");
}

static void report_ready(const struct server *server)
{
    const struct listeners *listeners = &server->listeners;
    const struct config_store *store = &server->config->store;
    struct http *http = atomic_load(&server->http);
    const struct log_field fields[] = {
        LOG_STR("version", STR(SLUICE_VERSION)),
        LOG_STR("address", str_from_c(listeners->main.at.host)),
        LOG_INT("port", http_port(http, 0)),
        LOG_BOOL("tls", server->tls != NULL),
        listeners->has_admin
            ? LOG_INT("admin_port", http_port(server->admin, 0))
            : LOG_INT("metrics_port", listeners->own_metrics ? http_port(http, 1) : 0),
    };
    bool has_second = listeners->own_metrics || listeners->has_admin;

    log_write(LOG_INFO, "ready", fields, COUNT_OF(fields) - !has_second);
    systemd_notify(server->systemd, "READY=1");
    if (*store->path)
        LOG_EVENT(LOG_INFO, "store_open", LOG_STR("path", str_from_c(store->path)),
                  LOG_STR("sqlite", str_from_c(outbox_library_version())));
    /* Does PCRE2 compile patterns to machine code? Not under systemd's MemoryDenyWriteExecute=. */
    LOG_EVENT(LOG_INFO, "patterns", LOG_BOOL("jit", regex_has_jit()));
}

static void warn_of_lambda(void)
{
    const char *loss = config_lambda_loss();

    if (loss)
        LOG_EVENT(LOG_WARN, "lambda_loses_events", LOG_STR("reason", str_from_c(loss)));
}

/*
 * In the tutorial's status map most failures of the registry are answered 400, which EventBridge
 * does not retry. Only a quarantine keeps such events, and the server posts them again.
 */
static void warn_of_lost_events(const struct config *config)
{
    if (config->registry.kind != CONFIG_REGISTRY_GLUE ||
        config->status_map != STATUS_MAP_TUTORIAL ||
        (*config->store.path && config->store.quarantine.enabled))
        return;
    LOG_EVENT(
        LOG_WARN, "registry_failures_are_final",
        LOG_STR("reason",
                STR("while no schema version is known, most failures of AWS Glue are answered "
                    "400, and EventBridge does not send such an event again; without a "
                    "quarantine nothing keeps it either: set status_map: eventbridge, or "
                    "store.path with store.quarantine.enabled")));
}

/* The watchdog is fed only while every loop makes progress, not only main. */
static void feed_watchdog(struct server *server)
{
    if (systemd_watchdog_us(server->systemd) && http_is_turning(atomic_load(&server->http)))
        systemd_notify(server->systemd, "WATCHDOG=1");
}

static struct service_options service_options_of(struct server *server)
{
    return (struct service_options){
        .connections = count_connections,
        .inflight_bytes = count_inflight_bytes,
        .lacks_memory = lacks_memory,
        .certificate_expires_s = certificate_expires_s,
        .self = server,
        .lane = server->lane,
        .jobs = server->jobs,
        .tokens = server->tokens,
        .admin_host = server->listeners.admin.at.host,
        .tracer = server->tracer,
    };
}

static bool start_housekeeping(struct server *server, struct error *err)
{
    const struct housekeeping_options options = {
        .reload = {
            .path = server->path,
            .service = service_options_of(server),
            .listeners = &server->listeners,
            .http = atomic_load(&server->http),
            .admin = server->admin,
            .tls = server->tls,
        },
        .systemd = server->systemd,
        .control = server->control,
    };

    return housekeeping_start(&options, &(struct generation){ server->config, server->service },
                              &server->housekeeping, err);
}

static void wait_for_end(struct server *server)
{
    int64_t every_us = systemd_watchdog_us(server->systemd) / WATCHDOG_SHARE;
    int64_t fed_us = clock_monotonic_us();
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        number = signals_wait(every_us);
        if (number == SIGHUP)
            housekeeping_reload(server->housekeeping);
        if (every_us && clock_monotonic_us() - fed_us >= every_us) {
            fed_us = clock_monotonic_us();
            feed_watchdog(server);
        }
    }
    LOG_EVENT(LOG_INFO, "stopping",
              LOG_STR("signal", number == SIGTERM ? STR("SIGTERM") : STR("SIGINT")));
    systemd_notify(server->systemd, "STOPPING=1");
}

static bool start_delivery(const struct service *service, struct error *err)
{
    return !service->outbox ||
           (outbox_start(service->outbox, err) &&
            sinks_start(service->sinks, service->sink_set, service->outbox, err));
}

/* The sinks first: the outbox records what they have delivered. */
static void stop_delivery(const struct service *service, int64_t end_us)
{
    int64_t left_us = end_us - clock_monotonic_us();

    if (!service->outbox)
        return;
    sinks_stop(service->sinks, left_us < FLUSH_US ? left_us : FLUSH_US);
    outbox_stop(service->outbox);
}

static bool start_control(struct server *server, struct error *err)
{
    const struct config *config = server->config;
    const struct generation generation = { server->config, server->service };
    struct control_options options = {
        .store_path = config->store.path,
        .outbox = server->service->outbox,
        .target = housekeeping_target(&generation),
        .deadline_us = config->http.deadline_us,
        .where = { .port = http_port(atomic_load(&server->http), 0), .tls = server->tls != NULL },
        .jobs = server->jobs,
        .tokens = server->tokens,
    };

    memcpy(options.where.host, server->listeners.main.at.host, sizeof(options.where.host));
    if (server->admin) {
        memcpy(options.where.admin_host, server->listeners.admin.at.host,
               sizeof(options.where.admin_host));
        options.where.admin_port = http_port(server->admin, 0);
    }
    return (!*config->store.path && !server->jobs) ||
           control_start(&options, &server->control, err);
}

/* Threads that wake requests stop before the loop threads that serve them. */
static void stop_all(struct server *server, int64_t end_us)
{
    control_stop(server->control);
    housekeeping_stop(server->housekeeping);
    catalog_stop(server->service->catalog);
    slow_lane_stop(server->lane);
    stop_delivery(server->service, end_us);
    http_stop(server->admin);
    server->admin = NULL;
    http_stop(atomic_exchange(&server->http, NULL));
    tracer_stop(server->tracer, LAST_SPANS_US);
}

static void drain(struct server *server)
{
    struct http *http = atomic_load(&server->http);
    int64_t now_us = clock_monotonic_us();

    signals_exit_on_next();
    end_limit_set(server->end_limit, now_us + END_US); /* the freeze may wait for a reload */

    struct generation last = housekeeping_freeze(server->housekeeping);
    int64_t drain_delay_us = last.config->http.drain_delay_us;
    int64_t end_us = now_us + drain_delay_us + END_US;

    server->config = last.config;
    server->service = last.service;
    end_limit_set(server->end_limit, end_us);
    health_set_draining(server->service->health);
    clock_sleep(drain_delay_us);

    bool all_answered = http_drain(http, clock_monotonic_us() + DRAIN_US);

    stop_all(server, end_us);
    LOG_EVENT(all_answered ? LOG_INFO : LOG_WARN, "stopped", LOG_BOOL("drained", all_answered));
}

static bool start_all(struct server *server, struct error *err)
{
    if (!end_limit_create(&server->end_limit, err) || !start_tls(server, err) ||
        !start_tracer(server, err) ||
        !listeners_find(server->config, server->systemd, &server->listeners, err))
        return false;
    if (server->listeners.has_admin) {
        server->jobs = control_jobs_create();
        server->tokens = console_tokens_create();
    }

    const struct service_options options = service_options_of(server);

    if (!service_create(server->config, &options, &server->service, err))
        return false;
    housekeeping_warn(server->config);
    if (!start_delivery(server->service, err) || !service_start(server->service, NULL, err) ||
        !slow_lane_start(server->lane, err) || !start_http(server, err))
        return false;
    if (!start_admin(server, err)) {
        stop_all(server, clock_monotonic_us());
        return false;
    }
    if (catalog_start(server->service->catalog, err) && start_control(server, err) &&
        start_housekeeping(server, err))
        return true;
    stop_all(server, clock_monotonic_us());
    return false;
}

static void destroy_all(struct server *server)
{
    control_destroy(server->control);
    housekeeping_destroy(server->housekeeping);
    service_destroy(server->service);
    tracer_destroy(server->tracer);
    slow_lane_destroy(server->lane);
    control_jobs_destroy(server->jobs);
    console_tokens_destroy(server->tokens);
    config_destroy(server->config);
    http_tls_destroy(server->tls);
    mem_free(server->proxies);
    systemd_destroy(server->systemd);
    end_limit_destroy(server->end_limit); /* last: each of these may wait for the disk */
}

bool serve(const char *path, struct config *config, struct error *err)
{
    mem_prepare();
    housekeeping_log(&config->log);
    signals_block();
    if (!fetch_init(err) || !log_output_start(err)) {
        config_destroy(config);
        return false;
    }

    struct server server = {
        .path = path,
        .config = config,
        .systemd = systemd_create(),
        .lane = slow_lane_create(&(struct slow_lane_options){ 0 }),
    };
    bool ok = start_all(&server, err);

    if (ok) {
        mem_trim(); /* configuration and schemas leave much free memory */
        report_ready(&server);
        warn_of_lost_events(config);
        warn_of_lambda();
        wait_for_end(&server);
        drain(&server);
    }
    destroy_all(&server);
    log_output_stop(LAST_LINES_US);
    return ok;
}
