/*
 * tracer.c - see tracer.h.
 *
 * Two buffers are swapped, as in base/log_output.c: one is filled under the mutex while the thread
 * sends the other. A batch that the collector does not take is tried again, with growing pauses,
 * and then dropped.
 */
#include "base/tracing/tracer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
    QUEUE_MAX = 1024 * 1024,
    SPAN_MAX = 64 * 1024,
    SPAN_USUAL = 1024,
    EVERY_US = 200 * US_PER_MS, /* spans wait so long for others */
    ATTEMPTS = 5,
    FIRST_PAUSE_US = US_PER_S,
    SAMPLE_BITS = 53, /* of the random number: as many as a double has */
};

struct tracer {
    struct exporter *exporter;
    uint64_t threshold;
    pthread_t thread;
    bool has_thread;
    bool is_failing; /* the thread's */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct buf queued; /* JSON objects with commas between them */
    size_t queued_count;
    bool stopping;
    bool ended;

    _Atomic uint64_t exported;
    _Atomic uint64_t dropped;
};

/* What the thread sends. */
struct batch {
    struct buf spans;
    size_t count;
};

bool tracer_samples(const struct tracer *tracer, enum trace_sampled sent, uint64_t random)
{
    if (sent != TRACE_SAMPLED_UNKNOWN)
        return sent == TRACE_SAMPLED_YES;
    return random >> (64 - SAMPLE_BITS) < tracer->threshold;
}

