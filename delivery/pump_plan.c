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

static void plan_refused(struct pump_plan *plan, const struct pump_rules *rules,
                         const struct pump_tried *tried, size_t index, uint64_t *random)
{
    struct backlog_result *result = &plan->results[index];
    int64_t attempts = tried->records[index].attempts + 1;

    result->reason = tried->answer->outcomes[index].reason;
    if (!plan->refused_reason)
        plan->refused_reason = result->reason;
    if (attempts == 1 && !tried->is_blamed)
        plan->is_first_refusal = true;
    if (is_over(rules, tried, attempts)) {
        if (plan->dead++ == 0)
            plan->first_dead = index;
        result->verdict = BACKLOG_DEAD;
        return;
    }
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

    if (!plan->failed_reason) {
        plan->failed_reason = tried->answer->outcomes[index].reason;
        plan->pause_us = pause_after(rules, tried, random);
    }
    result->verdict = BACKLOG_DELAYED;
    result->reason = tried->answer->outcomes[index].reason;
    result->next_at_us = tried->now_us + plan->pause_us;
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

void pump_plan_make(struct pump_plan *plan, const struct pump_rules *rules,
                    const struct pump_tried *tried, uint64_t *random)
{
    struct backlog_result *results = plan->results;
    bool stopped = false;

    *plan = (struct pump_plan){ .results = results };
    for (size_t i = 0; i < tried->count; i++) {
        results[i] =
            (struct backlog_result){ .seq = tried->records[i].seq, .verdict = BACKLOG_UNTRIED };
        if (stopped)
            continue;
        if (tried->answer->outcomes[i].result == SINK_DELIVERED) {
            results[i].verdict = BACKLOG_DELIVERED;
            plan->delivered++;
        } else if (tried->answer->outcomes[i].result == SINK_REFUSED || tried->is_blamed) {
            plan_refused(plan, rules, tried, i, random);
        } else {
            plan_postponed(plan, rules, tried, i, random);
        }
        stopped = rules->ordered && results[i].verdict != BACKLOG_DELIVERED &&
                  results[i].verdict != BACKLOG_DEAD;
    }
    if (rules->is_awaited && !rules->ordered && !tried->answer->is_sink_wide)
        delay_each(plan);
    else
        leave_the_last(plan, tried->count);
}

void pump_plan_probe(struct pump_plan *plan, const struct pump_rules *rules,
                     const struct pump_tried *tried, size_t arrived, uint64_t *random)
{
    struct backlog_result *results = plan->results;

    *plan = (struct pump_plan){ .results = results, .any = true, .delivered = 1 };
    for (size_t i = 0; i < tried->count; i++)
        results[i] = (struct backlog_result){
            .seq = tried->records[i].seq,
            .verdict = i < arrived ? BACKLOG_DELAYED : BACKLOG_UNTRIED,
            .next_at_us = tried->now_us,
            .reason = tried->answer->outcomes[0].reason,
        };
    plan_refused(plan, rules, tried, 0, random);
    results[arrived].verdict = BACKLOG_DELIVERED;
    results[arrived].reason = NULL;
}
