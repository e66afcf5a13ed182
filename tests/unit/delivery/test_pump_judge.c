/*
 * test_pump_judge.c - claims about delivery/pump_judge.h: when the sink has to pause, and when only
 * the records that fail have to
 */
#include "delivery/pump_judge.h"

#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"

enum { IN_FLIGHT = 8, LONG_US = 60 * 1000000 };

static const char *const names[] = { "place" };

static struct store store;
static struct pump_rules rules;
static struct pump_judge judge;
static atomic_size_t in_flight;

static void no_wake(void *self)
{
    (void)self;
}

static enum sink_result probe_result = SINK_DELIVERED;

/* A probe. */
static void deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    (void)self;
    sink_answer_all(batch, answer, probe_result, NULL);
}

static const struct sink sink = { .in_flight = IN_FLIGHT, .max_records = 10, .deliver = deliver };

static void begin(size_t count, int64_t max_backoff_us)
{
    store_init(&store);
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
    store_fill(&store, "e", count);
    rules = (struct pump_rules){ .max_backoff_us = max_backoff_us };
    judge = (struct pump_judge){
        .rules = &rules,
        .sink = &sink,
        .backlog = taking_open(store.outbox, names[0], BACKLOG_UNORDERED),
        .bounds = { .records = 10, .bytes = 1 << 20 },
        .log.sink = names[0],
        .fault = pump_fault_create(),
    };
    judge.workers = pump_workers_create(&(struct pump_workers_options){
        .name = names[0], .sink = &sink, .store = "s", .in_flight = &in_flight, .wake = no_wake });
    pump_judge_init(&judge);
}

static void end(void)
{
    pump_workers_destroy(judge.workers);
    taking_close(judge.backlog);
    pump_fault_destroy(judge.fault);
    store_done(&store);
}

/* Take at most `most` records of a lane: their count. */
static size_t take(struct pump_call *call, size_t most, enum backlog_lane lane)
{
    const struct backlog_bounds bounds = { .records = most, .bytes = 1 << 20, .lane = lane };
    struct error err = { 0 };

    *call = (struct pump_call){ .arena = arena_create(), .generation = judge.generation };
    CHECK(backlog_commit(judge.backlog, true, &err));
    CHECK(backlog_take(judge.backlog, &bounds, call->arena, &call->batch, &err));
    return call->batch ? call->batch->count : 0;
}

/* All records of the call have this result. Returns the pause. */
static int64_t answer(struct pump_call *call, enum sink_result result, bool is_sink_wide)
{
    struct sink_outcome outcomes[10];
    int64_t pause_us;

    for (size_t i = 0; i < call->batch->count; i++)
        outcomes[i] = (struct sink_outcome){ result, "why" };
    call->answer = (struct sink_answer){ .outcomes = outcomes, .is_sink_wide = is_sink_wide };
    pause_us = pump_judge_call(&judge, call, true);
    arena_destroy(call->arena);
    return pause_us;
}

static void check_arrives(int64_t sequence)
{
    struct pump_call call;

    CHECK_INT((int64_t)take(&call, 1, BACKLOG_NEW), 1);
    CHECK_INT(call.batch->records[0].seq, sequence);
    CHECK_INT(answer(&call, SINK_DELIVERED, false), 0);
}

static int64_t fail_one(int64_t sequence)
{
    struct pump_call call;

    CHECK_INT((int64_t)take(&call, 1, BACKLOG_NEW), 1);
    CHECK_INT(call.batch->records[0].seq, sequence);
    return answer(&call, SINK_POSTPONED, false);
}

/* It is not known whether it or the sink is at fault: a new record, which shows that, comes soon.
 */
static void one_record_that_fails_alone_pauses_the_sink_for_seconds(void)
{
    enum { SECONDS = 8 };

    for (int with_others = 0; with_others < 2; with_others++) {
        int64_t longest_us = 0;

        begin(1 + (size_t)with_others, LONG_US);
        if (with_others)
            check_arrives(1);
        for (int i = 0; i < 100; i++) {
            int64_t pause_us = fail_one(1 + with_others);

            longest_us = pause_us > longest_us ? pause_us : longest_us;
        }
        CHECK((longest_us <= SECONDS * INT64_C(1000000)) == with_others);
        end();
    }
}

/* Else it would never be set aside while the record before it fails, and no other one comes. */
static void a_probe_that_is_refused_counts_as_an_attempt(void)
{
    struct pump_call call;
    int64_t failing;

    begin(2, 1);
    CHECK_INT((int64_t)take(&call, 2, BACKLOG_NEW), 2);
    (void)answer(&call, SINK_REFUSED, false);
    probe_result = SINK_REFUSED;
    CHECK_INT((int64_t)take(&call, 1, BACKLOG_RETRIES), 1);
    failing = call.batch->records[0].seq; /* the other one is the probe */
    (void)answer(&call, SINK_POSTPONED, false);
    CHECK_INT((int64_t)take(&call, 2, BACKLOG_RETRIES), 2);
    for (size_t i = 0; i < call.batch->count; i++)
        CHECK_INT(call.batch->records[i].attempts, call.batch->records[i].seq == failing ? 1 : 2);
    (void)answer(&call, SINK_DELIVERED, false);
    probe_result = SINK_DELIVERED;
    end();
}

