/*
 * end_limit.h - ends the process in time, even when its threads still wait.
 *
 * A hanging disk blocks each thread that writes to it, and no call interrupts such a thread. All
 * acknowledged events are on the disk by then, so the process may exit at any moment, as it may be
 * killed at any moment.
 *
 * Threads: main only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct end_limit;

/** Start its thread, which waits for end_limit_set(). ERR_SYSTEM. The caller owns it. */
NODISCARD bool end_limit_create(struct end_limit **out, struct error *err);

/**
 * At `at_us` (clock_monotonic_us()) log `stop_forced` and exit with 0, unless end_limit_destroy()
 * is called before.
 */
void end_limit_set(struct end_limit *limit, int64_t at_us);

/** NULL is fine. */
void end_limit_destroy(struct end_limit *limit);
