/*
 * cmd_serve.c - `sluice serve`: the server's life from configuration to exit.
 *
 * All signals are blocked before the first thread starts and awaited here, so nothing ever runs in
 * a signal handler, but for the second SIGTERM, which ends the process where it stands.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/memory.h"
#include "base/regex.h"
#include "base/version.h"
#include "server/access_log.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/control.h"
#include "server/end_limit.h"
#include "server/housekeeping.h"
#include "server/http/failure.h"
#include "server/http/http.h"
#include "server/http/tls.h"
#include "server/listeners.h"
#include "server/reload.h"
#include "server/service.h"
#include "server/systemd.h"

enum {
    MAX_LISTENERS = 2,
    DRAIN_US = 10 * US_PER_S,    /* what is in flight has this long to end */
    FLUSH_US = 2 * US_PER_S,     /* and what is accepted, to reach its sinks; the rest is kept */
    LAST_LINES_US = US_PER_S,    /* how long the end waits for a log that is not read */
    END_US = 11 * US_PER_S,      /* all of it together; then the process leaves as it is */
    SECOND_SIGNAL_US = US_PER_S, /* a signal that comes sooner after the first one is the same */
    WATCHDOG_SHARE = 4,          /* tell the watchdog so many times in its interval */
};

static const char usage_text[] =
    "Usage: sluice [serve] [-c FILE]\n"
    "\n"
    "Receive events on POST /events until SIGTERM or SIGINT; then finish what is in flight\n"
    "and exit with 0. A second signal, a second later or more, ends it at once. SIGHUP reads\n"
    "the configuration again.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Prints one JSON line per event of its own; the first, `ready`, names address and port.\n"
    "Exits with 3 when the configuration is bad, the store is in use, or the address cannot be\n"
    "listened on.\n";

/* What serving needs beside the service. */
struct serving {
    const char *path; /* of the configuration; NULL: the built-in defaults */
    struct config *config;
    struct service *service;
    struct metrics_counts *counts; /* of all services, one after the other */
    struct systemd *systemd;
    struct http_tls *tls; /* NULL: plain */
    struct places places;
    struct http_network *proxies;
    struct slow_lane *lane;
    struct control *control; /* NULL: no store */
    struct housekeeping *housekeeping;
    struct end_limit *end_limit;
    _Atomic(struct http *) http; /* NULL until it listens, and again when it is gone */
};

static size_t count_connections(void *self)
{
    struct serving *serving = self;
    struct http *http = atomic_load(&serving->http);

    return http ? http_connections(http) : 0;
}

static size_t count_inflight_bytes(void *self)
{
    struct serving *serving = self;
    struct http *http = atomic_load(&serving->http);

    return http ? http_inflight_bytes(http) : 0;
}

static bool lacks_memory(void *self)
{
    struct serving *serving = self;
    struct http *http = atomic_load(&serving->http);

    return http && http_lacks_memory(http);
}

static int64_t certificate_expires_s(void *self)
{
    const struct serving *serving = self;

    return http_tls_expires_s(serving->tls);
}

static void count_answer(void *self, const struct http_exchange_summary *summary)
{
    struct serving *serving = self;
    int unanswered = summary->end == HTTP_LATE ? METRICS_LATE : METRICS_GONE;

    metrics_count_request(serving->counts, summary->path, summary->method,
                          summary->status ? summary->status : unanswered, summary->duration_us);
}

static void note_failure(void *self, const struct http_failure *failure)
{
    struct serving *serving = self;

    metrics_count_failure(serving->counts, failure->tls, str_from_c(failure->reason));
    http_failure_log(failure);
}

static void log_answer(void *self, const struct http_exchange_summary *summary)
{
    (void)self;
    access_log(summary);
}

static bool start_tls(struct serving *serving, struct error *err)
{
    const struct config_tls *config = &serving->config->http.tls;

    return !*config->cert_file ||
           http_tls_create(config->cert_file, config->key_file, &serving->tls, err) ||
           fail_within(err, "http.tls");
}

