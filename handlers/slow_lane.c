/*
 * slow_lane.c - see slow_lane.h.
 *
 * Each sender with waiting jobs has a queue. A worker takes the first job of the first sender, and
 * that sender goes to the end of the list of senders.
 */
#include "handlers/slow_lane.h"

#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
    DEFAULT_JOBS = 2048,
    THREADS_MIN = 2,
    THREADS_MAX = 64,
};

enum state { IDLE, QUEUED, RUNNING, FINISHED, ABANDONED };

const int64_t slow_lane_bounds_us[SLOW_LANE_BUCKETS] = {
    100, 500, 1000, 5000, 10000, 50000, 100000, 250000, 500000, 1000000, 2500000, INT64_MAX,
};

/* A sender with jobs that wait. */
struct sender {
    struct list_link link; /* in lane->senders */
    uint64_t id;
    struct list jobs; /* slow_lane_job.link, the oldest first */
    size_t count;
};

struct worker {
    struct slow_lane *lane;
    pthread_t thread;
    struct slow_lane_job *job; /* that it runs; NULL: none. Under the lane's mutex */
};

struct slow_lane {
    struct slow_lane_options options;
    struct worker workers[THREADS_MAX];
    size_t worker_count;

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t work;   /* there is a job, or `stopping` is set */
    bool open;             /* jobs are accepted */
    bool stopping;
    size_t count;        /* jobs that wait */
    struct list senders; /* sender.link, the one whose turn is next first */
    struct slow_lane_waits waits;
};

static size_t default_threads(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : THREADS_MIN;

    return cores < THREADS_MIN ? (size_t)THREADS_MIN : (size_t)cores;
}

struct slow_lane *slow_lane_create(const struct slow_lane_options *options)
{
    struct slow_lane *lane = mem_alloc(sizeof(*lane));

    lane->options = *options;
    if (lane->options.threads == 0)
        lane->options.threads = default_threads();
    if (lane->options.threads > THREADS_MAX)
        lane->options.threads = THREADS_MAX;
    if (lane->options.max_jobs == 0)
        lane->options.max_jobs = DEFAULT_JOBS;
    list_init(&lane->senders);
    (void)pthread_mutex_init(&lane->mutex, NULL);
    (void)pthread_cond_init(&lane->work, NULL);
    return lane;
}

void slow_lane_destroy(struct slow_lane *lane)
{
    if (!lane)
        return;
    slow_lane_stop(lane);
    (void)pthread_cond_destroy(&lane->work);
    (void)pthread_mutex_destroy(&lane->mutex);
    mem_free(lane);
}

/* Queues; the caller holds the mutex. */

static struct sender *sender_of(struct list_link *link)
{
    return link ? CONTAINER_OF(link, struct sender, link) : NULL;
}

static struct sender *find_sender(const struct slow_lane *lane, uint64_t id)
{
    struct list_link *link = list_first(&lane->senders);

    while (link && sender_of(link)->id != id)
        link = list_next(&lane->senders, link);
    return sender_of(link);
}

static struct sender *add_sender(struct slow_lane *lane, uint64_t id)
{
    struct sender *sender = mem_alloc(sizeof(*sender));

    sender->id = id;
    list_init(&sender->jobs);
    list_append(&lane->senders, &sender->link);
    return sender;
}

static void remove_job(struct slow_lane *lane, struct sender *sender, struct slow_lane_job *job)
{
    list_remove(&job->link);
    lane->count--;
    if (--sender->count > 0)
        return;
    list_remove(&sender->link);
    mem_free(sender);
}

/* The first job of the sender whose turn it is; NULL: none waits. */
static struct slow_lane_job *take_job(struct slow_lane *lane)
{
    struct sender *sender = sender_of(list_first(&lane->senders));

    if (!sender)
        return NULL;

    struct slow_lane_job *job = CONTAINER_OF(list_first(&sender->jobs), struct slow_lane_job, link);

    list_remove(&sender->link);
    list_append(&lane->senders, &sender->link);
    remove_job(lane, sender, job);
    return job;
}

static void note_wait(struct slow_lane *lane, int64_t waited_us)
{
    size_t bucket = 0;

    while (waited_us > slow_lane_bounds_us[bucket])
        bucket++;
    lane->waits.counts[bucket]++;
    lane->waits.sum_us += (uint64_t)waited_us;
}

