/*
 * end_limit.h - the process ends in time, whatever its threads still wait for.
 *
 * A disk that hangs holds every thread that writes to it, and nothing can call such a thread back.
 * What was acknowledged is on the disk already, so the process may leave at any moment, as it may
 * be killed at any moment.
 *
 * Threads: all functions belong to main's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct end_limit;

/** Nothing happens before end_limit_set(). ERR_SYSTEM when no thread can be had. Caller owns. */
NODISCARD bool end_limit_create(struct end_limit **out, struct error *err);

/**
 * At `at_us` (clock_monotonic_us()) the process logs `stop_forced` and exits with `status`, unless
 * end_limit_destroy() comes first.
 */
void end_limit_set(struct end_limit *limit, int64_t at_us, int status);

/** NULL is fine. */
void end_limit_destroy(struct end_limit *limit);
