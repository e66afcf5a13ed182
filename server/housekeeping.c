/*
 * housekeeping.c - see housekeeping.h.
 *
 * A reload builds the next service without a lock, however long that takes, and puts it in force
 * under the mutex, which needs no disk. So main can say at any moment that nothing changes any
 * more.
 */
#include "server/housekeeping.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/access_log.h"

enum {
    TICK_US = US_PER_S,               /* how often files are looked at */
    RETIRED_TICK_US = 20 * US_PER_MS, /* and replaced services, while requests keep to them */
    RETIRED_MAX = 4,                  /* so many of which at a time; the next reload waits */
};

struct housekeeping {
    struct housekeeping_options options;
    pthread_t thread;
    struct retired *retired; /* the thread's own, and main's when that has ended */

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct force force;
    bool reload_wanted;
    bool frozen;
    bool stopping;
};

struct control_target housekeeping_target(const struct force *force)
{
    return (struct control_target){
        .catalog = force->service->catalog,
        .events = events_handler(force->service->events),
        .max_batch = (size_t)force->config->http.max_batch,
    };
}

void housekeeping_log(const struct config_log *config)
{
    log_configure(config->level, config->format);
    access_log_configure(config->client_address);
}

void housekeeping_warn(const struct config *config)
{
    const char *risk = config_clear_text(config);

    if (risk)
        LOG_EVENT(LOG_WARN, "clear_text", LOG_STR("reason", str_from_c(risk)));
    for (size_t i = 1; i < config->route_count; i++) {
        size_t first = config_route_before(config, i);

        if (first < i)
            LOG_EVENT(LOG_WARN, "route_never_reached", LOG_INT("route", (int64_t)i),
                      LOG_INT("behind", (int64_t)first));
    }
}

/* Put it in force. False: it is too late for that. */
static bool take(struct housekeeping *housekeeping, const struct force *next)
{
    const struct housekeeping_options *options = &housekeeping->options;

    (void)pthread_mutex_lock(&housekeeping->mutex);

    bool frozen = housekeeping->frozen;

    if (!frozen) {
        reload_take(&options->reload, &housekeeping->force, next, &housekeeping->retired);
        if (options->control) {
            const struct control_target target = housekeeping_target(next);

            control_use(options->control, &target);
        }
        housekeeping_log(&next->config->log);
    }
    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return !frozen;
}

/* The thread alone changes what is in force, so it may read that without the mutex. */
static void reload(struct housekeeping *housekeeping)
{
    const struct housekeeping_options *options = &housekeeping->options;
    struct force next = { 0 };
    struct error err = { 0 };

    systemd_tell_reloading(options->systemd);
    if (!reload_prepare(&options->reload, &housekeeping->force, &next, &err)) {
        LOG_EVENT(LOG_ERROR, "reload_failed", LOG_STR("error", str_from_c(err.text)));
    } else if (take(housekeeping, &next)) {
        LOG_EVENT(LOG_INFO, "reloaded", LOG_STR("file", str_from_c(next.config->file)));
        housekeeping_warn(next.config);
    } else {
        force_end(&next);
        return;
    }
    if (housekeeping->force.service->sinks)
        sinks_reopen(housekeeping->force.service->sinks);
    systemd_tell(options->systemd, "READY=1");
}

/* End the services that neither requests nor orders keep to; how many are left. */
static size_t release_retired(struct housekeeping *housekeeping)
{
    struct control *control = housekeeping->options.control;

    return control && control_lags(control) ? retired_count(housekeeping->retired)
                                            : retired_release(&housekeeping->retired);
}

/* Files that may have changed. */
static void look_at_files(const struct housekeeping *housekeeping)
{
    const struct service *service = housekeeping->force.service;

    if (housekeeping->options.reload.tls)
        http_tls_refresh(housekeeping->options.reload.tls);
    if (service->auth)
        auth_refresh(service->auth);
}

/* Wait until there may be something to do. False: it is to end. */
static bool rest(struct housekeeping *housekeeping)
{
    int64_t most_us = housekeeping->retired ? RETIRED_TICK_US : TICK_US;
    const struct timespec until = clock_timespec(clock_monotonic_us() + most_us);

    (void)pthread_mutex_lock(&housekeeping->mutex);
    if (!housekeeping->stopping && !housekeeping->reload_wanted)
        (void)pthread_cond_timedwait(&housekeeping->changed, &housekeeping->mutex, &until);

    bool stopping = housekeeping->stopping;

    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return !stopping;
}

static bool take_wish(struct housekeeping *housekeeping)
{
    (void)pthread_mutex_lock(&housekeeping->mutex);

    bool wanted = housekeeping->reload_wanted;

    housekeeping->reload_wanted = false;
    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return wanted;
}

static void *run(void *self)
{
    struct housekeeping *housekeeping = self;
    int64_t looked_us = clock_monotonic_us();

    while (rest(housekeeping)) {
        if (clock_monotonic_us() - looked_us >= TICK_US) {
            looked_us = clock_monotonic_us();
            look_at_files(housekeeping);
        }
        if (release_retired(housekeeping) < RETIRED_MAX && take_wish(housekeeping))
            reload(housekeeping);
    }
    return NULL;
}

bool housekeeping_start(const struct housekeeping_options *options, const struct force *force,
                        struct housekeeping **out, struct error *err)
{
    struct housekeeping *housekeeping = mem_alloc(sizeof(*housekeeping));

    housekeeping->options = *options;
    housekeeping->force = *force;
    (void)pthread_mutex_init(&housekeeping->mutex, NULL);
    clock_init_condition(&housekeeping->changed);
    if (!thread_start(&housekeeping->thread, "housekeeping", run, housekeeping, err)) {
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

struct force housekeeping_freeze(struct housekeeping *housekeeping)
{
    (void)pthread_mutex_lock(&housekeeping->mutex);
    housekeeping->frozen = true;

    struct force force = housekeeping->force;

    (void)pthread_mutex_unlock(&housekeeping->mutex);
    return force;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
    if (!housekeeping || housekeeping->stopping) /* only main sets it */
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
