/*
 * c11_threads.c - threads and locks of C11 made from those of POSIX, for ThreadSanitizer.
 *
 * librdkafka uses C11's, which ThreadSanitizer does not know: it crashes in such a thread. In glibc
 * both kinds of locks are the same objects. What librdkafka synchronizes with atomic operations
 * stays unknown, as the library is not instrumented: reports of its own memory are suppressed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <threads.h>

#include "base/memory.h"

struct start {
    thrd_start_t function;
    void *arg;
};

const char *__tsan_default_suppressions(void); /* NOLINT(readability-identifier-naming) */

/* NOLINTNEXTLINE(readability-identifier-naming): ThreadSanitizer's choice */
const char *__tsan_default_suppressions(void)
{
    return "race:librdkafka.so\n";
}

static void *run(void *self)
{
    struct start start = *(struct start *)self;

    mem_free(self);
    return (void *)(intptr_t)start.function(start.arg); /* NOLINT(performance-no-int-to-ptr) */
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc begins them with __ */

int thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
    struct start *start = mem_alloc(sizeof(*start));

    *start = (struct start){ function, arg };
    return pthread_create(thread, NULL, run, start) == 0 ? thrd_success : thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;

    if (pthread_join(thread, &value) != 0)
        return thrd_error;
    if (result)
        *result = (int)(intptr_t)value;
    return thrd_success;
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    int kind = type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL;

    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, kind);
    (void)pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return thrd_success;
}

int mtx_lock(mtx_t *mutex)
{
    return pthread_mutex_lock((pthread_mutex_t *)mutex) == 0 ? thrd_success : thrd_error;
}

int mtx_unlock(mtx_t *mutex)
{
    return pthread_mutex_unlock((pthread_mutex_t *)mutex) == 0 ? thrd_success : thrd_error;
}

void mtx_destroy(mtx_t *mutex)
{
    (void)pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex) == 0
               ? thrd_success
               : thrd_error;
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until)) {
    case 0:
        return thrd_success;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