static struct http_networks read_proxies(struct serving *serving)
{
    const struct config_strings *config = &serving->config->http.trusted_proxies;
    struct http_networks networks = { 0 };

    serving->proxies = mem_alloc_array(config->count, sizeof(serving->proxies[0]));
    networks.list = serving->proxies;
    for (size_t i = 0; i < config->count; i++)
        networks.count +=
            http_network_read(str_from_c(config->list[i]), &serving->proxies[networks.count]);
    return networks;
}

static bool start_http(struct serving *serving, struct error *err)
{
    const struct places *places = &serving->places;
    const struct config_http *config = &serving->config->http;
    struct handler
        handlers[SERVICE_HANDLERS]; /* /metrics last: it may have an address of its own */
    const struct http_listener listeners[MAX_LISTENERS] = {
        { places->listen.at.host,
          places->listen.at.port,
          { handlers, (size_t)SERVICE_HANDLERS - places->own_metrics },
          serving->tls,
          places->listen.socket },
        { places->metrics.at.host,
          places->metrics.at.port,
          { &handlers[SERVICE_HANDLERS - 1], 1 },
          NULL,
          places->metrics.socket },
    };
    struct http *http;

    service_handlers(serving->service, handlers);
    serving->counts = metrics_counts(serving->service->metrics);
    if (!http_start(
            &(struct http_options){
                .listeners = listeners,
                .listener_count = places->own_metrics ? 2 : 1,
                .threads = (unsigned)config->threads,
                .max_connections = (size_t)config->max_connections,
                .max_connections_per_address = (size_t)config->max_connections_per_address,
                .trusted_proxies = read_proxies(serving),
                .max_head = config->max_head,
                .max_body = config->max_body,
                .max_in_flight = (size_t)config->max_in_flight,
                .max_inflight_bytes = config->max_inflight_bytes,
                .deadline_us = config->deadline_us,
                .idle_timeout_us = config->idle_timeout_us,
                .rate_limit = (double)config->rate_limit,
                .answering = count_answer,
                .answered = log_answer,
                .failed = note_failure,
                .self = serving,
            },
            &http, err))
        return false;
    atomic_store(&serving->http, http);
    return true;
}

static void say_ready(const struct serving *serving)
{
    const struct places *places = &serving->places;
    struct http *http = atomic_load(&serving->http);
    const struct log_field fields[] = {
        LOG_STR("version", STR(SLUICE_VERSION)),
        LOG_STR("address", str_from_c(places->listen.at.host)),
        LOG_INT("port", http_port(http, 0)),
        LOG_BOOL("tls", serving->tls != NULL),
        LOG_INT("metrics_port", places->own_metrics ? http_port(http, 1) : 0),
    };

    log_write(LOG_INFO, "ready", fields, COUNT_OF(fields) - !places->own_metrics);
    systemd_tell(serving->systemd, "READY=1");
}

/*
 * In the tutorial's status map most failures of the registry are a 400, which EventBridge does not
 * retry. A quarantine keeps such an event, to be posted again by the server itself.
 */
