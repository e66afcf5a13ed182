/*
 * pump.c - see pump.h.
 */
#include "delivery/pump.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "delivery/outbox/backlog.h"
#include "delivery/pump_lane.h"
#include "delivery/pump_log.h"

enum {
    TEND_US = US_PER_S,               /* how often sink.tend() is called while idle */
    STORE_PAUSE_US = 250 * US_PER_MS, /* before another attempt after the store failed */
    THREAD_NAME_SIZE = 16,            /* the system's limit */
};

struct pump {
    struct pump_options options;
    struct backlog *backlog; /* NULL: not started */
    pthread_t thread;
    _Atomic uint64_t attempts[SINK_RESULT_COUNT];

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool draining;
    bool stopping;
    bool hurry; /* end the pause now */
    bool ended;

    /* The thread's own. */
    struct arena *arena; /* for one batch */
    struct pump_lane lanes[BACKLOG_LANES];
    struct pump_signs signs;
    uint64_t random;
    struct pump_log log;
};

/* One batch, taken and delivered. */
struct round {
    const struct backlog_record *records;
    size_t count;
    struct pump_lane *lane;
    struct sink_answer answer;
    size_t arrived; /* records */
};

struct pump *pump_create(const struct pump_options *options)
{
    struct pump *pump = mem_alloc(sizeof(*pump));

    pump->options = *options;
    pump->log.sink = options->name;
    (void)pthread_mutex_init(&pump->mutex, NULL);
    clock_init_condition(&pump->changed);
    return pump;
}

const char *pump_name(const struct pump *pump)
{
    return pump->options.name;
}

uint64_t pump_attempts(const struct pump *pump, enum sink_result result)
{
    return atomic_load_explicit(&pump->attempts[result], memory_order_relaxed);
}

static bool is_set(struct pump *pump, const bool *flag)
{
    (void)pthread_mutex_lock(&pump->mutex);

    bool set = *flag;

    (void)pthread_mutex_unlock(&pump->mutex);
    return set;
}

static void set(struct pump *pump, bool *flag)
{
    (void)pthread_mutex_lock(&pump->mutex);
    *flag = true;
    (void)pthread_cond_broadcast(&pump->changed);
    (void)pthread_mutex_unlock(&pump->mutex);
}

/* Pause, until the pump is to end or pump_reopen() is called. */
static void rest(struct pump *pump, int64_t us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + us);

    (void)pthread_mutex_lock(&pump->mutex);
    while (!pump->draining && !pump->stopping && !pump->hurry)
        if (pthread_cond_timedwait(&pump->changed, &pump->mutex, &at) == ETIMEDOUT)
            break;
    pump->hurry = false;
    (void)pthread_mutex_unlock(&pump->mutex);
}

static bool take(struct pump *pump, const struct backlog_bounds *bounds, struct round *round)
{
    struct error err = { 0 };
    bool ok = backlog_next(pump->backlog, bounds, &round->records, &round->count, &err);

    pump_log_store(&pump->log, ok ? NULL : &err);
    round->lane = &pump->lanes[backlog_lane(pump->backlog)];
    return ok;
}

static struct backlog_bounds bounds_of(const struct pump *pump)
{
    return (struct backlog_bounds){
        .records = pump->lanes[BACKLOG_NEW].limit,
        .bytes = pump->options.sink.max_bytes,
        .retries = pump->lanes[BACKLOG_RETRIES].limit,
        .key_bytes = pump->options.sink.max_key_bytes,
        .longest_us = pump->options.rules.max_backoff_us,
    };
}

static void count_outcomes(struct pump *pump, struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        enum sink_result result = round->answer.outcomes[i].result;

        round->arrived += result == SINK_DELIVERED;
        atomic_fetch_add_explicit(&pump->attempts[result], 1, memory_order_relaxed);
    }
    pump_signs_arrived(&pump->signs, round->arrived);
}

static void deliver(struct pump *pump, struct round *round)
{
    struct sink *sink = &pump->options.sink;
    struct sink_record *records = arena_alloc(pump->arena, round->count * sizeof(*records));

    round->answer = (struct sink_answer){
        .outcomes = arena_alloc(pump->arena, round->count * sizeof(*round->answer.outcomes)),
    };
    for (size_t i = 0; i < round->count; i++)
        records[i] = (struct sink_record){ .sequence = round->records[i].seq,
                                           .accepted_us = round->records[i].accepted_us,
                                           .key = round->records[i].key,
                                           .order_key = round->records[i].key,
                                           .bytes = round->records[i].bytes };
    sink->deliver(sink->self,
                  &(struct sink_batch){
                      .records = records,
                      .count = round->count,
                      .store = str_from_c(backlog_store(pump->backlog)),
                      .arena = pump->arena,
                      .in_order = pump->options.rules.ordered,
                  },
                  &round->answer);
    count_outcomes(pump, round);
}

/* Try until the results are durable. False: the pump ends first; the records are delivered again.
 */
