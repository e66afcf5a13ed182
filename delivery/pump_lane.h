/*
 * pump_lane.h - what a sink's backlog has gone through lately in one lane, new records or retries:
 * how many records the next batch may have, and whose fault it is when none of a batch arrives.
 *
 * A receiver may answer 500, hang or reset for one record alone, as it does for all when it is
 * down. What tells them apart is whether others arrive meanwhile. So failures in a row with the
 * same record in front are counted; batches shrink until it stands alone; and then a later record
 * is tried as a probe. As long as no other record arrives, the sink is at fault. A record that was
 * blamed once need not be proved guilty again: that no other one has failed since one arrived will
 * do.
 *
 * Threads: a lane and what is known of a sink belong to one thread. No clock is read and nothing
 * else is touched here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUMP_LANE_PROBE_REACH = 64 }; /* how far behind the record at fault a probe is looked for */

/** What a sink's answers have shown, in whatever lane. Begins as zeroes. */
struct pump_signs {
    uint64_t arrived; /* how many records the sink has got */
    int64_t failed;   /* sequence of a record that failed since the last one arrived, alone, and */
    bool has_failed;  /* was not to blame for it; if there is one, */
    bool others_failed; /* and others, too */
};

/** Records arrived. */
void pump_signs_arrived(struct pump_signs *signs, size_t count);

enum { PUMP_SIGNS_MANY = 2 };

/** A batch failed, by the sink's fault for all that is known; of `count` records, or of any. */
void pump_signs_failed(struct pump_signs *signs, int64_t sequence, size_t count);

struct pump_lane {
    size_t most;        /* records in a batch, */
    size_t limit;       /* and in the next one: fewer while a culprit is looked for */
    int64_t suspect;    /* sequence of the record in front when a batch failed last, */
    int64_t failures;   /* and how often in a row; 0: there is none */
    int64_t next_probe; /* at this failure */
    unsigned probes;    /* that were tried in vain, while it was in front */
    uint64_t arrived;   /* how many records the sink had got when it failed last */
    bool is_named;      /* pump_lane_names() has said yes for it */
};

/** A batch of which nothing arrived, by a fault that may be the sink's. */
struct pump_lane_failure {
    int64_t sequence; /* of its first record, */
    bool was_blamed;  /* which failed by its own fault before */
    size_t count;     /* records in it */
};

enum pump_blame {
    PUMP_BLAME_SINK,    /* for all that is known */
    PUMP_BLAME_UNKNOWN, /* a probe would tell */
    PUMP_BLAME_RECORD,  /* others arrived meanwhile */
};

void pump_lane_init(struct pump_lane *lane, size_t most);

/** The last batch had `count` records, and one of them is at fault: the next ones have half. */
void pump_lane_halve(struct pump_lane *lane, size_t count);

/** The last batch was answered record by record: the next one may have twice as many. */
void pump_lane_grow(struct pump_lane *lane);

/** Count a failure, shrink what comes next, and judge. */
enum pump_blame pump_lane_fail(struct pump_lane *lane, const struct pump_lane_failure *failure,
                               const struct pump_signs *signs);

/** Which of `count` records, of which the first is the suspect, is to be tried now. */
size_t pump_lane_probe_at(const struct pump_lane *lane, size_t count);

/** The probe did not arrive either. */
void pump_lane_probe_failed(struct pump_lane *lane);

/** What failed was the record's own fault. The next failure is judged afresh. */
void pump_lane_forget(struct pump_lane *lane);

/** Does the record in front, tried alone, fail for the third time or more? Once for each record. */
bool pump_lane_names(struct pump_lane *lane, size_t count);
