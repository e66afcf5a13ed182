/*
 * pump_judge.c - see pump_judge.h.
 */
#include "delivery/pump_judge.h"

#include "base/clock.h"
#include "delivery/record_origin.h"

enum { LONE_DOUBLINGS = 3 }; /* of the pause, if one record alone fails */

void pump_judge_init(struct pump_judge *judge)
{
    for (size_t i = 0; i < BACKLOG_LANES; i++)
        pump_lane_init(&judge->lanes[i], judge->sink->max_records);
    judge->random = (uint64_t)clock_now_us() ^ (uint64_t)(uintptr_t)judge;
}

/* Senders wait for each record: no record may delay another one. */
static bool is_awaited(const struct pump_judge *judge)
{
    return judge->rules->is_awaited && judge->rules->order != BACKLOG_STRICT;
}

bool pump_judge_is_solo(const struct pump_judge *judge)
{
    if (judge->sink->in_flight == 1 || judge->rules->order == BACKLOG_STRICT)
        return true;
    if (is_awaited(judge))
        return judge->is_failing;
    return judge->log.failures > 0 || pump_lane_is_searching(&judge->lanes[BACKLOG_NEW]) ||
           pump_lane_is_searching(&judge->lanes[BACKLOG_RETRIES]);
}

const int64_t pump_delay_bounds_us[PUMP_DELAY_BUCKETS] = {
    5 * US_PER_MS,    10 * US_PER_MS,  25 * US_PER_MS,  50 * US_PER_MS,
    100 * US_PER_MS,  250 * US_PER_MS, 500 * US_PER_MS, US_PER_S,
    2500 * US_PER_MS, 5 * US_PER_S,    10 * US_PER_S,   30 * US_PER_S,
    60 * US_PER_S,    300 * US_PER_S,  3600 * US_PER_S, INT64_MAX,
};