static bool settle(struct pump *pump, const struct pump_plan *plan, size_t count)
{
    struct error err = { 0 };

    while (!backlog_settle(pump->backlog, plan->results, count, &err)) {
        pump_log_store(&pump->log, &err);
        if (is_set(pump, &pump->draining) || is_set(pump, &pump->stopping))
            return false;
        rest(pump, STORE_PAUSE_US);
    }
    pump_log_store(&pump->log, NULL);
    return true;
}

/* Did no record arrive, perhaps because of a record? */
static bool has_failed_whole(const struct round *round)
{
    return round->arrived == 0 && round->answer.outcomes[0].result == SINK_POSTPONED &&
           !round->answer.is_sink_wide;
}

/*
 * Is the batch too large to find the record at fault? Then the next ones are smaller. A batch that
 * failed as a whole is split at once only if senders wait for each record.
 */
static bool must_split(struct pump *pump, const struct round *round)
{
    const struct pump_rules *rules = &pump->options.rules;
    bool is_awaited = rules->is_awaited && !rules->ordered;
    bool split = round->answer.together || (is_awaited && has_failed_whole(round));

    if (split && round->count > 1) {
        pump_lane_halve(round->lane, round->count);
        return true;
    }
    if (!has_failed_whole(round))
        pump_lane_grow(round->lane);
    return false;
}

/* The input of a plan; allocates the results of `plan`. */
static struct pump_tried tried_of(struct pump *pump, const struct round *round,
                                  struct pump_plan *plan)
{
    plan->results = arena_alloc(pump->arena, round->count * sizeof(*plan->results));
    return (struct pump_tried){
        .records = round->records,
        .count = round->count,
        .answer = &round->answer,
        .failures = pump->log.failures,
        .now_us = clock_now_us(),
    };
}

/* The record at `at` arrived when it was tried alone, so the first one is at fault. */
static void blame_first(struct pump *pump, struct round *round, size_t at, const char *reason)
{
    struct pump_plan plan = { 0 };
    struct pump_tried tried = tried_of(pump, round, &plan);

    tried.is_blamed = true;
    round->answer.outcomes[0].reason = reason;
    pump_plan_probe(&plan, &pump->options.rules, &tried, at, &pump->random);
    if (round->records[0].attempts == 0)
        pump_log_record(&pump->log, "sink_record_failing", reason, &round->records[0]);
    pump_log_plan(&pump->log, &plan, round->records);
    (void)settle(pump, &plan, round->count);
}

/*
 * The one record of `failed` may be at fault: try a later record alone. False: that did not arrive
 * either, or there is none; `failed` then points to the records as read again.
 */
static bool probe(struct pump *pump, struct round *failed)
{
    const char *reason = failed->answer.outcomes[0].reason;
    int64_t suspect = failed->records[0].seq;
    struct backlog_bounds bounds = bounds_of(pump);
    struct round round = { 0 };

    bounds.records = bounds.retries = PUMP_LANE_PROBE_REACH + 1;
    bounds.lane = backlog_lane(pump->backlog);
    if (!take(pump, &bounds, &round) || round.count == 0 || round.records[0].seq != suspect)
        return true; /* the backlog has changed: take again */
    failed->records = round.records;
    if (round.count == 1)
        return false;

    size_t at = pump_lane_probe_at(round.lane, round.count);
    struct round one = { .records = &round.records[at], .count = 1 };

    deliver(pump, &one);
    if (one.arrived == 0) {
        pump_lane_probe_failed(round.lane);
        return false;
    }
    round.answer.outcomes = arena_alloc(pump->arena, sizeof(*round.answer.outcomes));
    blame_first(pump, &round, at, reason);
    pump_lane_forget(round.lane);
    return true;
}

/*
 * A record that failed by its own fault before fails again, and its lane has no other record to
 * try: the other lane is next and shows whether records arrive.
 */
static bool is_left_to_others(const struct round *round)
{
    return round->records[0].attempts > 0 && round->lane->failures == 1;
}

/* The first record blocks an ordered sink: log it, once. */
static void name_head(struct pump *pump, const struct round *round, struct pump_plan *plan)
{
    if (!pump->options.rules.ordered || !pump_lane_names(round->lane, round->count))
        return;
    pump_log_record(&pump->log, "sink_blocked", round->answer.outcomes[0].reason,
                    &round->records[0]);
    plan->results[0].verdict = BACKLOG_DELAYED; /* for `sluice outbox status` */
    plan->results[0].reason = round->answer.outcomes[0].reason;
    plan->results[0].next_at_us = clock_now_us();
    plan->any = true;
}

/* No record of the batch arrived: what is at fault? */
static enum pump_blame judge(struct pump *pump, const struct round *round)
{
    const struct pump_rules *rules = &pump->options.rules;
    const struct backlog_record *first = &round->records[0];
    const struct pump_lane_failure failure = { first->seq, first->attempts > 0, round->count };
    enum pump_blame blame;

    if (rules->is_awaited && !rules->ordered)
        return PUMP_BLAME_SINK;
    blame = pump_lane_fail(round->lane, &failure, &pump->signs);
    if (blame != PUMP_BLAME_RECORD)
        pump_signs_failed(&pump->signs, first->seq, round->count);
    return rules->ordered ? PUMP_BLAME_SINK : blame;
}

