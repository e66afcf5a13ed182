/*
 * clock.h - the time by which a store forgets: a jump ahead is believed once it has held.
 *
 * The time of day may be wrong for a while, by days. What is deleted meanwhile for being too old
 * does not come back. So the monotonic clock decides: what the time of day has gained on it is
 * believed after an hour. The same after a start, where nothing tells how much time has passed
 * since the store was in use.
 *
 * For delivery/outbox*.c alone. Threads: a value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Times of day count microseconds since 1970; the others are of clock_monotonic_us(). */
struct trusted_time {
    int64_t offset_us;     /* the believed time of day less the monotonic clock */
    int64_t ahead_us;      /* how far the time of day is ahead of that; 0: it is not */
    int64_t ahead_from_us; /* since when (monotonic) */
    int64_t keep_until_us; /* nothing is forgotten before this (monotonic) */
};

/** The store is opened, and was in use at `last_us` (time of day; 0: never). */
void trusted_time_init(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us,
                       int64_t last_us);

/** The time of day that is believed. A jump is logged when it begins. */
int64_t trusted_time_us(struct trusted_time *clock, int64_t now_us, int64_t monotonic_us);

/** May what is too old be forgotten? */
bool trusted_time_may_expire(const struct trusted_time *clock, int64_t monotonic_us);
