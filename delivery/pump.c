/*
 * pump.c - see pump.h.
 *
 * The pump's thread alone takes, judges and settles. If calls go out alone it delivers them itself;
 * else the workers do (pump_workers.h).
 */
#include "delivery/pump.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/flat.h"
#include "base/memory.h"
#include "base/thread.h"
#include "delivery/outbox/backlog.h"
#include "delivery/pump_judge.h"
#include "delivery/pump_workers.h"
#include "delivery/record_text.h"

enum {
    TEND_US = US_PER_S,               /* how often sink.tend() is called while idle */
    STORE_PAUSE_US = 250 * US_PER_MS, /* before another attempt after the store failed */
    THREAD_NAME_SIZE = 16,            /* the system's limit */
};

struct pump {
    struct pump_options options;
    struct backlog *backlog; /* NULL: not started */
    struct pump_workers *workers;
    pthread_t thread;
    struct pump_judge judge;

    atomic_size_t in_flight;
    atomic_bool draining;
    atomic_bool stopping;
    atomic_bool hurry;         /* end the pause now */
    _Atomic int64_t resume_us; /* clock_monotonic_us(): nothing is taken before */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool ended;

    struct json_pointer *key; /* NULL: none */

    /* The thread's own; times by clock_monotonic_us(). */
    struct pump_call *forming; /* its batch waits for more records, */
    int64_t form_until_us;     /* so long; NULL: none does */
    int64_t allowed;           /* records that the rate allows now, in millionths, */
    int64_t allowed_us;        /* as of this time */
};

struct pump *pump_create(const struct pump_options *options)
{
    struct pump *pump = mem_alloc(sizeof(*pump));

    pump->options = *options;
    pump->judge.rules = &pump->options.rules;
    pump->judge.sink = &pump->options.sink;
    pump->judge.log.sink = options->name;
    exemplars_init(&pump->judge.exemplars);
    pump->judge.fault = pump_fault_create();
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
    return atomic_load_explicit(&pump->judge.attempts[result], memory_order_relaxed);
}

void pump_delays(const struct pump *pump, struct pump_delays *out)
{
    for (size_t i = 0; i < PUMP_DELAY_BUCKETS; i++)
        out->counts[i] = atomic_load_explicit(&pump->judge.delays[i], memory_order_relaxed);
    out->sum_us = atomic_load_explicit(&pump->judge.delay_sum_us, memory_order_relaxed);
}

void pump_exemplars(struct pump *pump, struct exemplar out[static EXEMPLARS_MAX])
{
    exemplars_read(&pump->judge.exemplars, out);
}

size_t pump_in_flight(const struct pump *pump)
{
    return atomic_load_explicit(&pump->in_flight, memory_order_relaxed);
}

bool pump_is_misconfigured(const struct pump *pump)
{
    return atomic_load_explicit(&pump->judge.is_misconfigured, memory_order_relaxed);
}

int64_t pump_waits_until_us(const struct pump *pump)
{
    int64_t wait_us = atomic_load(&pump->resume_us) - clock_monotonic_us();

    return wait_us > 0 ? clock_now_us() + wait_us : 0;
}

void pump_last_error(const struct pump *pump, struct pump_error *out)
{
    pump_fault_read(pump->judge.fault, out);
}

/* How many records the rate allows now. At most those of one second are saved up. */
static size_t count_allowed(struct pump *pump)
{
    int64_t rate = pump->options.rules.rate;
    int64_t now_us = clock_monotonic_us();
    int64_t passed_us = now_us - pump->allowed_us;

    if (rate == 0)
        return SIZE_MAX;
    pump->allowed += (passed_us < US_PER_S ? passed_us : US_PER_S) * rate;
    if (pump->allowed > US_PER_S * rate)
        pump->allowed = US_PER_S * rate;
    pump->allowed_us = now_us;
    return pump->allowed > 0 ? (size_t)(pump->allowed / US_PER_S) : 0;
}

static size_t cost_of(void *self, const struct backlog_record *record)
{
    const struct sink *sink = self;
    struct sink_record as_sink = pump_workers_record(record);

    return sink->cost(sink->self, &as_sink);
}

static size_t at_most(size_t count, size_t limit)
{
    return count < limit ? count : limit;
}

static struct backlog_bounds bounds_of(struct pump *pump)
{
    size_t allowed = count_allowed(pump);

    return (struct backlog_bounds){
        .records = at_most(pump->judge.lanes[BACKLOG_NEW].limit, allowed),
        .bytes = pump->options.sink.max_bytes,
        .retries = at_most(pump->judge.lanes[BACKLOG_RETRIES].limit, allowed),
        .key_bytes = pump->options.sink.max_key_bytes,
        .longest_us = pump->options.rules.max_backoff_us,
        .cost = pump->options.sink.cost ? cost_of : NULL,
        .self = &pump->options.sink,
    };
}

