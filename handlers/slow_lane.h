/*
 * slow_lane.h - worker threads for requests that need more time than a loop thread may spend.
 *
 * A loop thread hands a job over and goes on with other connections. The queue is bounded, and
 * senders take turns: one that queues many jobs delays its own, not those of others. The workers
 * run at a lower priority than the loop threads.
 *
 * Ownership: a job belongs to the lane from slow_lane_add() on. It comes back to the caller when
 * slow_lane_is_finished() says so, or when slow_lane_abandon() returns true; a job that a worker
 * runs at that moment is released by the worker.
 *
 * Threads: create, start and stop belong to one thread; the rest may be called from any, for one
 * job from the thread that added it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/waker.h"

enum { SLOW_LANE_BUCKETS = 12 };

struct slow_lane;

/** Part of what is worked on. The caller fills in the first four; the rest begins as zeroes. */
struct slow_lane_job {
    uint64_t sender;                            /* jobs of one sender count together */
    struct waker waker;                         /* used when the job is finished */
    void (*run)(struct slow_lane_job *job);     /* the work, on a worker */
    void (*release)(struct slow_lane_job *job); /* ends an abandoned job, on a worker */

    atomic_bool abandoned; /* nobody wants the result: run() should end soon */

    /* The lane's own. */
    atomic_int state;
    int64_t queued_us;
    struct slow_lane_job *next;
};

struct slow_lane_options {
    size_t threads;  /* 0: one per core, at least two */
    size_t max_jobs; /* that may wait; 0: a usual number */
};

/** How long jobs waited for a worker, since the start. */
struct slow_lane_waits {
    uint64_t counts[SLOW_LANE_BUCKETS]; /* by upper bound */
    uint64_t sum_us;
};

/** Upper bounds in microseconds; the last is INT64_MAX. */
extern const int64_t slow_lane_bounds_us[SLOW_LANE_BUCKETS];

/** A lane without workers; until slow_lane_start() it takes no jobs. The caller owns it. */
struct slow_lane *slow_lane_create(const struct slow_lane_options *options);

/** Start the workers. ERR_SYSTEM. */
NODISCARD bool slow_lane_start(struct slow_lane *lane, struct error *err);

/**
 * Take no more jobs, and end the workers; jobs under way are told to end soon. Jobs that wait stay
 * with their owners, who abandon them. Does nothing when it does not run.
 */
void slow_lane_stop(struct slow_lane *lane);

/** Stops it first. No job may be left in it. NULL is fine. */
void slow_lane_destroy(struct slow_lane *lane);

/**
 * Queue a job. False: the lane is full, or this sender has its share of it. A sender may have as
 * many jobs waiting as there are places left for others.
 */
NODISCARD bool slow_lane_add(struct slow_lane *lane, struct slow_lane_job *job);

/** Has run() returned? What it wrote can be read then. */
bool slow_lane_is_finished(const struct slow_lane_job *job);

/**
 * The result is not wanted any more. True: the job is the caller's again (it did not run, or is
 * finished). False: it runs, and its worker calls release() soon.
 */
NODISCARD bool slow_lane_abandon(struct slow_lane *lane, struct slow_lane_job *job);

void slow_lane_waits(struct slow_lane *lane, struct slow_lane_waits *out);
