/*
 * trusted_time.h - the time by which rows of the store expire.
 *
 * The time of day may be wrong by days for a while, and rows that are deleted meanwhile as too old
 * are lost. So a jump ahead, measured by the monotonic clock, is trusted only after an hour. After
 * a start it is not known how much time has passed since the store was in use: then nothing expires
 * for an hour.
 *
 * Threads: a value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Times of day count microseconds since 1970; the others are of clock_monotonic_us(). */
struct trusted_time {
    int64_t offset_us;     /* the trusted time of day minus the monotonic clock */
    int64_t ahead_us;      /* how far the time of day is ahead of the trusted one; 0: it is not */
    int64_t ahead_from_us; /* since when (monotonic) */
    int64_t keep_until_us; /* nothing expires before this (monotonic) */
};

/** The store is opened and was last in use at `last_us` (time of day; 0: never). */
void trusted_time_init(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us,
                       int64_t last_us);

/** The trusted time of day. Logs a jump when it begins. */
int64_t trusted_time_us(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us);

/** May rows that are too old be deleted? */
bool trusted_time_may_expire(const struct trusted_time *clock, int64_t monotonic_us);
