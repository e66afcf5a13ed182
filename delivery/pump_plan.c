/*
 * pump_plan.c - see pump_plan.h.
 */
#include "delivery/pump_plan.h"

#include "base/clock.h"

enum { FIRST_BACKOFF_US = US_PER_S, MOST_DOUBLINGS = 30 };

/* Knuth's MMIX generator: random enough to keep pumps apart. The high bits are the good ones. */
static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 16;
}

int64_t pump_backoff_us(int64_t failures, int64_t most_us, uint64_t random)
{
    int64_t doublings = failures - 1 < MOST_DOUBLINGS ? failures - 1 : MOST_DOUBLINGS;
    int64_t bound = (int64_t)FIRST_BACKOFF_US << doublings;

    if (bound > most_us)
        bound = most_us;
    return (int64_t)(random % (uint64_t)(bound + 1));
}

/* The pause: by the number of failures, but not shorter than the sink asked for. */
static int64_t pause_after(const struct pump_rules *rules, const struct pump_tried *tried,
                           uint64_t *random)
{
    int64_t own_us = pump_backoff_us(tried->failures + 1, rules->max_backoff_us, draw(random));
    int64_t asked_us = tried->answer->retry_after_us;

    if (asked_us > rules->max_backoff_us)
        asked_us = rules->max_backoff_us;
    return own_us > asked_us ? own_us : asked_us;
}

/* A record is not set aside when it is blamed for the first time: the sink may have just recovered.
 */
static bool is_over(const struct pump_rules *rules, const struct pump_tried *tried,
                    int64_t attempts)
{
    return rules->max_attempts > 0 && attempts >= rules->max_attempts &&
           !(tried->is_blamed && attempts == 1);
}

static const char *reason_at(const struct pump_tried *tried, size_t index)
{
    const char *reason = tried->answer->outcomes[index].reason;

    return reason ? reason : "not confirmed";
}

static void plan_dead(struct pump_plan *plan, const struct pump_tried *tried, size_t index)
{
    if (!plan->refused_reason)
        plan->refused_reason = reason_at(tried, index);
    if (plan->dead++ == 0)
        plan->first_dead = index;
    plan->results[index].reason = reason_at(tried, index);
    plan->results[index].verdict = BACKLOG_DEAD;
}

static void plan_refused(struct pump_plan *plan, const struct pump_rules *rules,
                         const struct pump_tried *tried, size_t index, uint64_t *random)
{
    struct backlog_result *result = &plan->results[index];
    int64_t attempts = tried->records[index].attempts + 1;

    if (attempts == 1 && !tried->is_blamed)
        plan->is_first_refusal = true;
    if (is_over(rules, tried, attempts)) {
        plan_dead(plan, tried, index);
        return;
    }
    result->reason = reason_at(tried, index);
    if (!plan->refused_reason)
        plan->refused_reason = result->reason;
    result->verdict = BACKLOG_FAILED;
    result->next_at_us =
        tried->now_us + pump_backoff_us(attempts, rules->max_backoff_us, draw(random));
    if (plan->refused++ == 0)
        plan->first_refused = index;
}

static void plan_postponed(struct pump_plan *plan, const struct pump_rules *rules,
                           const struct pump_tried *tried, size_t index, uint64_t *random)
{
    struct backlog_result *result = &plan->results[index];

    result->reason = reason_at(tried, index);
    if (!plan->failed_reason) {
        plan->failed_reason = result->reason;
        plan->pause_us = pause_after(rules, tried, random);
    }
    if (!plan->misconfigured && tried->answer->outcomes[index].result == SINK_MISCONFIGURED)
        plan->misconfigured = result->reason;
    result->verdict = BACKLOG_DELAYED;
    result->next_at_us = tried->now_us + plan->pause_us;
}

static void plan_delivered(struct pump_plan *plan, size_t index)
{
    plan->results[index].verdict = BACKLOG_DELIVERED;
    plan->delivered++;
    plan->is_partial = plan->is_partial || plan->failed_reason;
}

