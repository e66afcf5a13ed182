/*
 * clock.h - the time of day, clocks for measuring, and the units and texts of time.
 *
 * A time or duration is an int64_t of microseconds, named *_us.
 *
 * Threads: any thread may call any function.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/str.h"

/** The units of time; all are int64_t. */
#define NS_PER_US     INT64_C(1000)
#define NS_PER_S      INT64_C(1000000000)
#define US_PER_MS     INT64_C(1000)
#define US_PER_S      INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)
#define US_PER_HOUR   INT64_C(3600000000)
#define US_PER_DAY    (24 * US_PER_HOUR)

/** The time of day: microseconds since 1970-01-01T00:00:00Z. It jumps when it is set. */
int64_t clock_now_us(void);

/** Microseconds of a clock that is never set; its start is arbitrary. For durations and deadlines.
 */
int64_t clock_monotonic_us(void);

/** Microseconds of processor time that the calling thread has used. Costs a system call. */
int64_t clock_thread_us(void);

enum { CLOCK_TEXT_LEN = sizeof("1970-01-01T00:00:00.000000Z") - 1, CLOCK_TEXT_SIZE = 32 };

/**
 * Write `us` (since 1970) as `YYYY-MM-DDTHH:MM:SS.ffffffZ` (RFC 3339) and a NUL. The year must be 0
 * to 9999.
 */
void clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE]);

/**
 * Read a date and time with an offset (RFC 3339), or a date alone, which means its first moment in
 * UTC. Digits after the sixth of the fraction are dropped; second 60 is the second after it. False
 * when `text` is neither.
 */
bool clock_parse(struct str text, int64_t *us);

/** Read a date of HTTP: `Wed, 25 Nov 2026 18:00:00 GMT` (RFC 9110, IMF-fixdate). */
bool clock_parse_http(struct str text, int64_t *us);

/** `us`, not negative, as a struct timespec. */
struct timespec clock_timespec(int64_t us);

/** Wait for `us` microseconds, not negative, whatever signals come. */
void clock_sleep(int64_t us);

/**
 * Initialise a condition whose timed waits use clock_monotonic_us(): to wait for N microseconds,
 * pass clock_timespec(clock_monotonic_us() + N).
 */
void clock_init_condition(pthread_cond_t *condition);
