/*
 * rehearsal.c - see rehearsal.h.
 *
 * The jobs are a heap, ordered by the time at which each is due. A worker takes the first one,
 * waits for its turn in the rate, calls, and either settles the job or puts it back.
 */
#include "server/cli/rehearsal.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/cli/interrupt.h"

enum {
    WORKERS_MAX = 32,
    TICK_US = 10 * US_PER_MS, /* between two looks at the progress */
    LONGEST_PAUSE_S = 480,    /* 185 tries take less than 24 hours */
    PARTS = 1024,             /* of the random part of a pause */
};

/* What a bus does until it gives an event up; AWS's defaults. */
static const struct policy {
    unsigned tries;
    int64_t age_us;
} policies[] = {
    [SENDER_CLASSIC] = { REHEARSAL_TRIES_MAX, 24LL * 3600 * US_PER_S }, /* 185 retries */
    [SENDER_CUSTOM] = { 6, 300LL * US_PER_S },                          /* 5 retries */
};

struct job {
    struct str body;
    int64_t due_us; /* by clock_monotonic_us() */
    int64_t age_us; /* in the bus's time, which is faster by options.speed */
    unsigned tries;
};

struct rehearsal {
    const struct rehearsal_options *options;
    struct arena *arena;   /* of the bodies */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct job *heap;
    size_t count;
    size_t capacity;
    size_t under_way;
    int64_t turn_us; /* when the next call may begin */
    int64_t *latencies;
    size_t latency_count;
    size_t latency_capacity;
    unsigned random;
    bool stopping;
    struct rehearsal_result result;
};

struct rehearsal *rehearsal_create(const struct rehearsal_options *options)
{
    struct rehearsal *rehearsal = mem_alloc(sizeof(*rehearsal));

    rehearsal->options = options;
    rehearsal->arena = arena_create();
    rehearsal->random = (unsigned)clock_now_us();
    (void)pthread_mutex_init(&rehearsal->mutex, NULL);
    clock_init_condition(&rehearsal->changed);
    return rehearsal;
}

void rehearsal_destroy(struct rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    (void)pthread_cond_destroy(&rehearsal->changed);
    (void)pthread_mutex_destroy(&rehearsal->mutex);
    mem_free(rehearsal->heap);
    mem_free(rehearsal->latencies);
    arena_destroy(rehearsal->arena);
    mem_free(rehearsal);
}

/* The heap. The caller holds the mutex, or is alone. */

static void swap_jobs(struct job *a, struct job *b)
{
    struct job other = *a;

    *a = *b;
    *b = other;
}

static void push_job(struct rehearsal *rehearsal, struct job job)
{
    size_t at = rehearsal->count;

    rehearsal->heap =
        mem_grow(rehearsal->heap, rehearsal->count, &rehearsal->capacity, sizeof(*rehearsal->heap));
    rehearsal->heap[rehearsal->count++] = job;
    for (; at > 0 && rehearsal->heap[(at - 1) / 2].due_us > rehearsal->heap[at].due_us;
         at = (at - 1) / 2)
        swap_jobs(&rehearsal->heap[at], &rehearsal->heap[(at - 1) / 2]);
}

static struct job pop_job(struct rehearsal *rehearsal)
{
    struct job *heap = rehearsal->heap;
    struct job first = heap[0];
    size_t at = 0;

    heap[0] = heap[--rehearsal->count];
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < rehearsal->count; child++)
            if (heap[child].due_us < heap[least].due_us)
                least = child;
        if (least == at)
            return first;
        swap_jobs(&heap[at], &heap[least]);
        at = least;
    }
}

void rehearsal_add(struct rehearsal *rehearsal, struct str body)
{
    /* In the order of arrival: equal times would not keep it. */
    push_job(rehearsal, (struct job){ .body = arena_copy(rehearsal->arena, body),
                                      .due_us = (int64_t)rehearsal->count });
}

/* What follows a call. */

/* Exponential, at least half of it random, as SDKs do; longer if the answer asks for it. */
static int64_t pause_of(struct rehearsal *rehearsal, unsigned tries,
                        const struct sender_result *result)
{
    int64_t seconds = tries < 10 ? INT64_C(1) << (tries - 1) : LONGEST_PAUSE_S;
    int64_t part;

    if (seconds > LONGEST_PAUSE_S)
        seconds = LONGEST_PAUSE_S;
    rehearsal->random = rehearsal->random * 1103515245U + 12345U;
    part = (int64_t)(rehearsal->random >> 16) % PARTS;
    seconds = seconds * US_PER_S / 2 + seconds * US_PER_S / 2 * part / PARTS; /* microseconds */
    return result->retry_after_us > seconds ? result->retry_after_us : seconds;
}

static void bury(struct rehearsal *rehearsal, const struct job *job,
                 const struct sender_result *result, const char *condition)
{
    FILE *dlq = rehearsal->options->dlq;
    struct str text;

    rehearsal->result.dead++;
    if (!dlq)
        return;

    struct buf *line = arena_buf(rehearsal->arena, SIZE_MAX);

    buf_add(line, STR("{\"attributes\":{"));
    member_text(line, "ERROR_CODE", str_from_c(sender_error_code(result)));
    text = result->status > 0 ? arena_printf(rehearsal->arena, "HTTP status %d", result->status)
                              : str_from_c(result->error.text);
    member_text(line, "ERROR_MESSAGE", text);
    if (condition)
        member_text(line, "EXHAUSTED_RETRY_CONDITION", str_from_c(condition));
    member_text(line, "RETRY_ATTEMPTS", arena_printf(rehearsal->arena, "%u", job->tries - 1));
    buf_add_char(line, '}');
    member_text(line, "body", job->body);
    (void)fprintf(dlq, "%.*s}\n", STR_ARG(buf_str(line)));
}

