/*
 * log_output.c - see log_output.h.
 *
 * Two buffers are swapped: one is filled under the mutex while the writer writes the other without
 * it. Lines of a failed write are lost: there is nowhere to report it.
 */
#include "base/log_output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

enum {
    QUEUE_MAX = 1024 * 1024,
    BATCHES_MAX = QUEUE_MAX / 4 * 3,
    PARTS_MAX = QUEUE_MAX / 4, /* parts beyond wake the writer */
};

static struct {
    pthread_mutex_t mutex; /* for all below; without a writer it keeps lines from mixing */
    pthread_cond_t changed;
    struct buf queued;
    int64_t dropped; /* lines, since the last report */
    bool running;
    bool stopping;
    bool ended;
    pthread_t thread;
} output = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* Can the write be tried again? Waits while a non-blocking pipe is full. */
static bool may_go_on(void)
{
    struct pollfd events = { .fd = STDOUT_FILENO, .events = POLLOUT };

    return errno == EINTR || (errno == EAGAIN && poll(&events, 1, -1) >= 0);
}

static void write_out(struct str lines)
{
    while (lines.len > 0) {
        ssize_t written = write(STDOUT_FILENO, lines.ptr, lines.len);

        if (written > 0)
            lines = str_from(lines, (size_t)written);
        else if (written == 0 || !may_go_on())
            return;
    }
}

static int64_t count_lines(struct str lines)
{
    int64_t count = 0;

    for (size_t i = 0; i < lines.len; i++)
        count += lines.ptr[i] == '\n';
    return count;
}

static bool has_room(size_t len, enum log_output_kind kind)
{
    return (kind == LOG_OUTPUT_LINE || output.queued.len + len <= BATCHES_MAX) &&
           buf_reserve(&output.queued, len);
}

/* The writer is woken without the mutex, which it would only wait for. */
void log_output(struct str lines, enum log_output_kind kind)
{
    bool wakes = false;

    (void)pthread_mutex_lock(&output.mutex);
    if (!output.running) {
        write_out(lines);
    } else if (has_room(lines.len, kind)) {
        buf_add(&output.queued, lines);
        wakes = kind != LOG_OUTPUT_PART || output.queued.len > PARTS_MAX;
    } else {
        output.queued.overflow = false;
        output.dropped += count_lines(lines);
    }
    (void)pthread_mutex_unlock(&output.mutex);
    if (wakes)
        (void)pthread_cond_signal(&output.changed);
}

/* Wait until there are lines; false when there are none and the writer must end. The mutex is held.
 */
static bool await_lines(void)
{
    while (output.queued.len == 0 && !output.stopping)
        (void)pthread_cond_wait(&output.changed, &output.mutex);
    return output.queued.len > 0;
}

static void *write_queued(void *self)
{
    struct buf writing;

    (void)self;
    buf_init(&writing, QUEUE_MAX);
    (void)pthread_mutex_lock(&output.mutex);
    while (await_lines()) {
        struct buf filled = output.queued;
        int64_t dropped = output.dropped;

        output.queued = writing;
        output.dropped = 0;
        writing = filled;
        (void)pthread_mutex_unlock(&output.mutex);
        write_out(buf_str(&writing));
        buf_clear(&writing);
        if (dropped > 0)
            LOG_EVENT(LOG_WARN, "log_dropped", LOG_INT("lines", dropped));
        (void)pthread_mutex_lock(&output.mutex);
    }
    output.ended = true;
    (void)pthread_cond_broadcast(&output.changed);
    (void)pthread_mutex_unlock(&output.mutex);
    buf_done(&writing);
    return NULL;
}

bool log_output_start(struct error *err)
{
    clock_init_condition(&output.changed);
    buf_init(&output.queued, QUEUE_MAX);
    output.running = true;
    output.stopping = output.ended = false;

    if (thread_start(&output.thread, "log", write_queued, NULL, err))
        return true;
    output.running = false;
    return false;
}

/* Wait until the writer has ended or the time has passed. Has it ended? The mutex is held. */
static bool await_end(int64_t timeout_us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + timeout_us);

    while (!output.ended)
        if (pthread_cond_timedwait(&output.changed, &output.mutex, &at) == ETIMEDOUT)
            break;
    return output.ended;
}

void log_output_stop(int64_t timeout_us)
{
    (void)pthread_mutex_lock(&output.mutex);
    if (!output.running) {
        (void)pthread_mutex_unlock(&output.mutex);
        return;
    }
    output.stopping = true;
    (void)pthread_cond_broadcast(&output.changed);

    bool ended = await_end(timeout_us);

    (void)pthread_mutex_unlock(&output.mutex);
    if (!ended) { /* blocked in write(2); it ends with the process */
        (void)pthread_detach(output.thread);
        return;
    }
    (void)pthread_join(output.thread, NULL);
    output.running = false;
    buf_done(&output.queued);
    (void)pthread_cond_destroy(&output.changed);
}
