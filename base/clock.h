/*
 * clock.h - the time of day and a clock that never goes back.
 *
 * Microseconds everywhere, as int64_t. Threads: all functions may be called from any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/str.h"

/** The units of time. Multiply by an int64_t where the product may exceed an int. */
enum {
    NS_PER_US = 1000,
    NS_PER_S = 1000000000,
    US_PER_MS = 1000,
    US_PER_S = 1000000,
    US_PER_MINUTE = 60 * US_PER_S,
};

#define US_PER_HOUR INT64_C(3600000000)
#define US_PER_DAY  (24 * US_PER_HOUR)

enum { CLOCK_TEXT_SIZE = 32 };

/** Microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_now_us(void);

/** Microseconds of a clock that only counts forward; for measuring, not for showing. */
int64_t clock_monotonic_us(void);

/** Microseconds of processor time that the calling thread has used. A system call each. */
int64_t clock_thread_us(void);

/**
 * Write `us` (since 1970, UTC) as `YYYY-MM-DDTHH:MM:SS.ffffffZ` (RFC 3339) and a NUL into `text`.
 * Years 0 to 9999; the caller keeps to them.
 */
void clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE]);

/**
 * Microseconds since 1970 of a date and time as RFC 3339 writes it, with offset; digits beyond the
 * sixth of a second are cut, a leap second is the one after it. A date alone is its beginning in
 * UTC. False: it is none.
 */
bool clock_parse(struct str text, int64_t *us);

/** `us` as the system wants it. Not negative. */
struct timespec clock_timespec(int64_t us);

/**
 * A condition whose timed waits count on clock_monotonic_us(); give them
 * clock_timespec(clock_monotonic_us() + patience).
 */
void clock_init_condition(pthread_cond_t *condition);