static void count_delay(struct pump_judge *judge, const struct backlog_record *record,
                        int64_t now_us)
{
    int64_t delay_us = now_us - record->accepted_us;
    size_t bucket = 0;

    if (delay_us < 0) /* the clock was set back */
        delay_us = 0;
    while (delay_us > pump_delay_bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&judge->delays[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&judge->delay_sum_us, (uint64_t)delay_us, memory_order_relaxed);
    exemplars_note(&judge->exemplars, bucket, delay_us,
                   record_origin_read(record->origin).traceparent);
}

/* Count the outcomes of `count` records from `first` on; returns how many arrived. */
static size_t count_outcomes(struct pump_judge *judge, struct pump_call *call, size_t first,
                             size_t count)
{
    int64_t now_us = clock_now_us();
    size_t arrived = 0;

    for (size_t i = first; i < first + count; i++) {
        enum sink_result result = call->answer.outcomes[i].result;

        if (result == SINK_DELIVERED) {
            count_delay(judge, &call->batch->records[i], now_us);
            arrived++;
        }
        call->answer.is_sink_wide = call->answer.is_sink_wide || result == SINK_MISCONFIGURED;
        atomic_fetch_add_explicit(&judge->attempts[result], 1, memory_order_relaxed);
    }
    pump_signs_arrived(&judge->signs, arrived);
    return arrived;
}

/* A call's batch with what was found out of it. */
struct trial {
    struct pump_call *call;
    const struct backlog_record *records;
    size_t count;
    struct pump_lane *lane;
    size_t arrived;
    bool has_failed_whole; /* no record arrived, perhaps because of a record */
    bool is_busy;          /* the same, but it looks like overload */
    bool is_late;          /* the call began before the sink's last failure */
};

static struct trial trial_of(struct pump_judge *judge, struct pump_call *call)
{
    const struct backlog_batch *batch = call->batch;
    size_t arrived = count_outcomes(judge, call, 0, batch->count);
    bool is_postponed = arrived == 0 && call->answer.outcomes[0].result == SINK_POSTPONED;

    return (struct trial){
        .call = call,
        .records = batch->records,
        .count = batch->count,
        .lane = &judge->lanes[batch->lane],
        .arrived = arrived,
        .has_failed_whole = is_postponed && !call->answer.is_sink_wide,
        .is_busy = is_postponed && call->answer.busy != SINK_NOT_BUSY,
        .is_late = call->generation != judge->generation,
    };
}

/* The input of a plan; allocates the results of `plan`. */
static struct pump_tried tried_of(const struct trial *trial, struct pump_plan *plan)
{
    plan->results = arena_alloc(trial->call->arena, trial->count * sizeof(*plan->results));
    return (struct pump_tried){
        .records = trial->records,
        .count = trial->count,
        .answer = &trial->call->answer,
        .now_us = clock_now_us(),
        .is_late = trial->is_late,
    };
}

/*
 * Settle a probe: the record at `at` of the call's batch was tried, the others were not. What it
 * shows of the sink is not logged: it belongs to the trial.
 */
static void settle_probe(struct pump_judge *judge, struct pump_call *other, size_t at)
{
    const struct backlog_batch *batch = other->batch;
    struct backlog_result *results = arena_alloc(other->arena, batch->count * sizeof(*results));
    struct sink_answer answer = { .outcomes = &other->answer.outcomes[at] };
    struct pump_plan plan = { .results = &results[at] };
    const struct pump_tried tried = {
        .records = &batch->records[at],
        .count = 1,
        .answer = &answer,
        .now_us = clock_now_us(),
        .is_late = true,
    };

    for (size_t i = 0; i < batch->count; i++)
        results[i] =
            (struct backlog_result){ .seq = batch->records[i].seq, .verdict = BACKLOG_UNTRIED };
    pump_plan_make(&plan, judge->rules, &tried, &judge->random);
    pump_log_plan(&judge->log, &plan, tried.records);
    other->batch->said = other->answer.said;
    backlog_settle(judge->backlog, other->batch, results);
}

/*
 * The record of the trial may be at fault: try a later one alone. False: that did not arrive
 * either, or there is none.
 */
static bool probe(struct pump_judge *judge, const struct trial *trial)
{
    struct pump_call other = { .slot = trial->call->slot, .arena = trial->call->arena };
    struct backlog_bounds bounds = judge->bounds;
    struct error err = { 0 };
    size_t at;
    bool arrived;

    bounds.records = bounds.retries = PUMP_LANE_PROBE_REACH;
    bounds.lane = trial->call->batch->lane;
    if (!backlog_take(judge->backlog, &bounds, other.arena, &other.batch, &err)) {
        pump_log_store(&judge->log, &err);
        return false;
    }
    if (!other.batch)
        return false;
    at = pump_lane_probe_at(trial->lane, other.batch->count);
    pump_workers_deliver(judge->workers, &other, at, 1);
    arrived = count_outcomes(judge, &other, at, 1) == 1;
    settle_probe(judge, &other, at);
    if (!arrived)
        pump_lane_probe_failed(trial->lane);
    return arrived;
}

/*
 * A record that failed by its own fault before fails again, and its lane has no other record to
 * try: the other lane is next and shows whether records arrive.
 */
static bool is_left_to_others(const struct trial *trial)
{
    return trial->records[0].attempts > 0 && trial->lane->failures == 1;
}

/* The first record blocks a strictly ordered sink: log it, once. */
static void name_head(struct pump_judge *judge, const struct trial *trial, struct pump_plan *plan)
{
    const char *reason = trial->call->answer.outcomes[0].reason;

    if (judge->rules->order != BACKLOG_STRICT || !pump_lane_names(trial->lane, trial->count))
        return;
    pump_log_record(&judge->log, "sink_blocked", reason, &trial->records[0]);
    plan->results[0].verdict = BACKLOG_DELAYED; /* for `sluice outbox status` */
    plan->results[0].reason = reason;
    plan->results[0].next_at_us = clock_now_us();
    plan->any = true;
}

/* No record of the batch arrived: what is at fault? */
static enum pump_blame find_blame(struct pump_judge *judge, const struct trial *trial)
{
    const struct backlog_record *first = &trial->records[0];
    const struct pump_lane_failure failure = {
        .sequence = first->seq,
        .was_blamed = first->attempts > 0,
        .count = trial->count,
        .is_busy = trial->is_busy,
    };
    enum pump_blame blame;

    if (is_awaited(judge))
        return PUMP_BLAME_SINK;
    blame = pump_lane_fail(trial->lane, &failure, &judge->signs);
    if (blame != PUMP_BLAME_RECORD)
        pump_signs_failed(&judge->signs, first->seq,
                          trial->is_busy ? PUMP_SIGNS_MANY : trial->count);
    return judge->rules->order == BACKLOG_STRICT ? PUMP_BLAME_SINK : blame;
}

/*
 * Is the batch too large to find the record at fault? Then it is tried again in smaller ones. A
 * batch that failed as a whole is split at once only if senders wait for each record.
 */
static bool must_split(const struct pump_judge *judge, const struct trial *trial)
{
    return trial->count > 1 &&
           (trial->call->answer.together || (is_awaited(judge) && trial->has_failed_whole));
}

static void split(struct pump_judge *judge, const struct trial *trial)
{
    struct pump_plan plan = { 0 };

    if (is_awaited(judge)) {
        const struct pump_tried tried = tried_of(trial, &plan);

        pump_plan_split(&plan, &tried);
        backlog_settle(judge->backlog, trial->call->batch, plan.results);
        return;
    }
    judge->generation++;
    pump_lane_halve(trial->lane, trial->count);
    backlog_settle(judge->backlog, trial->call->batch, NULL);
}

/* The last error, for operators: of the sink, or of a record. */
static void note_fault(const struct pump_judge *judge, const struct pump_plan *plan,
                       struct str said)
{
    const char *reason = plan->failed_reason ? plan->failed_reason : plan->refused_reason;

    if (plan->is_late)
        return;
    if (reason)
        pump_fault_begin(judge->fault, reason, said, clock_now_us());
    else
        pump_fault_end(judge->fault);
}

/* What the plan shows of the sink. */
static void note_sink(struct pump_judge *judge, const struct pump_plan *plan)
{
    atomic_store_explicit(&judge->is_misconfigured, judge->log.is_misconfigured,
                          memory_order_relaxed);
    if (plan->is_late)
        return;
    judge->is_failing = plan->failed_reason && plan->pause_us > 0;
    if (plan->failed_reason && !plan->is_partial)
        judge->generation++;
}

/* Do records wait apart from the others, which go on? */
enum apart {
    APART_NOT,
    APART_DELAYED, /* the sink works: only they wait */
    APART_BLAMED,  /* the same, and the record is at fault */
};

static void note_retry_failure(struct pump_judge *judge)
{
    judge->retry_failures++;
    judge->retry_arrived = judge->signs.arrived;
    judge->retry_new_failed = judge->new_failed;
}

/*
 * Do retries fail as if the sink did, though other records arrive? Then a part of the sink is
 * throttled, as one shard, or one record is answered 503. It is the record's fault only if no new
 * record has failed since the last time: a sink that has too much to do fails some of all.
 */
static enum apart judge_retries(struct pump_judge *judge, const struct trial *trial)
{
    const struct sink_answer *answer = &trial->call->answer;
    bool others_arrive = judge->signs.arrived != judge->retry_arrived;
    bool others_fail = judge->new_failed != judge->retry_new_failed;
    bool was_blamed = trial->records[0].attempts > 0;
    bool is_known = judge->retry_failures > 0;

    if (trial->call->batch->lane != BACKLOG_RETRIES || judge->rules->order == BACKLOG_STRICT)
        return APART_NOT;
    if (trial->arrived > 0 || !answer->is_sink_wide ||
        answer->outcomes[0].result == SINK_MISCONFIGURED) {
        judge->retry_failures = 0;
        return APART_NOT;
    }
    note_retry_failure(judge);
    if (!is_known || (!others_arrive && (others_fail || !was_blamed)))
        return APART_NOT;
    return others_arrive && !others_fail && trial->count == 1 && answer->busy == SINK_UNAVAILABLE
               ? APART_BLAMED
               : APART_DELAYED;
}

/*
 * A new record fails as if the sink did, and a probe shows that others arrive: it becomes a retry,
 * and its attempts count from the next one on.
 */
static enum apart set_first_apart(struct pump_judge *judge, const struct trial *trial)
{
    pump_lane_forget(trial->lane);
    if (judge->retry_failures == 0)
        note_retry_failure(judge);
    return APART_DELAYED;
}

/*
 * One record fails alone, and others arrived before: the next new one shows whether this record is
 * at fault, so it must not wait long.
 */
static int64_t count_failures(const struct pump_judge *judge, const struct trial *trial)
{
    bool is_lone = trial->has_failed_whole && trial->count == 1 &&
                   pump_signs_show_one(&judge->signs, trial->records[0].seq);

    return is_lone && judge->log.failures > LONE_DOUBLINGS ? LONE_DOUBLINGS : judge->log.failures;
}

static int64_t settle(struct pump_judge *judge, const struct trial *trial, enum pump_blame blame)
{
    struct pump_plan plan = { 0 };
    struct pump_tried tried = tried_of(trial, &plan);
    enum apart apart = judge_retries(judge, trial);

    if (apart == APART_NOT && trial->is_busy && blame == PUMP_BLAME_RECORD)
        apart = set_first_apart(judge, trial);
    tried.is_blamed = apart == APART_BLAMED || (apart == APART_NOT && blame == PUMP_BLAME_RECORD);
    tried.is_apart = apart == APART_DELAYED;
    tried.failures = tried.is_apart ? judge->retry_failures : count_failures(judge, trial);
    pump_plan_make(&plan, judge->rules, &tried, &judge->random);
    plan.is_partial = plan.is_partial || tried.is_apart;
    if (tried.is_blamed)
        pump_lane_forget(trial->lane);
    if (tried.is_blamed && trial->records[0].attempts == 0)
        pump_log_record(&judge->log, "sink_record_failing", plan.refused_reason,
                        &trial->records[0]);
    if (trial->has_failed_whole || trial->is_busy)
        name_head(judge, trial, &plan);
    pump_log_plan(&judge->log, &plan, trial->records);
    note_sink(judge, &plan);
    note_fault(judge, &plan, trial->call->answer.said);
    trial->call->batch->said = trial->call->answer.said;
    backlog_settle(judge->backlog, trial->call->batch, plan.results);
    return plan.failed_reason && !plan.is_late ? plan.pause_us : 0;
}

/* What the answer shows of the sink and of its lane. */
static enum pump_blame note_trial(struct pump_judge *judge, const struct trial *trial)
{
    if (!trial->has_failed_whole && !trial->is_busy && !trial->is_late)
        pump_lane_grow(trial->lane);
    if (trial->has_failed_whole || (trial->is_busy && !trial->is_late))
        return find_blame(judge, trial);
    if (trial->call->answer.is_sink_wide)
        pump_signs_failed(&judge->signs, 0, PUMP_SIGNS_MANY);
    return PUMP_BLAME_SINK;
}

int64_t pump_judge_call(struct pump_judge *judge, struct pump_call *call, bool alone)
{
    const struct trial trial = trial_of(judge, call);
    bool may_settle = true;
    enum pump_blame blame;

    if (must_split(judge, &trial)) {
        split(judge, &trial);
        return 0;
    }
    if (trial.has_failed_whole && trial.is_late && !is_awaited(judge)) {
        backlog_settle(judge->backlog, call->batch, NULL); /* tried again alone */
        return 0;
    }
    blame = note_trial(judge, &trial);
    if (blame == PUMP_BLAME_UNKNOWN && alone) {
        blame = probe(judge, &trial) ? PUMP_BLAME_RECORD : PUMP_BLAME_SINK;
        may_settle = blame == PUMP_BLAME_RECORD || !is_left_to_others(&trial);
    }
    if (blame != PUMP_BLAME_RECORD && call->batch->lane == BACKLOG_NEW)
        judge->new_failed += trial.has_failed_whole || call->answer.is_sink_wide;
    if (may_settle)
        return settle(judge, &trial, blame);
    backlog_settle(judge->backlog, call->batch, NULL);
    return 0;
}
