/*
 * history.h - the last hour of a server, in steps of 10 seconds, for the console.
 *
 * For each route: events accepted, refused and failed in each step. For each sink: records
 * delivered in each step, and how many waited and were dead at its end. Memory is bounded; routes
 * and sinks beyond the first HISTORY_SERIES_MAX of each have no history.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "handlers/status.h"

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
 * End a step: `state` is what metrics_write_state() writes, `now_us` the time of day. The first
 * call only begins the first step.
 */
void history_add(struct history *history, struct str state, enum status_map map, int64_t now_us);

/**
 * Add `{"step_s":10,"end":"...","count":N,"routes":[{"name":"r","accepted":[...],"refused":[...],
 * "failed":[...]}],"sinks":[{"name":"s","delivered":[...],"pending":[...],"dead":[...]}]}`. Each
 * list has N numbers, the oldest first.
 */
void history_write(const struct history *history, struct buf *out);