static void count(_Atomic uint64_t *counter, size_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* The mutex is held. */
static bool enqueue(struct tracer *tracer, struct str text)
{
    if (tracer->queued.len + 1 + text.len > QUEUE_MAX)
        return false;
    if (tracer->queued.len > 0)
        buf_add_char(&tracer->queued, ',');
    buf_add(&tracer->queued, text);
    tracer->queued_count++;
    return true;
}

void tracer_add(struct tracer *tracer, const struct span *span)
{
    CLEANUP(buf_done) struct buf text;
    bool must_wake;
    bool added;

    buf_init(&text, SPAN_MAX);
    (void)buf_reserve(&text, SPAN_USUAL);
    span_write(&text, span);
    (void)pthread_mutex_lock(&tracer->mutex);
    added = !text.overflow && enqueue(tracer, buf_str(&text));
    must_wake = tracer->queued_count == 1 || tracer->queued.len > QUEUE_MAX / 2;
    (void)pthread_mutex_unlock(&tracer->mutex);
    if (!added)
        count(&tracer->dropped, 1);
    if (must_wake)
        (void)pthread_cond_broadcast(&tracer->changed);
}

/* Wait until `until_us` or the end; or also until much is queued. The mutex is held. */
static void wait_until(struct tracer *tracer, int64_t until_us, bool for_spans)
{
    const struct timespec at = clock_timespec(until_us);

    while (!tracer->stopping && !(for_spans && tracer->queued.len > QUEUE_MAX / 2))
        if (pthread_cond_timedwait(&tracer->changed, &tracer->mutex, &at) == ETIMEDOUT)
            break;
}

/* Take what is queued, after a while. False: there is nothing, and the thread must end. */
static bool take(struct tracer *tracer, struct batch *batch)
{
    struct buf empty = batch->spans;

    (void)pthread_mutex_lock(&tracer->mutex);
    while (tracer->queued_count == 0 && !tracer->stopping)
        (void)pthread_cond_wait(&tracer->changed, &tracer->mutex);
    wait_until(tracer, clock_monotonic_us() + EVERY_US, true);
    batch->spans = tracer->queued;
    batch->count = tracer->queued_count;
    tracer->queued = empty;
    tracer->queued_count = 0;
    (void)pthread_mutex_unlock(&tracer->mutex);
    return batch->count > 0;
}

/* True: the tracer stops. */
static bool pause_or_stop(struct tracer *tracer, int64_t us)
{
    (void)pthread_mutex_lock(&tracer->mutex);
    wait_until(tracer, clock_monotonic_us() + us, false);

    bool stopping = tracer->stopping;

    (void)pthread_mutex_unlock(&tracer->mutex);
    return stopping;
}

static void note_success(struct tracer *tracer)
{
    if (tracer->is_failing)
        LOG_EVENT(LOG_INFO, "trace_export_recovered",
                  LOG_INT("dropped", atomic_load(&tracer->dropped)));
    tracer->is_failing = false;
}

static void note_failure(struct tracer *tracer, const struct error *why)
{
    if (!tracer->is_failing)
        LOG_EVENT(LOG_WARN, "trace_export_failed", LOG_STR("reason", str_from_c(why->text)));
    tracer->is_failing = true;
}

/* How many spans of the batch the collector has taken. */
static size_t send_batch(struct tracer *tracer, const struct batch *batch)
{
    int64_t pause_us = FIRST_PAUSE_US;

    for (int attempt = 1;; attempt++, pause_us *= 2) {
        struct exporter_answer answer;

        exporter_send(tracer->exporter, buf_str(&batch->spans), &answer);
        if (answer.result == EXPORTER_TAKEN) {
            note_success(tracer);
            return answer.rejected < batch->count ? batch->count - answer.rejected : 0;
        }
        note_failure(tracer, &answer.why);
        if (answer.result == EXPORTER_REFUSED || attempt == ATTEMPTS)
            return 0;
        if (answer.retry_after_us > pause_us)
            pause_us = answer.retry_after_us;
        if (pause_or_stop(tracer, pause_us))
            return 0;
    }
}

static void *run(void *self)
{
    struct tracer *tracer = self;
    struct batch batch = { 0 };

    thread_lower_priority();
    buf_init(&batch.spans, QUEUE_MAX);
    while (take(tracer, &batch)) {
        size_t taken = send_batch(tracer, &batch);

        count(&tracer->exported, taken);
        count(&tracer->dropped, batch.count - taken);
        buf_clear(&batch.spans);
    }
    buf_done(&batch.spans);
    (void)pthread_mutex_lock(&tracer->mutex);
    tracer->ended = true;
    (void)pthread_cond_broadcast(&tracer->changed);
    (void)pthread_mutex_unlock(&tracer->mutex);
    return NULL;
}

bool tracer_create(const struct tracer_options *options, struct tracer **out, struct error *err)
{
    struct tracer *tracer = mem_alloc(sizeof(*tracer));

    tracer->exporter = exporter_create(&options->exporter);
    tracer->threshold = (uint64_t)(options->sample * (double)(UINT64_C(1) << SAMPLE_BITS));
    (void)pthread_mutex_init(&tracer->mutex, NULL);
    clock_init_condition(&tracer->changed);
    buf_init(&tracer->queued, QUEUE_MAX);
    tracer->has_thread = thread_start(&tracer->thread, "traces", run, tracer, err);
    if (!tracer->has_thread) {
        tracer_destroy(tracer);
        return false;
    }
    *out = tracer;
    return true;
}

void tracer_stop(struct tracer *tracer, int64_t timeout_us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + timeout_us);

    if (!tracer || !tracer->has_thread)
        return;
    (void)pthread_mutex_lock(&tracer->mutex);
    tracer->stopping = true;
    (void)pthread_cond_broadcast(&tracer->changed);
    while (!tracer->ended)
        if (pthread_cond_timedwait(&tracer->changed, &tracer->mutex, &at) == ETIMEDOUT)
            break;
    (void)pthread_mutex_unlock(&tracer->mutex);
    exporter_interrupt(tracer->exporter);
    (void)pthread_join(tracer->thread, NULL);
    tracer->has_thread = false;
}

void tracer_destroy(struct tracer *tracer)
{
    if (!tracer)
        return;
    tracer_stop(tracer, 0);
    exporter_destroy(tracer->exporter);
    buf_done(&tracer->queued);
    (void)pthread_cond_destroy(&tracer->changed);
    (void)pthread_mutex_destroy(&tracer->mutex);
    mem_free(tracer);
}

struct tracer_counts tracer_counts(const struct tracer *tracer)
{
    return (struct tracer_counts){
        .exported = atomic_load_explicit(&tracer->exported, memory_order_relaxed),
        .dropped = atomic_load_explicit(&tracer->dropped, memory_order_relaxed),
    };
}
