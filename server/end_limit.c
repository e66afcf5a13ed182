/*
 * end_limit.c - see end_limit.h. The thread starts with the server: during the drain it might fail.
 */
#include "server/end_limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/memory.h"
#include "base/thread.h"

enum { LAST_LINE_US = 500 * US_PER_MS }; /* for a slow reader of the log */

struct end_limit {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    int64_t at_us; /* INT64_MAX: not set */
    bool destroyed;
};

static void exit_now(void)
{
    LOG_EVENT(LOG_WARN, "stop_forced",
              LOG_STR("reason", STR("a write to disk or a call did not end in time; what was "
                                    "acknowledged is stored")));
    log_output_stop(LAST_LINE_US);
    _exit(EXIT_SUCCESS);
}

static void *end_limit_run(void *self)
{
    struct end_limit *limit = self;
    int waited = 0;

    (void)pthread_mutex_lock(&limit->mutex);
    while (!limit->destroyed && waited != ETIMEDOUT) {
        const struct timespec at = clock_timespec(limit->at_us);

        waited = limit->at_us == INT64_MAX
                     ? pthread_cond_wait(&limit->changed, &limit->mutex)
                     : pthread_cond_timedwait(&limit->changed, &limit->mutex, &at);
    }

    bool destroyed = limit->destroyed;

    (void)pthread_mutex_unlock(&limit->mutex);
    if (!destroyed)
        exit_now();
    return NULL;
}

bool end_limit_create(struct end_limit **out, struct error *err)
{
    struct end_limit *limit = mem_alloc(sizeof(*limit));

    limit->at_us = INT64_MAX;
    (void)pthread_mutex_init(&limit->mutex, NULL);
    clock_init_condition(&limit->changed);
    if (!thread_start(&limit->thread, "end-limit", end_limit_run, limit, err)) {
        (void)pthread_cond_destroy(&limit->changed);
        (void)pthread_mutex_destroy(&limit->mutex);
        mem_free(limit);
        return false;
    }
    *out = limit;
    return true;
}

void end_limit_set(struct end_limit *limit, int64_t at_us)
{
    (void)pthread_mutex_lock(&limit->mutex);
    limit->at_us = at_us;
    (void)pthread_cond_signal(&limit->changed);
    (void)pthread_mutex_unlock(&limit->mutex);
}

void end_limit_destroy(struct end_limit *limit)
{
    if (!limit)
        return;
    (void)pthread_mutex_lock(&limit->mutex);
    limit->destroyed = true;
    (void)pthread_cond_signal(&limit->changed);
    (void)pthread_mutex_unlock(&limit->mutex);
    (void)pthread_join(limit->thread, NULL);
    (void)pthread_cond_destroy(&limit->changed);
    (void)pthread_mutex_destroy(&limit->mutex);
    mem_free(limit);
}