/* Records at the end that were postponed stay in their lane, in order. */
static void leave_the_last(struct pump_plan *plan, size_t count)
{
    while (count > 0 && (plan->results[count - 1].verdict == BACKLOG_DELAYED ||
                         plan->results[count - 1].verdict == BACKLOG_UNTRIED))
        plan->results[--count].verdict = BACKLOG_UNTRIED;
    plan->any = count > 0;
}

/* Each record is tried again at its own time; others do not wait for it. */
static void delay_each(struct pump_plan *plan)
{
    plan->any = true;
    plan->pause_us = 0;
}

/* Does the plan stop at a record with this verdict? */
static bool stops(const struct pump_rules *rules, enum backlog_verdict verdict)
{
    return rules->order == BACKLOG_STRICT && verdict != BACKLOG_DELIVERED &&
           verdict != BACKLOG_DEAD;
}

/* Was the record left out, since one before it was not delivered? */
static bool is_left_out(const struct pump_plan *plan, const struct pump_rules *rules,
                        const struct sink_outcome *outcome)
{
    return rules->order == BACKLOG_STRICT && plan->dead > 0 && outcome->result == SINK_POSTPONED &&
           !outcome->reason;
}

static void plan_record(struct pump_plan *plan, const struct pump_rules *rules,
                        const struct pump_tried *tried, size_t index, uint64_t *random)
{
    switch (tried->answer->outcomes[index].result) {
    case SINK_DELIVERED:
        plan_delivered(plan, index);
        break;
    case SINK_IMPOSSIBLE:
        plan_dead(plan, tried, index);
        break;
    case SINK_REFUSED:
        plan_refused(plan, rules, tried, index, random);
        break;
    case SINK_POSTPONED:
    case SINK_MISCONFIGURED:
    case SINK_UNDER_WAY:
    default:
        if (tried->is_blamed)
            plan_refused(plan, rules, tried, index, random);
        else
            plan_postponed(plan, rules, tried, index, random);
    }
}

void pump_plan_make(struct pump_plan *plan, const struct pump_rules *rules,
                    const struct pump_tried *tried, uint64_t *random)
{
    struct backlog_result *results = plan->results;
    bool is_each = rules->is_awaited && rules->order != BACKLOG_STRICT;
    bool is_sink_wide = tried->answer->is_sink_wide;
    bool stopped = false;

    *plan = (struct pump_plan){ .results = results, .is_late = tried->is_late };
    for (size_t i = 0; i < tried->count; i++) {
        results[i] =
            (struct backlog_result){ .seq = tried->records[i].seq, .verdict = BACKLOG_UNTRIED };
        stopped = stopped || is_left_out(plan, rules, &tried->answer->outcomes[i]);
        if (stopped)
            continue;
        plan_record(plan, rules, tried, i, random);
        stopped = stops(rules, results[i].verdict);
    }
    is_sink_wide = is_sink_wide || plan->misconfigured;
    plan->is_partial = plan->is_partial && !is_sink_wide;
    if (plan->is_partial)
        plan->pause_us = 0;
    if (tried->is_apart || (is_each && !is_sink_wide))
        delay_each(plan);
    else if (is_each && tried->answer->busy != SINK_NOT_BUSY)
        plan->any = true; /* other records are next, after the pause */
    else
        leave_the_last(plan, tried->count);
}

void pump_plan_split(struct pump_plan *plan, const struct pump_tried *tried)
{
    struct backlog_result *results = plan->results;

    *plan = (struct pump_plan){ .results = results, .any = true };
    for (size_t i = 0; i < tried->count; i++)
        results[i] = (struct backlog_result){
            .seq = tried->records[i].seq,
            .verdict = BACKLOG_DELAYED,
            .next_at_us = tried->now_us,
            .reason = reason_at(tried, i),
        };
}
