/*
 * cmd_serve.c - `sluice serve`: the server's life from configuration to exit.
 *
 * All signals are blocked before the first thread starts and awaited here, so nothing ever runs in
 * a signal handler, but for the second SIGTERM, which ends the process where it stands.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_output.h"
#include "server/access_log.h"
#include "server/cli.h"
#include "server/commands.h"
#include "server/http.h"
#include "server/http_library.h"
#include "server/service.h"
#include "server/version.h"

enum {
    MAX_LISTENERS = 2,
    DRAIN_US = 10 * 1000000, /* what is in flight has this long to end */
    LAST_LINES_US = 1000000, /* how long the end waits for a log that is not read */
    HANDLER_COUNT = 5,
};

static const char usage_text[] =
    "Usage: sluice [serve] [-c FILE]\n"
    "\n"
    "Receive events on POST /events until SIGTERM or SIGINT; then finish what is in flight\n"
    "and exit with 0. A second signal ends it at once.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "  -h, --help         this text\n"
    "\n"
    "Prints one JSON line per event of its own; the first, `ready`, names address and port.\n"
    "Exits with 3 when the configuration is bad or the address cannot be listened on.\n";

/* What serving needs beside the service. */
struct serving {
    const struct config *config;
    struct service *service;
    _Atomic(struct http *) http; /* NULL until it listens, and again when it is gone */
};

static size_t count_connections(void *self)
{
    struct serving *serving = self;
    struct http *http = atomic_load(&serving->http);

    return http ? http_connections(http) : 0;
}

static void count_answer(void *self, const struct http_exchange_summary *summary)
{
    struct serving *serving = self;

    metrics_count_request(serving->service->metrics, summary->path, summary->method,
                          summary->status, summary->duration_us);
}

static void log_answer(void *self, const struct http_exchange_summary *summary)
{
    (void)self;
    access_log(summary);
}

static bool start_http(struct serving *serving, struct error *err)
{
    const struct config_http *config = &serving->config->http;
    const struct service *service = serving->service;
    const struct handler handlers[HANDLER_COUNT] = {
        events_handler(service->events),      health_root_handler(service->health),
        health_live_handler(service->health), health_ready_handler(service->health),
        metrics_handler(service->metrics), /* last: not on `listen` when it has its own address */
    };
    bool own_metrics = config->metrics_listen.text[0] != '\0';
    const struct http_listener listeners[MAX_LISTENERS] = {
        { config->listen.host, config->listen.port, handlers, HANDLER_COUNT - own_metrics },
        { config->metrics_listen.host, config->metrics_listen.port, &handlers[HANDLER_COUNT - 1],
          1 },
    };
    struct http *http;

    if (!http_start(
            &(struct http_options){
                .listeners = listeners,
                .listener_count = own_metrics ? 2 : 1,
                .threads = (unsigned)config->threads,
                .max_connections = (size_t)config->max_connections,
                .max_connections_per_address = (size_t)config->max_connections_per_address,
                .max_body = config->max_body,
                .max_in_flight = (size_t)config->max_in_flight,
                .max_inflight_bytes = config->max_inflight_bytes,
                .deadline_us = config->deadline_us,
                .idle_timeout_us = config->idle_timeout_us,
                .rate_limit = (double)config->rate_limit,
                .answering = count_answer,
                .answered = log_answer,
                .self = serving,
            },
            &http, err))
        return false;
    atomic_store(&serving->http, http);
    return true;
}

static void say_ready(const struct serving *serving)
{
    const struct config_http *config = &serving->config->http;
    struct http *http = atomic_load(&serving->http);
    bool own_metrics = config->metrics_listen.text[0] != '\0';
    const struct log_field fields[] = {
        LOG_STR("version", STR(SLUICE_VERSION)),
        LOG_STR("address", str_from_c(config->listen.host)),
        LOG_INT("port", http_port(http, 0)),
        LOG_BOOL("tls", false),
        LOG_INT("metrics_port", own_metrics ? http_port(http, 1) : 0),
    };

    log_write(LOG_INFO, "ready", fields, COUNT_OF(fields) - !own_metrics);
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

static void await_end(void)
{
    sigset_t set = awaited_signals();
    int number = 0;

    for (;;) {
        if (sigwait(&set, &number) != 0)
            continue;
        if (number != SIGHUP)
            break;
        LOG_EVENT(LOG_WARN, "reload_refused",
                  LOG_STR("reason", STR("this version reads its configuration only at the start")));
    }
    LOG_EVENT(LOG_INFO, "stopping",
              LOG_STR("signal", number == SIGTERM ? STR("SIGTERM") : STR("SIGINT")));
}

static void exit_at_once(int number)
{
    (void)number;
    _exit(COMMAND_NO);
}

/* From here on a signal ends the process. */
static void arm_second_signal(void)
{
    const struct sigaction action = { .sa_handler = exit_at_once };
    sigset_t set;

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

static void drain(struct serving *serving)
{
    struct http *http = atomic_load(&serving->http);

    arm_second_signal();
    health_set_draining(serving->service->health);
    wait_us(serving->config->http.drain_delay_us);

    bool all_answered = http_drain(http, clock_monotonic_us() + DRAIN_US);

    catalog_stop(serving->service->catalog); /* before those it would wake are gone */
    atomic_store(&serving->http, NULL);
    http_stop(http);
    LOG_EVENT(all_answered ? LOG_INFO : LOG_WARN, "stopped", LOG_BOOL("drained", all_answered));
}

/* A library that a stranger can crash may only be reached from this machine. */
static bool check_library(const struct config_http *config, struct error *err)
{
    const char *version = http_library_version();

    if (http_library_is_safe(version))
        return true;
    if (!config->listen.loopback && !config->accept_unsafe_library)
        return fail(
            err, ERR_CONFIG,
            "libmicrohttpd %s can be crashed by one request of anybody: listen on loopback, "
            "install 1.0.10 or newer, or set http.accept_unsafe_library: true",
            version);
    LOG_EVENT(LOG_WARN, "unsafe_library", LOG_STR("libmicrohttpd", str_from_c(version)));
    return true;
}

static bool serve(struct serving *serving, struct error *err)
{
    if (!check_library(&serving->config->http, err) || !start_http(serving, err))
        return false;
    if (!catalog_start(serving->service->catalog, err)) {
        catalog_stop(serving->service->catalog);
        http_stop(atomic_exchange(&serving->http, NULL));
        return false;
    }
    say_ready(serving);
    await_end();
    drain(serving);
    return true;
}

static int run(const struct config *config)
{
    struct serving serving = { .config = config };
    struct error err = { 0 };
    const struct service_options options = { count_connections, &serving };

    if (!service_create(config, &options, &serving.service, &err)) {
        cli_complain("serve", err.text);
        return COMMAND_ENVIRONMENT;
    }

    bool ok = serve(&serving, &err);

    service_destroy(serving.service);
    if (!ok)
        cli_complain("serve", err.text);
    return ok ? COMMAND_OK : COMMAND_ENVIRONMENT;
}

int cmd_serve(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text };
    struct cli cli;
    struct config *config;
    sigset_t signals = awaited_signals();
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(config->log.level, config->log.format);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (!log_output_start(&err)) {
        cli_complain("serve", err.text);
        config_destroy(config);
        return COMMAND_ENVIRONMENT;
    }
    status = run(config);
    log_output_stop(LAST_LINES_US);
    config_destroy(config);
    return status;
}
