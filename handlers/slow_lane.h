/*
 * slow_lane.h - worker threads for requests that need more time than a loop thread may spend.
 *
 * A loop thread adds a job and goes on with other connections. The queue is bounded, and senders
 * take turns: a sender that queues many jobs delays its own jobs only. The workers run at a lower
 * priority than the loop threads.
 *
 * Ownership: a job belongs to the lane from slow_lane_add() until slow_lane_is_finished() or
 * slow_lane_abandon() returns true. A job that is abandoned while a worker runs it is released by
 * the worker.
 *
 * Threads: create, start and stop belong to one thread. The other functions may be called from any
 * thread; those about a job, from the thread that added it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/list.h"
#include "base/waker.h"

enum { SLOW_LANE_BUCKETS = 12 };

struct slow_lane;

/** A member of the caller's struct. The caller sets the first four; the rest begins as zeroes. */
struct slow_lane_job {
    uint64_t sender;                            /* whose share of the queue it takes */
    struct waker waker;                         /* used when the job is finished */
    void (*run)(struct slow_lane_job *job);     /* the work, on a worker */
    void (*release)(struct slow_lane_job *job); /* frees an abandoned job, on a worker */

    atomic_bool abandoned; /* the result is not wanted: run() should end soon */

    /* Private to the lane. */
    atomic_int state;
    int64_t queued_us;
    struct list_link link;
};

struct slow_lane_options {
    size_t threads;  /* 0: one per core, at least two */
    size_t max_jobs; /* that may wait; 0: the default */
};

/** How long jobs waited for a worker, since the start. */
struct slow_lane_waits {
    uint64_t counts[SLOW_LANE_BUCKETS]; /* by upper bound */
    uint64_t sum_us;
};

/** Upper bounds in microseconds; the last is INT64_MAX. */
extern const int64_t slow_lane_bounds_us[SLOW_LANE_BUCKETS];

/** A lane without workers, which accepts no jobs until slow_lane_start(). The caller owns it. */
struct slow_lane *slow_lane_create(const struct slow_lane_options *options);

/** Start the workers. ERR_SYSTEM. */
NODISCARD bool slow_lane_start(struct slow_lane *lane, struct error *err);

/**
 * Accept no more jobs, set `abandoned` in the jobs that run, and join the workers. The owners of
 * jobs that still wait must abandon them. Does nothing if the lane does not run.
 */
void slow_lane_stop(struct slow_lane *lane);

/** Stop it, then free it. No job may be left in it. NULL is fine. */
void slow_lane_destroy(struct slow_lane *lane);

/**
 * Queue a job. False: the lane is full, or this sender has its share: as many waiting jobs as there
 * are free places.
 */
NODISCARD bool slow_lane_add(struct slow_lane *lane, struct slow_lane_job *job);

/** Has run() returned? Then the caller may read what it wrote. */
bool slow_lane_is_finished(const struct slow_lane_job *job);

/**
 * Give up the result. True: the caller owns the job again (it did not run, or is finished). False:
 * it runs, and its worker calls release().
 */
NODISCARD bool slow_lane_abandon(struct slow_lane *lane, struct slow_lane_job *job);

void slow_lane_waits(struct slow_lane *lane, struct slow_lane_waits *out);
