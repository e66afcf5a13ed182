/*
 * history.h - the last hour of a server, in steps of 10 seconds, for the console.
 *
 * For each route: events accepted, refused and failed in each step. For each sink: records
 * delivered in each step, and how many waited and were dead at its end. Memory is bounded; routes
 * and sinks beyond the first HISTORY_SERIES_MAX of each have no history. The history of one that a
 * reload has removed goes after an hour, or when another one needs its place.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "delivery/outbox/outbox.h"
#include "server/totals.h"

enum {
    HISTORY_STEPS = 360,
    HISTORY_SERIES_MAX = 64,
    HISTORY_STEP_S = 10,
};

struct history;

/** The caller owns it. */
struct history *history_create(void);

/** NULL is fine. */
void history_destroy(struct history *history);

/**
 * Begin to end a step: the counters of all routes and sinks follow, then history_end(). The first
 * time only begins the first step.
 */
void history_begin(struct history *history);
void history_add_route(struct history *history, const char *name, const struct totals *totals);
void history_add_sink(struct history *history, const struct outbox_sink_counters *sink);

/** `now_us`: the time of day. */
void history_end(struct history *history, int64_t now_us);

/**
 * Add `{"step_s":10,"end":"...","count":N,"routes":[{"name":"r","accepted":[...],"refused":[...],
 * "failed":[...]}],"sinks":[{"name":"s","delivered":[...],"pending":[...],"dead":[...]}]}`. Each
 * list has N numbers, the oldest first.
 */
void history_write(const struct history *history, struct buf *out);
