/*
 * pump_lane.h - for one lane of a sink's backlog, new records or retries: how many records the next
 * batch may have, and what is at fault if no record of a batch arrives: the sink, or one record.
 *
 * A receiver may answer 500, hang or reset because of one record, as it does for all records when
 * it is down. The difference is whether other records arrive meanwhile. So the pump counts failures
 * in a row with the same first record; batches shrink until it is alone; then a later record is
 * tried as a probe. As long as no other record arrives, the sink is at fault. If a record was at
 * fault before, no probe is needed: it is enough that no other record has failed since one arrived.
 *
 * A receiver, or the proxy before it, may also answer 503 because of one record. Since that usually
 * means overload, the first probe comes one failure later, batches do not shrink before the third
 * failure, and probes are few: after the fourth, eighth, sixteenth failure and so on.
 *
 * Threads: pure functions; the structs belong to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUMP_LANE_PROBE_REACH = 64 }; /* a probe is at most so many records after the suspect */

/** What a sink's answers have shown, in all lanes. Begins as zeroes. */
struct pump_signs {
    uint64_t arrived; /* records that have arrived */

    /* Since the last arrival: */
    int64_t failed;     /* sequence of the first record of the last batch that failed */
    bool has_failed;    /* a batch has failed; else `failed` is not set */
    bool others_failed; /* other records than `failed` have failed, too */
};

/** Records arrived. */
void pump_signs_arrived(struct pump_signs *signs, size_t count);

enum { PUMP_SIGNS_MANY = 2 };

/** A batch failed that begins with `sequence`, as far as is known by the sink's fault. */
void pump_signs_failed(struct pump_signs *signs, int64_t sequence, size_t count);

/** Have records arrived, and has none but this one failed since then? */
bool pump_signs_show_one(const struct pump_signs *signs, int64_t sequence);

struct pump_lane {
    size_t most;      /* the most records in a batch */
    size_t limit;     /* the same for the next one; lower while the record at fault is searched */
    int64_t suspect;  /* sequence of the first record of the last batch that failed */
    int64_t failures; /* in a row with this first record; 0: there is no suspect */
    int64_t first_probe; /* the number of failures from which on each is followed by a probe */
    unsigned probes;     /* probes for this suspect that failed */
    uint64_t arrived;    /* pump_signs.arrived at the last failure */
    bool is_named;       /* pump_lane_names() has returned true for this suspect */
};

/** A batch of which no record arrived, perhaps by the sink's fault. */
struct pump_lane_failure {
    int64_t sequence; /* of its first record */
    bool was_blamed;  /* the first record has failed by its own fault before */
    size_t count;     /* records in it */
    bool is_busy;     /* the target says that it takes no records now */
};

enum pump_blame {
    PUMP_BLAME_SINK,    /* as far as is known */
    PUMP_BLAME_UNKNOWN, /* try a probe */
    PUMP_BLAME_RECORD,  /* others arrive */
};

void pump_lane_init(struct pump_lane *lane, size_t most);

/** One of the `count` records of the last batch is at fault: the next batch has half. */
void pump_lane_halve(struct pump_lane *lane, size_t count);

/** The last batch was answered record by record: the next one may have twice as many. */
void pump_lane_grow(struct pump_lane *lane);

/** Count a failure, shrink the next batch, and return what is at fault. */
enum pump_blame pump_lane_fail(struct pump_lane *lane, const struct pump_lane_failure *failure,
                               const struct pump_signs *signs);

/** The index of the probe in the `count` records after the suspect. */
size_t pump_lane_probe_at(const struct pump_lane *lane, size_t count);

/** The probe did not arrive either. */
void pump_lane_probe_failed(struct pump_lane *lane);

/** The record was at fault. The next failure begins a new count. */
void pump_lane_forget(struct pump_lane *lane);

/**
 * Must the pump log now that the suspect blocks the lane? True once for each suspect, when it has
 * failed three times or more in a row, the last time alone (`count` is 1).
 */
bool pump_lane_names(struct pump_lane *lane, size_t count);

/** Are batches smaller than they may be, since a record at fault is searched? */
static inline bool pump_lane_is_searching(const struct pump_lane *lane)
{
    return lane->limit < lane->most;
}
