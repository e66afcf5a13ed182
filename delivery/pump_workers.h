/*
 * pump_workers.h - the deliveries of one pump that run at the same time.
 *
 * There is a call for each slot of the sink. A call belongs to the pump's thread, except while its
 * worker, a thread that is started when it is first needed, delivers its records.
 *
 * Threads: everything belongs to the pump's thread, except pump_workers_stop().
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tracing/tracer.h"
#include "delivery/outbox/backlog.h"
#include "delivery/sinks/sink.h"

struct pump_workers;

struct pump_workers_options {
    const char *name;        /* of the sink */
    const struct sink *sink; /* outlives the workers, as `name` and `store` do */
    const char *store;       /* the store's id */
    bool in_order;
    struct tracer *tracer;    /* NULL: deliveries have no spans */
    atomic_size_t *in_flight; /* counts the deliveries that run */
    void (*wake)(void *self); /* a call has ended; any thread */
    void *self;
};

struct pump_call {
    size_t slot;
    struct arena *arena;         /* for one batch */
    struct backlog_batch *batch; /* NULL: none was taken yet */
    struct sink_answer answer;   /* one outcome for each record of the batch */
    uint64_t generation;         /* the pump's, when it began */
};

/** A record as the sink sees it. */
struct sink_record pump_workers_record(const struct backlog_record *record);

/** The caller owns them. */
struct pump_workers *pump_workers_create(const struct pump_workers_options *options);

/** End the threads. No call may be under way. NULL is allowed. */
void pump_workers_destroy(struct pump_workers *workers);

/** A call that is not under way; NULL: all are. */
struct pump_call *pump_workers_idle(struct pump_workers *workers);

/** How many calls are under way, or have ended and were not taken. */
size_t pump_workers_busy(const struct pump_workers *workers);

/**
 * Deliver in this thread the `count` records of the call's batch from `first` on. Records that the
 * sink has under way are passed to it again until they are decided, or until pump_workers_stop().
 */
void pump_workers_deliver(struct pump_workers *workers, struct pump_call *call, size_t first,
                          size_t count);

/** Deliver the batch in the call's own thread. */
void pump_workers_start(struct pump_workers *workers, struct pump_call *call);

/** A call that has ended, and is not under way any more; NULL: there is none. */
struct pump_call *pump_workers_ended(struct pump_workers *workers);

/** The call's batch is settled: the call is idle. */
void pump_workers_release(struct pump_workers *workers, struct pump_call *call);

/** Do not wait for records that the sink has under way. */
void pump_workers_stop(struct pump_workers *workers);
