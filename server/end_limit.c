/*
 * end_limit.c - see end_limit.h. The thread is started early, when it can still be had.
 */
#include "server/end_limit.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/memory.h"
#include "base/thread.h"

enum { LAST_LINE_US = 500 * US_PER_MS }; /* how long a log that is not read is waited for */

struct end_limit {
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    int64_t at_us; /* INT64_MAX: not set */
    int status;
    bool destroyed;
};

static void leave(int status)
{
    LOG_EVENT(LOG_WARN, "stop_forced",
              LOG_STR("reason", STR("a write to disk or a call did not end in time; what was "
                                    "acknowledged is stored")));
    log_output_stop(LAST_LINE_US);
    _exit(status);
}

static void *run(void *self)
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
    int status = limit->status;

    (void)pthread_mutex_unlock(&limit->mutex);
    if (!destroyed)
        leave(status);
    return NULL;
}

bool end_limit_create(struct end_limit **out, struct error *err)
{
    struct end_limit *limit = mem_alloc(sizeof(*limit));

    limit->at_us = INT64_MAX;
    (void)pthread_mutex_init(&limit->mutex, NULL);
    clock_init_condition(&limit->changed);
    if (!thread_start(&limit->thread, "end-limit", run, limit, err)) {
        (void)pthread_cond_destroy(&limit->changed);
        (void)pthread_mutex_destroy(&limit->mutex);
        mem_free(limit);
        return false;
    }
    *out = limit;
    return true;
}

void end_limit_set(struct end_limit *limit, int64_t at_us, int status)
{
    (void)pthread_mutex_lock(&limit->mutex);
    limit->at_us = at_us;
    limit->status = status;
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
