/*
 * test_slow_lane.c - claims about handlers/slow_lane.h.
 */
#include "handlers/slow_lane.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { JOBS = 16 };

static struct slow_lane *lane;
static struct slow_lane_job jobs[JOBS];
static atomic_bool gate_open;
static atomic_int inside;
static atomic_int woken;
static atomic_int released;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[JOBS + 1]; /* names of the jobs in the order they ran */

static bool is_open(void *self)
{
    const struct slow_lane_job *job = self;

    return atomic_load(&gate_open) || atomic_load(&job->abandoned);
}

/* Wait at the gate, then write the name. */
static void run(struct slow_lane_job *job)
{
    char name[2] = { (char)('a' + (job - jobs)), '\0' };

    atomic_fetch_add(&inside, 1);
    (void)wait_until(is_open, job);
    (void)pthread_mutex_lock(&mutex);
    (void)strncat(order, name, sizeof(order) - strlen(order) - 1);
    (void)pthread_mutex_unlock(&mutex);
}

static void release(struct slow_lane_job *job)
{
    (void)job;
    atomic_fetch_add(&released, 1);
}

static void wake(struct waker waker)
{
    (void)waker;
    atomic_fetch_add(&woken, 1);
}

static bool has_entered(void *self)
{
    (void)self;
    return atomic_load(&inside) > 0;
}

static bool are_woken(void *self)
{
    return atomic_load(&woken) >= *(int *)self;
}

static bool is_released(void *self)
{
    (void)self;
    return atomic_load(&released) > 0;
}

static void begin(size_t max_jobs)
{
    struct error err = { 0 };

    memset(jobs, 0, sizeof(jobs));
    memset(order, 0, sizeof(order));
    atomic_store(&gate_open, false);
    atomic_store(&inside, 0);
    atomic_store(&woken, 0);
    atomic_store(&released, 0);
    lane = slow_lane_create(&(struct slow_lane_options){ .threads = 1, .max_jobs = max_jobs });
    CHECK(slow_lane_start(lane, &err));
}

static bool add(size_t index, uint64_t sender)
{
    struct slow_lane_job *job = &jobs[index];

    job->sender = sender;
    job->waker = (struct waker){ .wake = wake };
    job->run = run;
    job->release = release;
    return slow_lane_add(lane, job);
}

/* The worker is at the gate with job 0. */
static void occupy_worker(void)
{
    CHECK(add(0, 1));
    CHECK(wait_until(has_entered, NULL));
}

static void senders_take_turns(void)
{
    int all = 6;

    begin(32);
    occupy_worker();
    CHECK(add(1, 1));
    CHECK(add(2, 1));
    CHECK(add(3, 1));
    CHECK(add(4, 2));
    CHECK(add(5, 3));
    atomic_store(&gate_open, true);
    CHECK(wait_until(are_woken, &all));
    CHECK_STR(str_from_c(order), "abefcd");
    for (size_t i = 0; i < 6; i++) {
        CHECK(slow_lane_is_finished(&jobs[i]));
        CHECK(slow_lane_abandon(lane, &jobs[i]));
    }
    CHECK_INT(atomic_load(&released), 0);
    slow_lane_destroy(lane);
}

static void one_sender_cannot_fill_the_lane(void)
{
    begin(8);
    occupy_worker();
    for (size_t i = 1; i <= 4; i++)
        CHECK(add(i, 1));
    CHECK(!add(5, 1)); /* four places are left for others */
    CHECK(add(5, 2));
    CHECK(add(6, 2));
    CHECK(!add(7, 2));
    CHECK(add(7, 3));
    CHECK(add(8, 4)); /* the last place */
    CHECK(!add(9, 5));
    for (size_t i = 1; i <= 8; i++)
        CHECK(slow_lane_abandon(lane, &jobs[i]));
    CHECK(add(9, 5));
    CHECK(slow_lane_abandon(lane, &jobs[9]));
    CHECK(slow_lane_abandon(lane, &jobs[10])); /* was never added */
    atomic_store(&gate_open, true);
    slow_lane_stop(lane);
    CHECK(slow_lane_abandon(lane, &jobs[0]));
    CHECK_STR(str_from_c(order), "a");
    slow_lane_destroy(lane);
}

static void an_abandoned_job_is_released_by_its_worker(void)
{
    begin(8);
    occupy_worker();
    CHECK(!slow_lane_abandon(lane, &jobs[0])); /* opens the gate, too */
    CHECK(wait_until(is_released, NULL));
    CHECK_INT(atomic_load(&woken), 0);
    slow_lane_destroy(lane);
}

static void the_end_hurries_what_runs_and_leaves_what_waits(void)
{
    begin(8);
    occupy_worker();
    CHECK(add(1, 1));
    slow_lane_stop(lane);
    CHECK(slow_lane_is_finished(&jobs[0]));
    CHECK(!slow_lane_is_finished(&jobs[1]));
    CHECK(slow_lane_abandon(lane, &jobs[1]));
    CHECK(!add(2, 1));
    slow_lane_destroy(lane);
    slow_lane_destroy(NULL);
}

static void waits_are_counted(void)
{
    struct slow_lane_waits waits;
    uint64_t total = 0;
    int all = 2;

    begin(8);
    atomic_store(&gate_open, true);
    CHECK(add(0, 1));
    CHECK(add(1, 2));
    CHECK(wait_until(are_woken, &all));
    slow_lane_waits(lane, &waits);
    for (size_t i = 0; i < SLOW_LANE_BUCKETS; i++)
        total += waits.counts[i];
    CHECK_INT((int64_t)total, 2);
    slow_lane_destroy(lane);
}

int main(void)
{
    RUN(senders_take_turns);
    RUN(one_sender_cannot_fill_the_lane);
    RUN(an_abandoned_job_is_released_by_its_worker);
    RUN(the_end_hurries_what_runs_and_leaves_what_waits);
    RUN(waits_are_counted);
    return test_end();
}
