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
struct outbox_clock {
    int64_t offset_us;     /* the believed time of day less the monotonic clock */
    int64_t ahead_us;      /* how far the time of day is ahead of that; 0: it is not */
    int64_t ahead_from_us; /* since when (monotonic) */
    int64_t keep_until_us; /* nothing is forgotten before this (monotonic) */
};

/** The store is opened, and was in use at `last_us` (time of day; 0: never). */
void outbox_clock_init(struct outbox_clock *clock, int64_t now_us, int64_t monotonic_us,
                       int64_t last_us);

/** The time of day that is believed. A jump is logged when it begins. */
int64_t outbox_clock_believed_us(struct outbox_clock *clock, int64_t now_us, int64_t monotonic_us);

/** May what is too old be forgotten? */
bool outbox_clock_may_forget(const struct outbox_clock *clock, int64_t monotonic_us);