static void pause_for(struct pump *pump, int64_t us)
{
    int64_t until_us = clock_monotonic_us() + us;

    if (us > 0 && pump->resume_us < until_us)
        pump->resume_us = until_us;
}

/* Did the store do it? If not, pause. */
static bool check_store(struct pump *pump, bool ok, const struct error *err)
{
    pump_log_store(&pump->judge.log, ok ? NULL : err);
    if (!ok)
        pause_for(pump, STORE_PAUSE_US);
    return ok;
}

static void end_call(struct pump *pump, struct pump_call *call, bool alone)
{
    pause_for(pump, pump_judge_call(&pump->judge, call, alone));
    pump_workers_release(pump->workers, call);
}

static void end_calls(struct pump *pump)
{
    struct pump_call *call;

    while ((call = pump_workers_ended(pump->workers)))
        end_call(pump, call, false);
}

static bool commit(struct pump *pump)
{
    struct error err = { 0 };
    bool ok = backlog_commit(pump->backlog, pump_judge_is_solo(&pump->judge), &err);

    return ok || check_store(pump, false, &err);
}

/* Could a batch be taken now, if one is ready? */
static bool may_take(struct pump *pump)
{
    size_t busy = pump_workers_busy(pump->workers);
    size_t most = pump_judge_is_solo(&pump->judge) ? 1 : pump->options.sink.in_flight;

    return !atomic_load(&pump->stopping) && busy < most && backlog_has_room(pump->backlog) &&
           clock_monotonic_us() >= pump->resume_us && count_allowed(pump) > 0;
}

/* The batch that waits for more records is not delivered. */
static void give_up_forming(struct pump *pump)
{
    if (!pump->forming)
        return;
    backlog_settle(pump->backlog, pump->forming->batch, NULL);
    pump_workers_release(pump->workers, pump->forming);
    pump->forming = NULL;
}

/* Does the batch wait for more records? */
static bool must_form(struct pump *pump, struct pump_call *call)
{
    int64_t linger_us = pump->options.rules.linger_us;
    int64_t age_us = clock_now_us() - call->batch->records[0].accepted_us;
    bool is_ending = atomic_load(&pump->draining) || atomic_load(&pump->stopping);

    if (linger_us == 0 || call->batch->is_full || is_ending)
        return false;
    if (!pump->forming) {
        age_us = age_us < 0 ? 0 : age_us;
        pump->form_until_us = clock_monotonic_us() + linger_us - age_us;
    }
    return clock_monotonic_us() < pump->form_until_us;
}

/* Deliver the batch, or let a worker do it. */
static void start_call(struct pump *pump, struct pump_call *call)
{
    pump->allowed -= (int64_t)call->batch->count * US_PER_S;
    if (pump_judge_is_solo(&pump->judge)) {
        pump_workers_deliver(pump->workers, call, 0, call->batch->count);
        end_call(pump, call, true);
    } else {
        pump_workers_start(pump->workers, call);
    }
}

