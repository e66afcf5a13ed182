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
#include "base/log.h"
#include "base/memory.h"
#include "delivery/outbox_backlog.h"

enum {
    TEND_US = 1000000,       /* how often an idle sink is tended */
    STORE_PAUSE_US = 250000, /* before the store is asked again after it failed */
    THREAD_NAME_SIZE = 16,   /* the system's limit */
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
    size_t limit;        /* records in a batch, fewer while a culprit is looked for */
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
    struct sink_answer answer;
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

static bool take(struct pump *pump, struct round *round)
{
    struct error err = { 0 };
    const struct backlog_bounds bounds = { pump->limit, pump->options.sink.max_bytes };
    bool ok = backlog_next(pump->backlog, &bounds, &round->records, &round->count, &err);

    note_store(pump, ok, &err);
    return ok;
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
    for (size_t i = 0; i < round->count; i++)
        atomic_fetch_add_explicit(&pump->attempts[round->answer.outcomes[i].result], 1,
                                  memory_order_relaxed);
}

static void log_fault(const struct pump *pump, const char *event, const char *reason, size_t count)
{
    const struct log_field fields[] = {
        LOG_STR("sink", str_from_c(pump->options.name)),
        LOG_STR("reason", str_from_c(reason)),
        LOG_INT("records", count),
    };

    log_write(LOG_WARN, event, fields, count > 0 ? COUNT_OF(fields) : COUNT_OF(fields) - 1);
}

static void log_recovery(const struct pump *pump)
{
    LOG_EVENT(LOG_INFO, "sink_recovered", LOG_STR("sink", str_from_c(pump->options.name)),
              LOG_INT("attempts_failed", pump->failures),
              LOG_INT("after_ms", (clock_monotonic_us() - pump->failing_since_us) / 1000));
}

/* Keep count of the sink's faults, and tell when one begins or ends. */
static void note(struct pump *pump, const struct pump_plan *plan)
{
    bool is_refusing = plan->refused + plan->dead > 0;

    if (plan->failed_reason) {
        if (pump->failures++ == 0) {
            pump->failing_since_us = clock_monotonic_us();
            log_fault(pump, "sink_failed", plan->failed_reason, 0);
        }
    } else if (pump->failures > 0) {
        log_recovery(pump);
        pump->failures = 0;
    }
    if (plan->dead > 0)
        log_fault(pump, "sink_record_dead", plan->refused_reason, plan->dead);
    else if (plan->is_first_refusal && !pump->is_refusing)
        log_fault(pump, "sink_record_refused", plan->refused_reason, plan->refused);
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

/* The batch is too large to tell which of its records is at fault; the next ones are smaller. */
static bool must_split(struct pump *pump, const struct round *round)
{
    size_t most = pump->options.sink.max_records;

    if (round->answer.together && round->count > 1) {
        pump->limit = round->count / 2;
        return true;
    }
    pump->limit = pump->limit < most / 2 ? pump->limit * 2 : most;
    return false;
}

/* One batch from the store to the sink and back. False: leave the sink alone for `*pause_us`. */
static bool carry(struct pump *pump, struct round *round, int64_t *pause_us)
{
    struct pump_plan plan;

    deliver(pump, round);
    if (must_split(pump, round))
        return true;
    plan.results = arena_alloc(pump->arena, round->count * sizeof(*plan.results));
    pump_plan_make(&plan, &pump->options.rules,
                   &(struct pump_tried){
                       .records = round->records,
                       .count = round->count,
                       .answer = &round->answer,
                       .failures = pump->failures,
                       .now_us = clock_now_us(),
                   },
                   &pump->random);
    note(pump, &plan);
    *pause_us = plan.pause_us;
    return (!plan.any || settle(pump, &plan, round->count)) && !plan.failed_reason;
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
    struct round round = { 0 };
    int64_t pause_us = STORE_PAUSE_US;

    arena_reset(pump->arena);
    if (take(pump, &round)) {
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
    pump->limit = pump->options.sink.max_records;
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

    int problem = pthread_create(&pump->thread, NULL, run, pump);

    if (problem != 0) {
        backlog_close(pump->backlog);
        pump->backlog = NULL;
        return fail_errno(err, ERR_SYSTEM, problem, "sink %s", pump->options.name);
    }
    (void)snprintf(name, sizeof(name), "sink-%.10s", pump->options.name);
    (void)pthread_setname_np(pump->thread, name);
    return true;
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