/* The job is delivered, dead, or waits for its next try. */
static void settle(struct rehearsal *rehearsal, struct job *job, const struct sender_result *result)
{
    const struct policy *policy = &policies[rehearsal->options->sender.bus];
    int64_t pause_us;

    job->tries++;
    if (result->verdict == SENDER_DELIVERED) {
        rehearsal->result.delivered++;
        rehearsal->result.at_try[job->tries]++;
        return;
    }
    if (result->verdict == SENDER_FINAL) {
        bury(rehearsal, job, result, NULL);
        return;
    }
    pause_us = pause_of(rehearsal, job->tries, result);
    job->age_us += result->took_us + pause_us;
    if (job->tries == policy->tries) {
        bury(rehearsal, job, result, "MaximumRetryAttempts");
    } else if (job->age_us > policy->age_us) {
        bury(rehearsal, job, result, "MaximumEventAgeInSeconds");
    } else {
        job->due_us =
            clock_monotonic_us() + (int64_t)((double)pause_us / rehearsal->options->speed);
        push_job(rehearsal, *job);
    }
}

static void count_call(struct rehearsal *rehearsal, const struct sender_result *result)
{
    struct rehearsal_result *counts = &rehearsal->result;

    counts->calls++;
    if (result->status >= 0 && result->status < REHEARSAL_STATUS_MAX)
        counts->statuses[result->status]++;
    rehearsal->latencies = mem_grow(rehearsal->latencies, rehearsal->latency_count,
                                    &rehearsal->latency_capacity, sizeof(int64_t));
    rehearsal->latencies[rehearsal->latency_count++] = result->took_us;
}

/* The workers. */

/* Take the first job when it is due, and its turn. False: there is no work any more. */
static bool take_job(struct rehearsal *rehearsal, struct job *job, int64_t *turn_us)
{
    while (!rehearsal->stopping && rehearsal->count + rehearsal->under_way > 0) {
        int64_t now_us = clock_monotonic_us();

        if (rehearsal->count == 0 || rehearsal->heap[0].due_us > now_us) {
            const struct timespec until = clock_timespec(now_us + TICK_US / 2);

            (void)pthread_cond_timedwait(&rehearsal->changed, &rehearsal->mutex, &until);
            continue;
        }
        *job = pop_job(rehearsal);
        *turn_us = rehearsal->turn_us > now_us ? rehearsal->turn_us : now_us;
        rehearsal->turn_us = *turn_us + (int64_t)((double)US_PER_S / rehearsal->options->rate);
        rehearsal->under_way++;
        return true;
    }
    return false;
}

static void sleep_until(int64_t us)
{
    int64_t now_us = clock_monotonic_us();

    if (us > now_us)
        clock_sleep(us - now_us);
}

static void *work(void *self)
{
    struct rehearsal *rehearsal = self;
    struct sender *sender = sender_create(&rehearsal->options->sender);
    struct job job;
    int64_t turn_us;

    (void)pthread_mutex_lock(&rehearsal->mutex);
    while (take_job(rehearsal, &job, &turn_us)) {
        (void)pthread_mutex_unlock(&rehearsal->mutex);
        sleep_until(turn_us);

        struct sender_result result = sender_send(sender, job.body);

        (void)pthread_mutex_lock(&rehearsal->mutex);
        rehearsal->under_way--;
        count_call(rehearsal, &result);
        settle(rehearsal, &job, &result);
        (void)pthread_cond_broadcast(&rehearsal->changed);
    }
    (void)pthread_mutex_unlock(&rehearsal->mutex);
    sender_destroy(sender);
    return NULL;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static int64_t percentile(const struct rehearsal *rehearsal, size_t percent)
{
    size_t count = rehearsal->latency_count;

    return count > 0 ? rehearsal->latencies[(count * percent + 99) / 100 - 1] : 0;
}

/* Draw the bar until there is no work any more. */
static void watch(struct rehearsal *rehearsal, uint64_t total)
{
    struct progress progress;
    uint64_t shown = 0;
    bool busy = true;

    progress_start(&progress, total);
    while (busy) {
        clock_sleep(TICK_US);
        (void)pthread_mutex_lock(&rehearsal->mutex);

        uint64_t done = rehearsal->result.delivered + rehearsal->result.dead;

        rehearsal->stopping = interrupt_came();
        busy = !rehearsal->stopping && rehearsal->count + rehearsal->under_way > 0;
        (void)pthread_mutex_unlock(&rehearsal->mutex);
        progress_add(&progress, done - shown);
        shown = done;
    }
    progress_end(&progress);
}

static void stop_workers(struct rehearsal *rehearsal)
{
    (void)pthread_mutex_lock(&rehearsal->mutex);
    rehearsal->stopping = true;
    (void)pthread_mutex_unlock(&rehearsal->mutex);
}

bool rehearsal_run(struct rehearsal *rehearsal, struct rehearsal_result *out, struct error *err)
{
    pthread_t threads[WORKERS_MAX];
    uint64_t total = rehearsal->count;
    size_t started = 0;
    bool ok = true;

    for (; ok && started < WORKERS_MAX && started < total; started += ok)
        ok = thread_start(&threads[started], "rehearse", work, rehearsal, err);
    if (ok)
        watch(rehearsal, total);
    else
        stop_workers(rehearsal);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (rehearsal->latency_count > 0)
        qsort(rehearsal->latencies, rehearsal->latency_count, sizeof(int64_t), compare_times);
    rehearsal->result.left = rehearsal->count;
    rehearsal->result.p50_us = percentile(rehearsal, 50);
    rehearsal->result.p99_us = percentile(rehearsal, 99);
    *out = rehearsal->result;
    return ok;
}