/* Take a batch and start its delivery. False: none is ready. */
static bool take(struct pump *pump)
{
    const struct backlog_bounds bounds = bounds_of(pump);
    struct pump_call *call;
    struct error err = { 0 };
    bool ok;

    if (pump->forming && pump->forming->generation != pump->judge.generation)
        give_up_forming(pump); /* smaller batches may be wanted */
    call = pump->forming ? pump->forming : pump_workers_idle(pump->workers);
    call->generation = pump->judge.generation;
    pump->judge.bounds = bounds;
    ok = backlog_take(pump->backlog, &bounds, call->arena, &call->batch, &err);
    if (!call->batch && pump->forming) {
        pump_workers_release(pump->workers, call);
        pump->forming = NULL;
    }
    if (!check_store(pump, ok, &err) || !call->batch)
        return false;
    if (must_form(pump, call)) {
        pump->forming = call;
        return false;
    }
    pump->forming = NULL;
    start_call(pump, call);
    return true;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When to look again, though nothing happens. */
static int64_t look_again_us(struct pump *pump, bool for_records)
{
    int64_t now_us = clock_monotonic_us();
    int64_t rate = pump->options.rules.rate;
    int64_t latest_us = now_us + TEND_US;

    if (for_records && pump->forming)
        latest_us = lesser(latest_us, pump->form_until_us);
    if (!for_records && pump->resume_us > now_us)
        latest_us = lesser(latest_us, pump->resume_us);
    if (!for_records && rate > 0 && pump->allowed < US_PER_S)
        latest_us = lesser(latest_us, now_us + (US_PER_S - pump->allowed) / rate + 1);
    return latest_us;
}

/* Wait until there is something to do. */
static void rest(struct pump *pump)
{
    struct sink *sink = &pump->options.sink;
    bool for_records = may_take(pump);

    if (for_records && pump_workers_busy(pump->workers) == 0 && sink->tend)
        sink->tend(sink->self);
    backlog_wait(pump->backlog, for_records, look_again_us(pump, for_records));
}

/* False: the pump has ended. */
static bool turn(struct pump *pump)
{
    bool is_ending = atomic_load(&pump->draining) || atomic_load(&pump->stopping);

    if (atomic_exchange(&pump->hurry, false))
        pump->resume_us = 0;
    end_calls(pump);
    if (commit(pump) && may_take(pump) && take(pump))
        return true;
    if (is_ending && pump_workers_busy(pump->workers) == 0)
        return false;
    rest(pump);
    return true;
}

static void *run(void *self)
{
    struct pump *pump = self;

    pump->allowed_us = clock_monotonic_us();
    while (turn(pump))
        ;
    give_up_forming(pump);
    (void)pthread_mutex_lock(&pump->mutex);
    pump->ended = true;
    (void)pthread_cond_broadcast(&pump->changed);
    (void)pthread_mutex_unlock(&pump->mutex);
    return NULL;
}

static void wake(void *self)
{
    struct pump *pump = self;

    backlog_wake(pump->backlog);
}

static void end(struct pump *pump)
{
    pump_workers_destroy(pump->workers);
    backlog_close(pump->backlog);
    pump->workers = NULL;
    pump->backlog = NULL;
}

static struct str find_key(void *self, struct str bytes, struct arena *arena)
{
    const struct pump *pump = self;
    CLEANUP(arena_cleanup) struct arena *reading = arena_create();
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    const struct flat *record;
    struct error err;

    if (!flat_read(reading, bytes, &options, &record, &err))
        return STR_NONE; /* it was written as JSON */
    return record_text(record, pump->key, arena);
}

static bool open_backlog(struct pump *pump, struct outbox *outbox, struct error *err)
{
    const char *key = pump->options.key;
    struct backlog_options options = {
        .sink = pump->options.name,
        .order = pump->options.rules.order,
        .self = pump,
    };

    if (key && *key && !pump->key && !json_pointer_create(str_from_c(key), &pump->key, err))
        return false;
    if (pump->key)
        options.order_key = find_key;
    return backlog_open(outbox, &options, &pump->backlog, err);
}

bool pump_start(struct pump *pump, struct outbox *outbox, struct error *err)
{
    struct pump_workers_options workers = {
        .name = pump->options.name,
        .sink = &pump->options.sink,
        .in_order = pump->options.rules.order == BACKLOG_STRICT,
        .in_flight = &pump->in_flight,
        .tracer = pump->options.tracer,
        .wake = wake,
        .self = pump,
    };
    char name[THREAD_NAME_SIZE];

    if (!open_backlog(pump, outbox, err))
        return false;
    workers.store = backlog_store(pump->backlog);
    pump->workers = pump_workers_create(&workers);
    pump->judge.backlog = pump->backlog;
    pump->judge.workers = pump->workers;
    pump_judge_init(&pump->judge);
    (void)snprintf(name, sizeof(name), "sink-%.10s", pump->options.name);
    if (thread_start(&pump->thread, name, run, pump, err))
        return true;
    end(pump);
    return false;
}

static void set(struct pump *pump, atomic_bool *flag)
{
    atomic_store(flag, true);
    backlog_wake(pump->backlog);
}

void pump_reopen(struct pump *pump)
{
    if (!pump->backlog)
        return;
    if (pump->options.sink.reopen)
        pump->options.sink.reopen(pump->options.sink.self);
    set(pump, &pump->hurry);
}

void pump_drain(struct pump *pump)
{
    if (pump->backlog)
        set(pump, &pump->draining);
}

void pump_halt(struct pump *pump)
{
    if (pump->backlog)
        set(pump, &pump->stopping);
}

bool pump_has_ended(struct pump *pump)
{
    (void)pthread_mutex_lock(&pump->mutex);

    bool ended = pump->ended || !pump->backlog;

    (void)pthread_mutex_unlock(&pump->mutex);
    return ended;
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

void pump_interrupt(struct pump *pump)
{
    if (!pump->backlog)
        return;
    set(pump, &pump->stopping);
    pump_workers_stop(pump->workers);
    if (pump->options.sink.interrupt)
        pump->options.sink.interrupt(pump->options.sink.self);
}

void pump_stop(struct pump *pump, int64_t latest_us)
{
    if (!pump->backlog)
        return;
    await_end(pump, latest_us);
    pump_interrupt(pump);
    (void)pthread_join(pump->thread, NULL);
    end(pump);
}

void pump_end(struct pump *pump)
{
    pump_stop(pump, 0);
    if (pump->options.sink.destroy)
        pump->options.sink.destroy(pump->options.sink.self);
    pump->options.sink.destroy = NULL;
}

void pump_destroy(struct pump *pump)
{
    if (!pump)
        return;
    pump_end(pump);
    json_pointer_destroy(pump->key);
    pump_fault_destroy(pump->judge.fault);
    exemplars_done(&pump->judge.exemplars);
    (void)pthread_cond_destroy(&pump->changed);
    (void)pthread_mutex_destroy(&pump->mutex);
    mem_free(pump);
}