/* Deliver the batch and settle it. False: pause for `*pause_us`. */
static bool carry(struct pump *pump, struct round *round, int64_t *pause_us)
{
    struct pump_plan plan = { 0 };
    enum pump_blame blame = PUMP_BLAME_SINK;

    deliver(pump, round);
    if (must_split(pump, round))
        return true;
    if (has_failed_whole(round))
        blame = judge(pump, round);
    else if (round->answer.is_sink_wide)
        pump_signs_failed(&pump->signs, 0, PUMP_SIGNS_MANY);
    if (blame == PUMP_BLAME_UNKNOWN && (probe(pump, round) || is_left_to_others(round)))
        return true;

    struct pump_tried tried = tried_of(pump, round, &plan);

    tried.is_blamed = blame == PUMP_BLAME_RECORD;
    pump_plan_make(&plan, &pump->options.rules, &tried, &pump->random);
    if (tried.is_blamed)
        pump_lane_forget(round->lane);
    if (tried.is_blamed && round->records[0].attempts == 0)
        pump_log_record(&pump->log, "sink_record_failing", plan.refused_reason, &round->records[0]);
    if (has_failed_whole(round))
        name_head(pump, round, &plan);
    pump_log_plan(&pump->log, &plan, round->records);
    *pause_us = plan.pause_us;
    return (!plan.any || settle(pump, &plan, round->count)) &&
           (!plan.failed_reason || plan.pause_us == 0);
}

static void idle(struct pump *pump)
{
    struct sink *sink = &pump->options.sink;

    if (sink->tend)
        sink->tend(sink->self);
    backlog_wait(pump->backlog, clock_monotonic_us() + TEND_US);
}

/* Take and deliver one batch. False: none was ready, or one failed; returns after the pause. */
static bool turn(struct pump *pump)
{
    const struct backlog_bounds bounds = bounds_of(pump);
    struct round round = { 0 };
    int64_t pause_us = STORE_PAUSE_US;

    arena_reset(pump->arena);
    if (take(pump, &bounds, &round)) {
        if (round.count == 0) {
            if (!is_set(pump, &pump->draining))
                idle(pump);
            return false;
        }
        if (carry(pump, &round, &pause_us))
            return true;
    }
    rest(pump, pause_us);
    return false;
}

static void *run(void *self)
{
    struct pump *pump = self;

    pump->arena = arena_create();
    for (size_t i = 0; i < BACKLOG_LANES; i++)
        pump_lane_init(&pump->lanes[i], pump->options.sink.max_records);
    pump->random = (uint64_t)clock_now_us() ^ (uint64_t)(uintptr_t)pump;
    while (!is_set(pump, &pump->stopping))
        if (!turn(pump) && is_set(pump, &pump->draining))
            break;
    arena_destroy(pump->arena);
    set(pump, &pump->ended);
    return NULL;
}

bool pump_start(struct pump *pump, struct outbox *outbox, struct error *err)
{
    char name[THREAD_NAME_SIZE];

    if (!backlog_open(outbox, pump->options.name, pump->options.rules.ordered, &pump->backlog, err))
        return false;

    (void)snprintf(name, sizeof(name), "sink-%.10s", pump->options.name);
    if (thread_start(&pump->thread, name, run, pump, err))
        return true;
    backlog_close(pump->backlog);
    pump->backlog = NULL;
    return false;
}

void pump_reopen(struct pump *pump)
{
    if (!pump->backlog)
        return;
    if (pump->options.sink.reopen)
        pump->options.sink.reopen(pump->options.sink.self);
    set(pump, &pump->hurry);
    backlog_wake(pump->backlog);
}

void pump_drain(struct pump *pump)
{
    if (!pump->backlog)
        return;
    set(pump, &pump->draining);
    backlog_wake(pump->backlog);
}

static void await_end(struct pump *pump, int64_t latest_us)
{
    const struct timespec at = clock_timespec(latest_us);

    (void)pthread_mutex_lock(&pump->mutex);
    while (!pump->ended)
        if (pthread_cond_timedwait(&pump->changed, &pump->mutex, &at) == ETIMEDOUT)
            break;
    (void)pthread_mutex_unlock(&pump->mutex);
}

void pump_stop(struct pump *pump, int64_t latest_us)
{
    if (!pump->backlog)
        return;
    await_end(pump, latest_us);
    set(pump, &pump->stopping);
    if (pump->options.sink.interrupt)
        pump->options.sink.interrupt(pump->options.sink.self);
    backlog_wake(pump->backlog);
    (void)pthread_join(pump->thread, NULL);
    backlog_close(pump->backlog);
    pump->backlog = NULL;
}

void pump_destroy(struct pump *pump)
{
    if (!pump)
        return;
    pump_stop(pump, 0);
    pump->options.sink.destroy(pump->options.sink.self);
    (void)pthread_cond_destroy(&pump->changed);
    (void)pthread_mutex_destroy(&pump->mutex);
    mem_free(pump);
}
