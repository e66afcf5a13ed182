/*
 * pump_workers.c - see pump_workers.h.
 */
#include "delivery/pump_workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "delivery/pump_spans.h"
#include "delivery/record_origin.h"

enum {
    CONFIRM_PAUSE_US = 10 * US_PER_MS, /* before records under way are passed to the sink again */
    THREAD_NAME_SIZE = 16,             /* the system's limit */
};

struct worker {
    struct pump_call call;
    struct pump_workers *workers;
    pthread_t thread;
    bool has_thread;
    pthread_cond_t changed;                                /* `state` or `ending` */
    enum { WORKER_IDLE, WORKER_BUSY, WORKER_ENDED } state; /* under the mutex */
};

struct pump_workers {
    struct pump_workers_options options;
    size_t busy;
    pthread_mutex_t mutex; /* guards the workers' states and what follows */
    pthread_cond_t stopped;
    bool stopping;
    bool ending;
    size_t count;
    struct worker workers[];
};

struct pump_workers *pump_workers_create(const struct pump_workers_options *options)
{
    size_t count = options->sink->in_flight;
    struct pump_workers *workers = mem_alloc(sizeof(*workers) + count * sizeof(struct worker));

    workers->options = *options;
    workers->count = count;
    (void)pthread_mutex_init(&workers->mutex, NULL);
    clock_init_condition(&workers->stopped);
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &workers->workers[i];

        worker->workers = workers;
        worker->call.slot = i;
        worker->call.arena = arena_create();
        (void)pthread_cond_init(&worker->changed, NULL);
    }
    return workers;
}

static void end_threads(struct pump_workers *workers)
{
    (void)pthread_mutex_lock(&workers->mutex);
    workers->ending = true;
    for (size_t i = 0; i < workers->count; i++)
        (void)pthread_cond_signal(&workers->workers[i].changed);
    (void)pthread_mutex_unlock(&workers->mutex);
    for (size_t i = 0; i < workers->count; i++)
        if (workers->workers[i].has_thread)
            (void)pthread_join(workers->workers[i].thread, NULL);
}

void pump_workers_destroy(struct pump_workers *workers)
{
    if (!workers)
        return;
    end_threads(workers);
    for (size_t i = 0; i < workers->count; i++) {
        arena_destroy(workers->workers[i].call.arena);
        (void)pthread_cond_destroy(&workers->workers[i].changed);
    }
    (void)pthread_cond_destroy(&workers->stopped);
    (void)pthread_mutex_destroy(&workers->mutex);
    mem_free(workers);
}

static struct pump_call *find(struct pump_workers *workers, int state)
{
    struct pump_call *found = NULL;

    (void)pthread_mutex_lock(&workers->mutex);
    for (size_t i = 0; i < workers->count && !found; i++)
        if ((int)workers->workers[i].state == state)
            found = &workers->workers[i].call;
    (void)pthread_mutex_unlock(&workers->mutex);
    return found;
}

static void set_state(struct pump_call *call, int state)
{
    struct worker *worker = CONTAINER_OF(call, struct worker, call);

    (void)pthread_mutex_lock(&worker->workers->mutex);
    worker->state = state;
    (void)pthread_cond_signal(&worker->changed);
    (void)pthread_mutex_unlock(&worker->workers->mutex);
}

struct pump_call *pump_workers_idle(struct pump_workers *workers)
{
    return find(workers, WORKER_IDLE);
}

size_t pump_workers_busy(const struct pump_workers *workers)
{
    return workers->busy;
}

struct sink_record pump_workers_record(const struct backlog_record *record)
{
    struct record_origin origin = record_origin_read(record->origin);

    return (struct sink_record){ .sequence = record->seq,
                                 .accepted_us = record->accepted_us,
                                 .key = record->key,
                                 .order_key = record->order_key,
                                 .bytes = record->bytes,
                                 .origin = { .event_id = origin.event_id,
                                             .route = record->route,
                                             .registry = record->registry,
                                             .schema = record->schema,
                                             .schema_version = record->version,
                                             .request_id = origin.request_id,
                                             .traceparent = origin.traceparent } };
}

/* One call of the sink: some records of a batch, and their places in it. */
struct portion {
    struct sink_record *records;
    size_t *places;
    size_t count;
};

static void deliver_portion(struct pump_workers *workers, struct pump_call *call,
                            const struct portion *portion, bool is_first)
{
    const struct sink *sink = workers->options.sink;
    struct sink_answer answer = {
        .outcomes = arena_alloc(call->arena, portion->count * sizeof(*answer.outcomes)),
    };

    sink->deliver(sink->self,
                  &(struct sink_batch){ .records = portion->records,
                                        .count = portion->count,
                                        .store = str_from_c(workers->options.store),
                                        .slot = call->slot,
                                        .arena = call->arena,
                                        .in_order = workers->options.in_order },
                  &answer);
    for (size_t i = 0; i < portion->count; i++) {
        struct sink_outcome *outcome = &call->answer.outcomes[portion->places[i]];

        *outcome = answer.outcomes[i];
        if (answer.together && !is_first) /* others of the batch are not refused with them */
            outcome->result = SINK_POSTPONED;
    }
    call->answer.together = answer.together && is_first;
    call->answer.is_sink_wide = call->answer.is_sink_wide || answer.is_sink_wide;
    call->answer.busy = answer.busy;
    if (answer.said.ptr)
        call->answer.said = answer.said;
    if (call->answer.retry_after_us < answer.retry_after_us)
        call->answer.retry_after_us = answer.retry_after_us;
}