static void warn_of_lost_events(const struct config *config)
{
    if (config->registry.kind != CONFIG_REGISTRY_GLUE ||
        config->status_map != CONFIG_STATUS_TUTORIAL ||
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

static sigset_t awaited_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

/* The watchdog is fed only while every loop makes progress, not only main. */
static void feed_watchdog(struct serving *serving)
{
    if (systemd_watchdog_us(serving->systemd) && http_is_turning(atomic_load(&serving->http)))
        systemd_tell(serving->systemd, "WATCHDOG=1");
}

/* The next of the awaited signals; -1: none in this time. */
static int next_signal(int64_t every_us)
{
    sigset_t set = awaited_signals();
    struct timespec patience = clock_timespec(every_us);

    for (;;) {
        int number = every_us ? sigtimedwait(&set, NULL, &patience) : sigwaitinfo(&set, NULL);

        if (number > 0 || errno == EAGAIN)
            return number;
    }
}

static struct service_options service_options_of(struct serving *serving)
{
    return (struct service_options){
        .connections = count_connections,
        .inflight_bytes = count_inflight_bytes,
        .lacks_memory = lacks_memory,
        .certificate_expires_s = certificate_expires_s,
        .self = serving,
        .lane = serving->lane,
    };
}

static bool start_housekeeping(struct serving *serving, struct error *err)
{
    const struct housekeeping_options options = {
        .reload = {
            .path = serving->path,
            .service = service_options_of(serving),
            .places = &serving->places,
            .http = atomic_load(&serving->http),
            .tls = serving->tls,
        },
        .systemd = serving->systemd,
        .control = serving->control,
    };

    return housekeeping_start(&options, &(struct force){ serving->config, serving->service },
                              &serving->housekeeping, err);
}

static void await_end(struct serving *serving)
{
    int64_t every_us = systemd_watchdog_us(serving->systemd) / WATCHDOG_SHARE;
    int64_t fed_us = clock_monotonic_us();
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        number = next_signal(every_us);
        if (number == SIGHUP)
            housekeeping_reload(serving->housekeeping);
        if (every_us && clock_monotonic_us() - fed_us >= every_us) {
            fed_us = clock_monotonic_us();
            feed_watchdog(serving);
        }
    }
    LOG_EVENT(LOG_INFO, "stopping",
              LOG_STR("signal", number == SIGTERM ? STR("SIGTERM") : STR("SIGINT")));
    systemd_tell(serving->systemd, "STOPPING=1");
}

static _Atomic int64_t first_signal_us;

/* Some callers send a signal twice, within microseconds: to the process and to its group. */
static void exit_at_once(int number)
{
    (void)number;
    if (clock_monotonic_us() - atomic_load(&first_signal_us) >= SECOND_SIGNAL_US)
        _exit(COMMAND_NO);
}

/* From here on a signal ends the process, unless it comes together with the first one. */
static void arm_second_signal(void)
{
    const struct sigaction action = { .sa_handler = exit_at_once, .sa_flags = SA_RESTART };
    sigset_t set;

    atomic_store(&first_signal_us, clock_monotonic_us());
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void wait_us(int64_t us)
{
    struct timespec left = clock_timespec(us);

    while (nanosleep(&left, &left) != 0)
        continue;
}

static bool start_delivery(const struct service *service, struct error *err)
{
    return !service->outbox || (outbox_start(service->outbox, err) &&
                                sinks_start(service->sinks, service->outbox, err));
}

/* The sinks first: what they have delivered is still to be written down. */
static void stop_delivery(const struct service *service, int64_t end_us)
{
    int64_t left_us = end_us - clock_monotonic_us();

    if (!service->outbox)
        return;
    sinks_stop(service->sinks, left_us < FLUSH_US ? left_us : FLUSH_US);
    outbox_stop(service->outbox);
}

static struct control_where where_of(const struct serving *serving)
{
    struct control_where where = { .port = http_port(atomic_load(&serving->http), 0),
                                   .tls = serving->tls != NULL };

    memcpy(where.host, serving->places.listen.at.host, sizeof(where.host));
    return where;
}

static bool start_control(struct serving *serving, struct error *err)
{
    const struct force force = { serving->config, serving->service };

    return !*serving->config->store.path ||
           control_start(
               &(struct control_options){
                   .store_path = serving->config->store.path,
                   .outbox = serving->service->outbox,
                   .target = housekeeping_target(&force),
                   .deadline_us = serving->config->http.deadline_us,
                   .where = where_of(serving),
               },
               &serving->control, err);
}

/* Those who may wake a request end before the loops that they would wake. */
static void stop_all(struct serving *serving, int64_t end_us)
{
    control_stop(serving->control);
    housekeeping_stop(serving->housekeeping);
    catalog_stop(serving->service->catalog);
    slow_lane_stop(serving->lane);
    stop_delivery(serving->service, end_us);
    http_stop(atomic_exchange(&serving->http, NULL));
}

/* What is in force now stays so until the end. */
static void take_force(struct serving *serving)
{
    struct force force = housekeeping_freeze(serving->housekeeping);

    serving->config = force.config;
    serving->service = force.service;
}

static void drain(struct serving *serving)
{
    struct http *http = atomic_load(&serving->http);
    int64_t now_us = clock_monotonic_us();

    arm_second_signal();
    end_limit_set(serving->end_limit, now_us + END_US, COMMAND_OK); /* a reload may take long */
    take_force(serving);

    int64_t end_us = now_us + serving->config->http.drain_delay_us + END_US;

    end_limit_set(serving->end_limit, end_us, COMMAND_OK);
    health_set_draining(serving->service->health);
    wait_us(serving->config->http.drain_delay_us);

    bool all_answered = http_drain(http, clock_monotonic_us() + DRAIN_US);

    stop_all(serving, end_us);
    LOG_EVENT(all_answered ? LOG_INFO : LOG_WARN, "stopped", LOG_BOOL("drained", all_answered));
}

static void say_store(const struct config_store *store)
{
    if (*store->path)
        LOG_EVENT(LOG_INFO, "store_open", LOG_STR("path", str_from_c(store->path)),
                  LOG_STR("sqlite", str_from_c(outbox_library_version())));
}

/* Whether PCRE2 makes machine code of patterns; systemd's MemoryDenyWriteExecute= forbids it. */
static void say_patterns(void)
{
    LOG_EVENT(LOG_INFO, "patterns", LOG_BOOL("jit", regex_has_jit()));
}

static bool serve(struct serving *serving, struct error *err)
{
    if (!places_find(serving->config, serving->systemd, &serving->places, err))
        return false;
    housekeeping_warn(serving->config);
    if (!start_delivery(serving->service, err) || !service_start(serving->service, NULL, err) ||
        !slow_lane_start(serving->lane, err) || !start_http(serving, err))
        return false;
    if (!catalog_start(serving->service->catalog, err) || !start_control(serving, err) ||
        !start_housekeeping(serving, err)) {
        stop_all(serving, clock_monotonic_us());
        return false;
    }
    say_ready(serving);
    say_store(&serving->config->store);
    say_patterns();
    warn_of_lost_events(serving->config);
    await_end(serving);
    drain(serving);
    return true;
}

/* Takes the configuration over. */
static int run(const char *path, struct config *config)
{
    struct serving serving = {
        .path = path,
        .config = config,
        .systemd = systemd_create(),
        .lane = slow_lane_create(&(struct slow_lane_options){ 0 }),
    };
    struct error err = { 0 };
    const struct service_options options = service_options_of(&serving);
    bool ok = end_limit_create(&serving.end_limit, &err) && start_tls(&serving, &err) &&
              service_create(config, &options, &serving.service, &err) && serve(&serving, &err);

    control_destroy(serving.control);
    housekeeping_destroy(serving.housekeeping);
    service_destroy(serving.service);
    slow_lane_destroy(serving.lane);
    config_destroy(serving.config);
    http_tls_destroy(serving.tls);
    mem_free(serving.proxies);
    systemd_destroy(serving.systemd);
    end_limit_destroy(serving.end_limit); /* last: any of these may wait for the disk */
    if (!ok)
        cli_complain("serve", err.text);
    return ok ? COMMAND_OK : COMMAND_ENVIRONMENT;
}

int cmd_serve(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text, .needs_files = true };
    struct cli cli;
    struct config *config;
    sigset_t signals = awaited_signals();
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    mem_prepare();
    housekeeping_log(&config->log);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file's limit is then an error like a full disk */
    if (!fetch_init(&err) || !log_output_start(&err)) {
        cli_complain("serve", err.text);
        config_destroy(config);
        return COMMAND_ENVIRONMENT;
    }
    status = run(cli.config_path, config);
    log_output_stop(LAST_LINES_US);
    return status;
}
