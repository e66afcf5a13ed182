/*
 * store.c - see store.h.
 */
#include "tests/unit/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tests/unit/test.h"

/* The target of the wakers: counts wake-ups, for store_submit() and store_fill() to wait on. */
struct bell {
    pthread_mutex_t mutex;
    pthread_cond_t rung;
    size_t count;
};

static struct bell bell = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void ring(struct waker waker)
{
    struct bell *target = waker.target;

    (void)pthread_mutex_lock(&target->mutex);
    target->count++;
    (void)pthread_cond_broadcast(&target->rung);
    (void)pthread_mutex_unlock(&target->mutex);
}

void store_init(struct store *store)
{
    *store = (struct store){ 0 };
    store->time_us = clock_now_us();
    folder_init(&store->folder);
    folder_path(&store->folder, "deep/store.db", store->path);
    store->options = (struct outbox_options){
        .path = store->path,
        .max_size = (uint64_t)64 << 20,
        .dead_max_size = (uint64_t)16 << 20,
        .dedup_window_us = INT64_C(90000000000),
        .dedup_max_rows = 1000000,
        .quarantine = true,
        .quarantine_keep_us = INT64_C(2592000000000),
        .quarantine_max_rows = 1000,
        .quarantine_max_size = (uint64_t)16 << 20,
    };
}

void store_open(struct store *store)
{
    struct error err = { 0 };
    bool ok =
        outbox_create(&store->options, &store->outbox, &err) && outbox_start(store->outbox, &err);

    if (!ok)
        (void)fprintf(stderr, "%s\n", err.text);
    assert(ok);
}

const char *const store_sinks[2] = { "a", "b" };

void store_begin(struct store *store, size_t sinks)
{
    store_init(store);
    store->options.sinks = store_sinks;
    store->options.sink_count = sinks;
    store_open(store);
}

void store_close(struct store *store)
{
    outbox_destroy(store->outbox);
    store->outbox = NULL;
}

void store_done(struct store *store)
{
    store_close(store);
    folder_done(&store->folder);
}

struct outbox_event store_event(const char *id, const char *raw)
{
    int64_t now_us = clock_now_us();

    return (struct outbox_event){
        .id = str_from_c(id),
        .raw = str_from_c(raw),
        .time_us = now_us,
        .processed_at_us = now_us,
        .registry = STR("Registry"),
        .schema = STR("Schema"),
        .version = STR("1"),
        .record = str_from_c(raw),
        .sinks = OUTBOX_EVERY_SINK,
    };
}

struct outbox_event store_refusal(const char *id, const char *raw)
{
    struct outbox_event event = store_event(id, raw);

    event.record = STR_NONE;
    event.outcome = "schema_invalid";
    event.details = STR("<integer> is not of type 'string'");
    event.units = STR("[]");
    return event;
}

struct outbox_result store_submit(struct store *store, const struct outbox_event *event)
{
    return store_submit_records(store, event, 1);
}

struct outbox_result store_submit_records(struct store *store, const struct outbox_event *records,
                                          size_t count)
{
    struct outbox_job *job = NULL;
    struct error err = { 0 };
    struct outbox_result result = { OUTBOX_UNAVAILABLE, .reason = "not queued" };

    if (!outbox_submit(store->outbox,
                       &(struct outbox_request){ records, count, { ring, &bell, 0 } }, &job, &err))
        return result;
    (void)pthread_mutex_lock(&bell.mutex);
    while (!outbox_results(job))
        (void)pthread_cond_wait(&bell.rung, &bell.mutex);
    (void)pthread_mutex_unlock(&bell.mutex);
    result = *outbox_results(job);
    outbox_job_release(job);
    return result;
}

void store_fill(struct store *store, const char *prefix, size_t count)
{
    struct outbox_job **jobs = mem_alloc_array(count + 1, sizeof(struct outbox_job *));

    for (size_t i = 0; i < count; i++) {
        char text[64];
        struct error err = { 0 };

        (void)snprintf(text, sizeof(text), "%s%zu", prefix, i);

        struct outbox_event event = store_event(text, text);

        event.time_us = store->time_us;
        event.sinks = store->sinks ? store->sinks : OUTBOX_EVERY_SINK;

        bool ok =
            outbox_submit(store->outbox, &(struct outbox_request){ &event, 1, { ring, &bell, 0 } },
                          &jobs[i], &err);

        assert(ok);
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_mutex_lock(&bell.mutex);
        while (!outbox_results(jobs[i]))
            (void)pthread_cond_wait(&bell.rung, &bell.mutex);
        (void)pthread_mutex_unlock(&bell.mutex);
        CHECK_INT(outbox_results(jobs[i])->verdict, OUTBOX_ACCEPTED);
        outbox_job_release(jobs[i]);
    }
    mem_free(jobs);
}

const struct outbox_counters *store_counters(struct store *store)
{
    static struct outbox_counters counters;

    outbox_counters(store->outbox, &counters);
    return &counters;
}

const struct outbox_sink_counters *store_sink(struct store *store, const char *name)
{
    const struct outbox_counters *counters = store_counters(store);

    for (size_t i = 0; i < counters->sink_count; i++)
        if (str_equal(str_from_c(counters->sinks[i].name), str_from_c(name)))
            return &counters->sinks[i];
    abort(); /* the test asks for a sink that it did not configure */
}

void store_check_identity(struct store *store, const char *sink)
{
    const struct outbox_sink_counters *counters = store_sink(store, sink);

    CHECK(counters->pending >= 0);
    CHECK_INT(counters->enqueued,
              counters->delivered + counters->pending + counters->dead + counters->dropped);
}
