/*
 * housekeeping.c - see housekeeping.h.
 *
 * A reload builds the next generation without a lock, swaps it in under the mutex, and waits for
 * the last readers of the previous one after that. So housekeeping_freeze() waits for neither.
 */
#include "server/housekeeping.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/access_log.h"
#include "server/lint_watch.h"

enum {
    TICK_US = US_PER_S, /* between two looks at files */
    RETIRED_TICK_US =
        20 * US_PER_MS, /* between two looks at replaced services that are still in use */
    RETIRED_MAX = 4,    /* replaced services at a time; then the next reload waits */
};

struct housekeeping {
    struct housekeeping_options options;
    pthread_t thread;
    struct retired *retired; /* the thread's; main's after the thread has ended */
    struct lint_watch *lint; /* the thread's */
    bool sinks_change;       /* the thread's: pumps have to end or to start */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct generation current; /* changed by the thread only, which reads it without the mutex */
    bool reload_wanted;
    bool frozen;
    bool stopping;
};

struct control_target housekeeping_target(const struct generation *generation)
{
    return (struct control_target){
        .catalog = generation->service->catalog,
        .events = events_handler(generation->service->events),
        .max_batch = (size_t)generation->config->http.max_batch,
        .metrics = generation->service->metrics,
        .service = generation->service,
        .config = generation->config,
    };
}

void housekeeping_log(const struct config_log *config)
{
    log_configure(config->level, config->format);
    access_log_configure(config->client_address);
}

static void warn_of_clear_text(const char *risk)
{
    if (risk)
        LOG_EVENT(LOG_WARN, "clear_text", LOG_STR("reason", str_from_c(risk)));
}

void housekeeping_warn(const struct config *config)
{
    warn_of_clear_text(config_clear_text(config));
    warn_of_clear_text(config_admin_clear_text(config));
    for (size_t i = 1; i < config->route_count; i++) {
        size_t first = config_route_before(config, i);

        if (first < i)
            LOG_EVENT(LOG_WARN, "route_never_reached", LOG_INT("route", (int64_t)i),
                      LOG_INT("behind", (int64_t)first));
    }
    for (size_t i = 0; i < config->sink_count; i++)
        if (!config_feeds_sink(config, config->sinks[i].name))
            LOG_EVENT(LOG_WARN, "sink_never_reached",
                      LOG_STR("sink", str_from_c(config->sinks[i].name)));
}

/* Serve `next`. False: housekeeping_freeze() came first. */
static bool swap_in(struct housekeeping *housekeeping, const struct generation *next)
{
    const struct housekeeping_options *options = &housekeeping->options;

    (void)pthread_mutex_lock(&housekeeping->mutex);

    bool frozen = housekeeping->frozen;

    if (!frozen) {
        reload_swap(&options->reload, &housekeeping->current, next, &housekeeping->retired);
        if (options->control) {
            const struct control_target target = housekeeping_target(next);

            control_use(options->control, &target);
        }
        housekeeping_log(&next->config->log);
    }
    (void)pthread_mutex_unlock(&housekeeping->mutex);
    if (!frozen)
        epoch_wait(); /* from here on no request begins on the previous generation */
    return !frozen;
}

/* Look for mistakes in the routes that serve now. */
static void begin_lint(struct housekeeping *housekeeping)
{
    const struct generation *current = &housekeeping->current;

    lint_watch_destroy(housekeeping->lint);
    housekeeping->lint =
        lint_watch_create(current->config, current->service->routes, current->service->catalog);
    lint_watch_look(housekeeping->lint);
}

/* With the names of the sinks that are new, gone, or have other settings. */
static void log_reloaded(const struct config *config, const struct sink_changes *changes)
{
    const struct log_field names[] = {
        LOG_STR("sinks_added", changes->added),
        LOG_STR("sinks_removed", changes->removed),
        LOG_STR("sinks_changed", changes->changed),
    };
    struct log_field fields[1 + COUNT_OF(names)] = { LOG_STR("file", str_from_c(config->file)) };
    size_t count = 1;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].str.len > 0)
            fields[count++] = names[i];
    log_write(LOG_INFO, "reloaded", fields, count);
}

/* Of the next generation against the current one. */
static struct sink_changes compare_sinks(const struct housekeeping *housekeeping,
                                         const struct generation *next, struct arena *arena)
{
    const struct sink_set *set = next->service->sink_set;

    return set ? sink_set_compare(housekeeping->current.service->sink_set, set, arena)
               : (struct sink_changes){ 0 };
}

static bool tend_sinks(struct housekeeping *housekeeping)
{
    struct sinks *sinks = housekeeping->current.service->sinks;

    return !sinks || sinks_tend(sinks);
}