/* Keep what the sink has under way. */
static void keep_unconfirmed(struct portion *portion, const struct sink_outcome *outcomes)
{
    size_t count = 0;

    for (size_t i = 0; i < portion->count; i++) {
        if (outcomes[portion->places[i]].result != SINK_UNDER_WAY)
            continue;
        portion->records[count] = portion->records[i];
        portion->places[count++] = portion->places[i];
    }
    portion->count = count;
}

/* True: the pump stops. */
static bool pause_or_stop(struct pump_workers *workers)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + CONFIRM_PAUSE_US);

    (void)pthread_mutex_lock(&workers->mutex);
    while (!workers->stopping)
        if (pthread_cond_timedwait(&workers->stopped, &workers->mutex, &at) == ETIMEDOUT)
            break;

    bool stopping = workers->stopping;

    (void)pthread_mutex_unlock(&workers->mutex);
    return stopping;
}

void pump_workers_deliver(struct pump_workers *workers, struct pump_call *call, size_t first,
                          size_t count)
{
    struct portion portion = {
        .records = arena_alloc(call->arena, count * sizeof(*portion.records)),
        .places = arena_alloc(call->arena, count * sizeof(*portion.places)),
        .count = count,
    };
    struct pump_spans *spans = NULL;
    bool is_first = true;

    atomic_fetch_add_explicit(workers->options.in_flight, 1, memory_order_relaxed);
    call->answer = (struct sink_answer){
        .outcomes = arena_alloc(call->arena, call->batch->count * sizeof(struct sink_outcome)),
    };
    for (size_t i = 0; i < count; i++) {
        portion.records[i] = pump_workers_record(&call->batch->records[first + i]);
        portion.places[i] = first + i;
    }
    if (UNLIKELY(workers->options.tracer != NULL))
        spans = pump_spans_begin(call->arena, portion.records, count);
    do {
        deliver_portion(workers, call, &portion, is_first);
        is_first = false;
        keep_unconfirmed(&portion, call->answer.outcomes);
    } while (portion.count > 0 && !pause_or_stop(workers));
    if (UNLIKELY(spans != NULL))
        pump_spans_end(spans, workers->options.tracer, workers->options.name,
                       &call->answer.outcomes[first]);
    atomic_fetch_sub_explicit(workers->options.in_flight, 1, memory_order_relaxed);
}

static bool next_task(struct worker *worker)
{
    struct pump_workers *workers = worker->workers;

    (void)pthread_mutex_lock(&workers->mutex);
    while (worker->state != WORKER_BUSY && !workers->ending)
        (void)pthread_cond_wait(&worker->changed, &workers->mutex);

    bool is_busy = worker->state == WORKER_BUSY;

    (void)pthread_mutex_unlock(&workers->mutex);
    return is_busy;
}

static void *run_worker(void *self)
{
    struct worker *worker = self;
    struct pump_workers *workers = worker->workers;

    while (next_task(worker)) {
        pump_workers_deliver(workers, &worker->call, 0, worker->call.batch->count);
        set_state(&worker->call, WORKER_ENDED);
        workers->options.wake(workers->options.self);
    }
    return NULL;
}

void pump_workers_start(struct pump_workers *workers, struct pump_call *call)
{
    struct worker *worker = CONTAINER_OF(call, struct worker, call);
    char name[THREAD_NAME_SIZE];
    struct error err;

    (void)snprintf(name, sizeof(name), "send-%.10s", workers->options.name);
    if (!worker->has_thread)
        worker->has_thread = thread_start(&worker->thread, name, run_worker, worker, &err);
    workers->busy++;
    if (worker->has_thread) {
        set_state(call, WORKER_BUSY);
        return;
    }
    pump_workers_deliver(workers, call, 0, call->batch->count); /* the system has no more threads */
    set_state(call, WORKER_ENDED);
}

struct pump_call *pump_workers_ended(struct pump_workers *workers)
{
    struct pump_call *call = find(workers, WORKER_ENDED);

    workers->busy -= call != NULL;
    return call;
}

void pump_workers_release(struct pump_workers *workers, struct pump_call *call)
{
    (void)workers;
    arena_reset(call->arena);
    call->batch = NULL;
    set_state(call, WORKER_IDLE);
}

void pump_workers_stop(struct pump_workers *workers)
{
    (void)pthread_mutex_lock(&workers->mutex);
    workers->stopping = true;
    (void)pthread_cond_broadcast(&workers->stopped);
    (void)pthread_mutex_unlock(&workers->mutex);
}
