/*
 * pump.c - see pump.h.
 */
#include "delivery/pump.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "delivery/outbox/backlog.h"
#include "delivery/pump_lane.h"

enum {
    TEND_US = US_PER_S,               /* how often an idle sink is tended */
    STORE_PAUSE_US = 250 * US_PER_MS, /* before the store is asked again after it failed */
    THREAD_NAME_SIZE = 16,            /* the system's limit */
    MOST_OF_KEY = 128,                /* bytes of a key in the log */
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
    bool hurry; /* do not wait out the pause */
    bool ended;

    /* The thread's own. */
    struct arena *arena; /* for one batch */
    struct pump_lane lanes[BACKLOG_LANES];
    struct pump_signs signs;
    uint64_t random;
    int64_t failures;         /* in a row, by the sink's fault */
    int64_t failing_since_us; /* clock_monotonic_us() */
    bool is_refusing;         /* the last batch had a record that was refused */
    bool is_store_failing;
};

/* A batch on its way. */
struct round {
    const struct backlog_record *records;
    size_t count;
    struct pump_lane *lane;
    struct sink_answer answer;
    size_t arrived; /* records of it */
};

struct pump *pump_create(const struct pump_options *options)
{
    struct pump *pump = mem_alloc(sizeof(*pump));

    pump->options = *options;
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

/* Wait that long, unless it is time to end or somebody is in a hurry. */
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

/* What the store cannot do now it can soon, or it says so to everybody who asks it (/readyz). */
static void note_store(struct pump *pump, bool ok, const struct error *err)
{
    if (!ok && !pump->is_store_failing)
        LOG_EVENT(LOG_WARN, "sink_store_failed", LOG_STR("sink", str_from_c(pump->options.name)),
                  LOG_STR("reason", str_from_c(err->text)));
    pump->is_store_failing = !ok;
}

static bool take(struct pump *pump, const struct backlog_bounds *bounds, struct round *round)
{
    struct error err = { 0 };
    bool ok = backlog_next(pump->backlog, bounds, &round->records, &round->count, &err);

    note_store(pump, ok, &err);
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
        records[i] = (struct sink_record){ round->records[i].seq, round->records[i].key,
                                           round->records[i].bytes };
    sink->deliver(sink->self,
                  &(struct sink_batch){
                      .records = records,
                      .count = round->count,
                      .arena = pump->arena,
                      .in_order = pump->options.rules.ordered,
                  },
                  &round->answer);
    count_outcomes(pump, round);
}

static void log_fault(const struct pump *pump, const char *reason)
{
    LOG_EVENT(LOG_WARN, "sink_failed", LOG_STR("sink", str_from_c(pump->options.name)),
              LOG_STR("reason", str_from_c(reason)));
}

/* An id that the log may show (docs/operations.md); else the sequence must do. */
static bool is_identifier(struct str key)
{
    bool is = key.len > 0 && key.len <= MOST_OF_KEY;

    for (size_t i = 0; i < key.len; i++)
        is = is && (isalnum((unsigned char)key.ptr[i]) || strchr("._:-", key.ptr[i]));
    return is;
}

/* So many records, the first of them by name. */
static void log_records(const struct pump *pump, const char *event, const char *reason,
                        size_t count, const struct backlog_record *first)
{
    const struct log_field fields[] = {
        LOG_STR("sink", str_from_c(pump->options.name)),
        LOG_STR("reason", str_from_c(reason)),
        LOG_INT("records", count),
        LOG_INT("sequence", first->seq),
        LOG_STR("key", first->key),
    };

    log_write(LOG_WARN, event, fields, COUNT_OF(fields) - !is_identifier(first->key));
}

static void log_record(const struct pump *pump, const char *event, const char *reason,
                       const struct backlog_record *record)
{
    log_records(pump, event, reason, 1, record);
}

static void log_recovery(const struct pump *pump)
{
    LOG_EVENT(LOG_INFO, "sink_recovered", LOG_STR("sink", str_from_c(pump->options.name)),
              LOG_INT("attempts_failed", pump->failures),
              LOG_INT("after_ms", (clock_monotonic_us() - pump->failing_since_us) / US_PER_MS));
}

/* Keep count of the sink's faults, and tell when one begins or ends. */
static void note(struct pump *pump, const struct pump_plan *plan,
                 const struct backlog_record *records)
{
    bool is_refusing = plan->refused + plan->dead > 0;

    if (plan->failed_reason) {
        if (pump->failures++ == 0) {
            pump->failing_since_us = clock_monotonic_us();
            log_fault(pump, plan->failed_reason);
        }
    } else if (pump->failures > 0) {
        log_recovery(pump);
        pump->failures = 0;
    }
    if (plan->dead > 0)
        log_records(pump, "sink_record_dead", plan->refused_reason, plan->dead,
                    &records[plan->first_dead]);
    else if (plan->is_first_refusal && !pump->is_refusing)
        log_records(pump, "sink_record_refused", plan->refused_reason, plan->refused,
                    &records[plan->first_refused]);
    pump->is_refusing = is_refusing;
}

/* Until the store has it. False: it is time to end and the store has not; the records come again.
 */
static bool settle(struct pump *pump, const struct pump_plan *plan, size_t count)
{
    struct error err = { 0 };

    while (!backlog_settle(pump->backlog, plan->results, count, &err)) {
        note_store(pump, false, &err);
        if (is_set(pump, &pump->draining) || is_set(pump, &pump->stopping))
            return false;
        rest(pump, STORE_PAUSE_US);
    }
    note_store(pump, true, NULL);
    return true;
}

/* Did nothing arrive, for a reason that may lie in a record? */
static bool has_failed_whole(const struct round *round)
{
    return round->arrived == 0 && round->answer.outcomes[0].result == SINK_POSTPONED &&
           !round->answer.is_sink_wide;
}

/*
 * Is the batch too large to tell which of its records is at fault? Then the next ones are smaller.
 * Of a batch that failed whole, the records are told apart at once only when senders wait for each.
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

/* What is known of a round, and the plan that `results` are for. */
static struct pump_tried tried_of(struct pump *pump, const struct round *round,
                                  struct pump_plan *plan)
{
    plan->results = arena_alloc(pump->arena, round->count * sizeof(*plan->results));
    return (struct pump_tried){
        .records = round->records,
        .count = round->count,
        .answer = &round->answer,
        .failures = pump->failures,
        .now_us = clock_now_us(),
    };
}

/* The probe at `at` of the records of `round` arrived, so the first one is at fault. */
static void blame_first(struct pump *pump, struct round *round, size_t at, const char *reason)
{
    struct pump_plan plan = { 0 };
    struct pump_tried tried = tried_of(pump, round, &plan);

    tried.is_blamed = true;
    round->answer.outcomes[0].reason = reason;
    pump_plan_probe(&plan, &pump->options.rules, &tried, at, &pump->random);
    if (round->records[0].attempts == 0)
        log_record(pump, "sink_record_failing", reason, &round->records[0]);
    note(pump, &plan, round->records);
    (void)settle(pump, &plan, round->count);
}

/*
 * The one record of `failed` may be at fault: one of those behind it is tried alone. False: that
 * did not arrive either, or there is none. The records of `failed` are then those of a later look.
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
        return true; /* there is news of it: look again */
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
 * A record that failed by its own fault before fails once more, and there is none beside it to
 * tell why: the other lane's turn comes first, and tells it.
 */
static bool is_left_to_others(const struct round *round)
{
    return round->records[0].attempts > 0 && round->lane->failures == 1;
}

/* The record in front keeps an ordered sink's others waiting: name it. */
static void name_head(struct pump *pump, const struct round *round, struct pump_plan *plan)
{
    if (!pump->options.rules.ordered || !pump_lane_names(round->lane, round->count))
        return;
    log_record(pump, "sink_blocked", round->answer.outcomes[0].reason, &round->records[0]);
    plan->results[0].verdict = BACKLOG_DELAYED; /* for `sluice outbox status` */
    plan->results[0].reason = round->answer.outcomes[0].reason;
    plan->results[0].next_at_us = clock_now_us();
    plan->any = true;
}

/* Nothing of the batch arrived: whose fault is it? */
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

/* One batch from the store to the sink and back. False: leave the sink alone for `*pause_us`. */
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
        log_record(pump, "sink_record_failing", plan.refused_reason, &round->records[0]);
    if (has_failed_whole(round))
        name_head(pump, round, &plan);
    note(pump, &plan, round->records);
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

/* Take and deliver once. False: nothing was ready, or something failed, and that was waited for. */
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