static void reload(struct housekeeping *housekeeping)
{
    struct metrics_counts *counts = metrics_counts(housekeeping->current.service->metrics);
    const struct housekeeping_options *options = &housekeeping->options;
    CLEANUP(arena_cleanup) struct arena *arena = arena_create();
    struct generation next = { 0 };
    struct sink_changes changes = { 0 };
    struct error err = { 0 };
    bool ok;

    systemd_notify_reloading(options->systemd);
    ok = reload_prepare(&options->reload, &housekeeping->current, &next, &err);
    if (ok)
        changes = compare_sinks(housekeeping, &next, arena);
    if (!ok) {
        metrics_count_reload(counts, false);
        LOG_EVENT(LOG_ERROR, "reload_failed", LOG_STR("error", str_from_c(err.text)));
    } else if (swap_in(housekeeping, &next)) {
        metrics_count_reload(counts, true);
        housekeeping->sinks_change = !tend_sinks(housekeeping);
        log_reloaded(next.config, &changes);
        housekeeping_warn(next.config);
        begin_lint(housekeeping);
    } else {
        generation_destroy(&next);
        return;
    }
    if (housekeeping->current.service->sinks)
        sinks_reopen(housekeeping->current.service->sinks);
    systemd_notify(options->systemd, "READY=1");
}

/* Destroy the replaced services that neither requests nor orders use; how many are left. */
static size_t release_retired(struct housekeeping *housekeeping)
{
    struct control *control = housekeeping->options.control;

    return control && control_lags(control) ? retired_count(housekeeping->retired)
                                            : retired_release(&housekeeping->retired);
}

/* Read again what has changed of certificate, secrets and keys. */
static void refresh_files(const struct housekeeping *housekeeping)
{
    const struct service *service = housekeeping->current.service;

    if (housekeeping->options.reload.tls)
        http_tls_refresh(housekeeping->options.reload.tls);
    if (service->auth)
        auth_refresh(service->auth);
    if (service->admin_auth)
        auth_refresh(service->admin_auth);
}

/* Wait for a request or the next tick. False: the thread must end. */
static bool wait_for_work(struct housekeeping *housekeeping)
{
    bool is_changing = housekeeping->retired || housekeeping->sinks_change;
    int64_t tick_us = is_changing ? RETIRED_TICK_US : TICK_US;
    const struct timespec until = clock_timespec(clock_monotonic_us() + tick_us);

    (void)pthread_mutex_lock(&housekeeping->mutex);
    if (!housekeeping->stopping && !housekeeping->reload_wanted)
        (void)pthread_cond_timedwait(&housekeeping->changed, &housekeeping->mutex, &until);

    bool stopping = housekeeping->stopping;

    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return !stopping;
}

static bool take_request(struct housekeeping *housekeeping)
{
    (void)pthread_mutex_lock(&housekeeping->mutex);

    bool wanted = housekeeping->reload_wanted;

    housekeeping->reload_wanted = false;
    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return wanted;
}

static void *housekeeping_run(void *self)
{
    struct housekeeping *housekeeping = self;
    int64_t refreshed_us = clock_monotonic_us();

    begin_lint(housekeeping);
    while (wait_for_work(housekeeping)) {
        if (clock_monotonic_us() - refreshed_us >= TICK_US) {
            refreshed_us = clock_monotonic_us();
            refresh_files(housekeeping);
            lint_watch_look(housekeeping->lint);
        }

        bool was_replaced = housekeeping->retired != NULL;
        size_t retired = release_retired(housekeeping);

        if (was_replaced && retired == 0)
            mem_trim(); /* a replaced service leaves much free memory */
        housekeeping->sinks_change = !tend_sinks(housekeeping);
        if (retired < RETIRED_MAX && take_request(housekeeping))
            reload(housekeeping);
    }
    lint_watch_destroy(housekeeping->lint);
    return NULL;
}

bool housekeeping_start(const struct housekeeping_options *options,
                        const struct generation *current, struct housekeeping **out,
                        struct error *err)
{
    struct housekeeping *housekeeping = mem_alloc(sizeof(*housekeeping));

    housekeeping->options = *options;
    housekeeping->current = *current;
    (void)pthread_mutex_init(&housekeeping->mutex, NULL);
    clock_init_condition(&housekeeping->changed);
    if (!thread_start(&housekeeping->thread, "housekeeping", housekeeping_run, housekeeping, err)) {
        housekeeping->stopping = true;
        housekeeping_destroy(housekeeping);
        return false;
    }
    *out = housekeeping;
    return true;
}

static void set(struct housekeeping *housekeeping, bool *flag)
{
    (void)pthread_mutex_lock(&housekeeping->mutex);
    *flag = true;
    (void)pthread_cond_signal(&housekeeping->changed);
    (void)pthread_mutex_unlock(&housekeeping->mutex);
}

void housekeeping_reload(struct housekeeping *housekeeping)
{
    set(housekeeping, &housekeeping->reload_wanted);
}

struct generation housekeeping_freeze(struct housekeeping *housekeeping)
{
    (void)pthread_mutex_lock(&housekeeping->mutex);
    housekeeping->frozen = true;

    struct generation current = housekeeping->current;

    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return current;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
    if (!housekeeping || housekeeping->stopping) /* set by main only */
        return;
    set(housekeeping, &housekeeping->stopping);
    (void)pthread_join(housekeeping->thread, NULL);
    retired_stop(housekeeping->retired);
}

void housekeeping_destroy(struct housekeeping *housekeeping)
{
    if (!housekeeping)
        return;
    housekeeping_stop(housekeeping);
    retired_destroy(housekeeping->retired);
    (void)pthread_cond_destroy(&housekeeping->changed);
    (void)pthread_mutex_destroy(&housekeeping->mutex);
    mem_free(housekeeping);
}