/* Workers. */

/* The owner may free a finished job, so the waker is copied before. */
static void hand_back(struct slow_lane_job *job)
{
    struct waker waker = job->waker;

    if (atomic_exchange(&job->state, FINISHED) == ABANDONED)
        job->release(job);
    else
        waker_wake(waker);
}

/* Run the next job, or wait for one; locked on entry and on return. */
static void run_next(struct slow_lane *lane, struct worker *worker)
{
    struct slow_lane_job *job = take_job(lane);

    if (!job) {
        (void)pthread_cond_wait(&lane->work, &lane->mutex);
        return;
    }
    atomic_store(&job->state, RUNNING);
    note_wait(lane, clock_monotonic_us() - job->queued_us);
    worker->job = job;
    (void)pthread_mutex_unlock(&lane->mutex);
    job->run(job);
    (void)pthread_mutex_lock(&lane->mutex);
    worker->job = NULL;
    (void)pthread_mutex_unlock(&lane->mutex);
    hand_back(job);
    (void)pthread_mutex_lock(&lane->mutex);
}

static void *work(void *self)
{
    struct worker *worker = self;
    struct slow_lane *lane = worker->lane;

    thread_lower_priority();
    (void)pthread_mutex_lock(&lane->mutex);
    while (!lane->stopping)
        run_next(lane, worker);
    (void)pthread_mutex_unlock(&lane->mutex);
    return NULL;
}

bool slow_lane_start(struct slow_lane *lane, struct error *err)
{
    bool ok = true;

    (void)pthread_mutex_lock(&lane->mutex);
    while (ok && lane->worker_count < lane->options.threads) {
        struct worker *worker = &lane->workers[lane->worker_count];

        worker->lane = lane;
        ok = thread_start(&worker->thread, "slow-lane", work, worker, err);
        lane->worker_count += ok;
    }
    lane->open = ok;
    (void)pthread_mutex_unlock(&lane->mutex);
    if (!ok)
        slow_lane_stop(lane);
    return ok;
}

void slow_lane_stop(struct slow_lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    lane->open = false;
    lane->stopping = true;
    for (size_t i = 0; i < lane->worker_count; i++)
        if (lane->workers[i].job)
            atomic_store(&lane->workers[i].job->abandoned, true);
    (void)pthread_cond_broadcast(&lane->work);
    (void)pthread_mutex_unlock(&lane->mutex);
    for (size_t i = 0; i < lane->worker_count; i++)
        (void)pthread_join(lane->workers[i].thread, NULL);
    lane->worker_count = 0;
}

/* For the threads that add jobs. */

bool slow_lane_add(struct slow_lane *lane, struct slow_lane_job *job)
{
    (void)pthread_mutex_lock(&lane->mutex);

    struct sender *sender = find_sender(lane, job->sender);
    size_t left = lane->options.max_jobs - lane->count;
    bool ok = lane->open && left > 0 && (!sender || sender->count < left);

    if (ok) {
        sender = sender ? sender : add_sender(lane, job->sender);
        atomic_store(&job->state, QUEUED);
        job->queued_us = clock_monotonic_us();
        list_append(&sender->jobs, &job->link);
        sender->count++;
        lane->count++;
        (void)pthread_cond_signal(&lane->work);
    }
    (void)pthread_mutex_unlock(&lane->mutex);
    return ok;
}

bool slow_lane_is_finished(const struct slow_lane_job *job)
{
    return atomic_load(&job->state) == FINISHED;
}

bool slow_lane_abandon(struct slow_lane *lane, struct slow_lane_job *job)
{
    (void)pthread_mutex_lock(&lane->mutex);

    bool queued = atomic_load(&job->state) == QUEUED;

    if (queued) {
        remove_job(lane, find_sender(lane, job->sender), job);
        atomic_store(&job->state, IDLE);
    }
    (void)pthread_mutex_unlock(&lane->mutex);
    if (queued || atomic_load(&job->state) == IDLE)
        return true;
    atomic_store(&job->abandoned, true);
    return atomic_exchange(&job->state, ABANDONED) == FINISHED;
}

void slow_lane_waits(struct slow_lane *lane, struct slow_lane_waits *out)
{
    (void)pthread_mutex_lock(&lane->mutex);
    *out = lane->waits;
    (void)pthread_mutex_unlock(&lane->mutex);
}