/* One hot shard: all its records are retries, and the others arrive. */
static void retries_that_are_throttled_do_not_pause_the_sink(void)
{
    struct sink_outcome outcomes[] = { { SINK_POSTPONED, "slow" }, { SINK_DELIVERED, NULL } };
    struct pump_call hot;

    begin(20, 1);
    CHECK_INT((int64_t)take(&hot, 2, BACKLOG_NEW), 2);
    hot.answer = (struct sink_answer){ .outcomes = outcomes, .is_sink_wide = true };
    (void)pump_judge_call(&judge, &hot, true);
    arena_destroy(hot.arena);
    for (int64_t i = 0; i < 10; i++) {
        check_arrives(3 + i);
        CHECK_INT((int64_t)take(&hot, 9, BACKLOG_RETRIES), 1);

        int64_t pause_us = answer(&hot, SINK_POSTPONED, true);

        if (i > 0) { /* the first one may be the sink */
            CHECK_INT(pause_us, 0);
            CHECK(!pump_judge_is_solo(&judge));
        }
    }
    CHECK_INT((int64_t)take(&hot, 9, BACKLOG_RETRIES), 1);
    (void)answer(&hot, SINK_POSTPONED, true);
    CHECK(pump_judge_is_solo(&judge)); /* nothing has arrived since the last time */
    check_arrives(13);
    CHECK_INT((int64_t)take(&hot, 9, BACKLOG_RETRIES), 1);
    (void)answer(&hot, SINK_MISCONFIGURED, true);
    CHECK(pump_judge_is_solo(&judge));
    end();
}

static void answer_busy(struct pump_call *call)
{
    struct sink_outcome outcome = { SINK_POSTPONED, "answered 503" };

    call->answer = (struct sink_answer){ .outcomes = &outcome,
                                         .is_sink_wide = true,
                                         .busy = SINK_UNAVAILABLE };
    (void)pump_judge_call(&judge, call, true);
    arena_destroy(call->arena);
}

/* The only retry fails again: does the sink fail with it? */
static void check_retry(int64_t attempts_before, bool fails_sink)
{
    struct pump_call call;

    CHECK_INT((int64_t)take(&call, 9, BACKLOG_RETRIES), 1);
    CHECK_INT(call.batch->records[0].attempts, attempts_before);
    answer_busy(&call);
    CHECK_INT(judge.log.failures > 0, fails_sink);
}

/* Four times with the first record, and the second one shows that others arrive. */
static void begin_with_a_busy_record(void)
{
    struct pump_call call;

    begin(20, 1);
    for (int i = 1; i <= 4; i++) {
        CHECK_INT((int64_t)take(&call, 1, BACKLOG_NEW), 1);
        CHECK_INT(call.batch->records[0].seq, 1);
        answer_busy(&call);
    }
    check_arrives(3);
}

static void a_busy_answer_counts_as_an_attempt_only_while_others_arrive(void)
{
    struct pump_call call;

    begin_with_a_busy_record();
    check_retry(0, false);
    check_arrives(4);
    check_retry(1, false);
    check_retry(2, false); /* none has arrived since: neither counted nor a reason to pause */
    CHECK_INT((int64_t)take(&call, 1, BACKLOG_NEW), 1);
    answer_busy(&call); /* the sink has too much to do */
    check_retry(2, true);
    check_arrives(5);
    check_retry(2, false);
    CHECK_INT((int64_t)take(&call, 9, BACKLOG_RETRIES), 1);
    CHECK_INT(call.batch->records[0].attempts, 3);
    (void)answer(&call, SINK_DELIVERED, false);
    end();
}

/* It may wait alone, but that is no sign that the sink works again. */
static void a_sink_that_fails_has_not_recovered_until_a_record_arrives(void)
{
    struct pump_call call;

    begin(2, 1);
    CHECK_INT((int64_t)take(&call, 1, BACKLOG_NEW), 1);
    (void)answer(&call, SINK_REFUSED, false);
    check_retry(1, true);
    check_retry(1, true);
    check_arrives(2);
    CHECK_INT(judge.log.failures, 0);
    end();
}

int main(void)
{
    RUN(a_sink_that_fails_has_not_recovered_until_a_record_arrives);
    RUN(one_record_that_fails_alone_pauses_the_sink_for_seconds);
    RUN(a_probe_that_is_refused_counts_as_an_attempt);
    RUN(a_busy_answer_counts_as_an_attempt_only_while_others_arrive);
    RUN(retries_that_are_throttled_do_not_pause_the_sink);
    return test_end();
}
