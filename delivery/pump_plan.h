/*
 * pump_plan.h - what a sink's answer means: what becomes of each record, and when to go on.
 *
 * A record's own fault counts against it and, after `max_attempts`, sets it aside; a fault of the
 * sink counts against nobody and makes the pump wait. Waiting is full jitter: any time up to a
 * bound that doubles with each failure in a row, so that many pumps do not come back together.
 *
 * Threads: a plan belongs to one thread. No clock is read and nothing else is touched here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/outbox/backlog.h"
#include "delivery/sinks/sink.h"

struct pump_rules {
    bool ordered;           /* stop at the first record that is not delivered */
    bool is_awaited;        /* senders wait for each record: a failure delays nothing else */
    int64_t max_attempts;   /* by a record's own fault, before it is set aside; 0: no end */
    int64_t max_backoff_us; /* the longest time between attempts */
};

struct pump_plan {
    struct backlog_result *results; /* one for each record; the caller's */
    size_t delivered;
    size_t refused;             /* of those the pump will try again, */
    size_t dead;                /* and those that it will not */
    bool any;                   /* is there a result that changes something? */
    bool is_first_refusal;      /* was a record refused that never was before? */
    size_t first_refused;       /* of the results, when there is one, */
    size_t first_dead;          /* likewise */
    const char *refused_reason; /* of the first record refused, and */
    const char *failed_reason;  /* of the first that the sink's fault kept; NULL: none */
    int64_t pause_us;           /* before the sink is tried again; 0: go on at once */
};

/** Any time up to what `failures` in a row, at least 1, and `most_us` allow; `random`: any bits. */
int64_t pump_backoff_us(int64_t failures, int64_t most_us, uint64_t random);

/** One batch and what the sink said of it. */
struct pump_tried {
    const struct backlog_record *records;
    size_t count;
    const struct sink_answer *answer;
    int64_t failures; /* batches in a row that failed by the sink's fault, before this one */
    int64_t now_us;   /* time of day */
    bool is_blamed;   /* the first was postponed, and that is its own fault: others arrive */
};

/**
 * The first record of several was postponed, and another one, at `arrived`, was tried alone and
 * arrived: the first is at fault. What stands between them waits its turn as a retry.
 */
void pump_plan_probe(struct pump_plan *plan, const struct pump_rules *rules,
                     const struct pump_tried *tried, size_t arrived, uint64_t *random);

/** Fill `plan`, but for `results`, which it fills with one for each record. */
void pump_plan_make(struct pump_plan *plan, const struct pump_rules *rules,
                    const struct pump_tried *tried, uint64_t *random);
