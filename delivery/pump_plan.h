/*
 * pump_plan.h - what a sink's answer means: what becomes of each record, and when to go on.
 *
 * If a record is at fault its attempts are counted, and after `max_attempts` it is set aside. (But
 * not after the first one if only the arrival of others shows its fault.) A record that the target
 * can never take is set aside at once. If the sink is at fault no attempt is counted, and the pump
 * pauses, unless other records of the batch arrived. Pauses have full jitter: a random time up to a
 * bound that doubles with each failure in a row, so that pumps do not retry together.
 *
 * Threads: pure functions; a plan belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/outbox/backlog.h"
#include "delivery/sinks/sink.h"

struct pump_rules {
    enum backlog_order order;
    bool is_awaited;        /* senders wait for each record: a failure must not delay others */
    int64_t max_attempts;   /* by a record's own fault, before it is set aside; 0: no limit */
    int64_t max_backoff_us; /* the longest time between attempts */
    int64_t linger_us;      /* how long a record may wait for a batch to fill */
    int64_t rate;           /* the most records in a second; 0: no limit */
};

struct pump_plan {
    struct backlog_result *results; /* one for each record; the caller's */
    size_t delivered;
    size_t refused;             /* and tried again later */
    size_t dead;                /* and set aside */
    bool any;                   /* does a result change something? */
    bool is_first_refusal;      /* a record was refused for the first time */
    size_t first_refused;       /* index of the first such result, if any */
    size_t first_dead;          /* likewise */
    const char *refused_reason; /* of the first record that was refused; NULL: none */
    const char *failed_reason;  /* of the first record that was postponed; NULL: none */
    const char *misconfigured;  /* the same if the sink is misconfigured; NULL: it is not */
    bool is_partial;  /* later records than the first postponed one arrived: the sink works */
    bool is_late;     /* the call began before the sink's last failure: no news of the sink */
    int64_t pause_us; /* before the next batch */
};

/** A random pause after `failures` in a row (at least 1), at most `most_us`; `random`: any bits. */
int64_t pump_backoff_us(int64_t failures, int64_t most_us, uint64_t random);

/** One batch and the sink's answer. */
struct pump_tried {
    const struct backlog_record *records;
    size_t count;
    const struct sink_answer *answer;
    int64_t failures; /* batches in a row that failed by the sink's fault, before this one */
    int64_t now_us;   /* time of day */
    bool is_blamed;   /* the first was postponed and is at fault, since others arrive */
    bool is_apart;    /* other records arrive: these wait, and the sink does not */
    bool is_late;     /* as in the plan */
};

/** Fill `plan`, and `plan->results` with one for each record. */
void pump_plan_make(struct pump_plan *plan, const struct pump_rules *rules,
                    const struct pump_tried *tried, uint64_t *random);

/**
 * One of several records made the batch fail as a whole, while senders wait for each: each is tried
 * again at once. (Without a store a record that was delayed goes alone.)
 */
void pump_plan_split(struct pump_plan *plan, const struct pump_tried *tried);
