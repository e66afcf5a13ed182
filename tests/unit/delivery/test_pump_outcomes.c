/*
 * test_pump_outcomes.c - claims about delivery/pump.h: what each outcome of a sink leads to, and
 * when batches go out
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "delivery/pump.h"
#include "tests/unit/capture.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { MOST = 1000, LONG_US = 60 * 1000000 };

static const char *const names[] = { "place" };

static struct store store;
static struct capture capture;

/* The sink. */
static struct {
    void (*behave)(const struct sink_batch *batch, struct sink_answer *answer);
    size_t (*cost)(void *self, const struct sink_record *record);
    atomic_bool is_wrong;
    atomic_int calls;
    atomic_int arrived[MOST];
    _Atomic size_t sizes[MOST]; /* of the batches, by call */
    _Atomic int64_t begun_us[MOST];
} place;

static void deliver_all(const struct sink_batch *batch, struct sink_answer *answer)
{
    sink_answer_all(batch, answer, SINK_DELIVERED, NULL);
}

static void deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    int call = place.calls++;

    (void)self;
    if (call < MOST) {
        place.sizes[call] = batch->count;
        place.begun_us[call] = clock_monotonic_us();
    }
    place.behave(batch, answer);
    for (size_t i = 0; i < batch->count; i++)
        place.arrived[batch->records[i].sequence] += answer->outcomes[i].result == SINK_DELIVERED;
}

static void destroy(void *self)
{
    (void)self;
}

static void begin(const char *path)
{
    memset((void *)&place, 0, sizeof(place));
    place.behave = deliver_all;
    store_init(&store);
    if (path)
        store.options.path = path;
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
}

static struct pump *start(const struct pump_rules *rules, size_t in_flight, size_t max_bytes)
{
    struct error err = { 0 };
    struct pump *pump = pump_create(&(struct pump_options){
        .name = names[0],
        .rules = *rules,
        .sink = { .in_flight = in_flight,
                  .max_records = 10,
                  .max_bytes = max_bytes,
                  .cost = place.cost,
                  .deliver = deliver,
                  .destroy = destroy },
    });

    capture_begin(&capture, STDOUT_FILENO);
    CHECK(pump_start(pump, store.outbox, &err));
    return pump;
}

static int said(struct str log, const char *text)
{
    const char *at = log.ptr;
    int count = 0;

    for (; (at = memmem(at, log.len - (size_t)(at - log.ptr), text, strlen(text))); at++)
        count++;
    return count;
}

static struct str stop(struct pump *pump)
{
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us() + LONG_US);
    pump_destroy(pump);
    return capture_end(&capture);
}

static void stop_quietly(struct pump *pump)
{
    mem_free((char *)stop(pump).ptr);
}

static void end(void)
{
    const struct outbox_sink_counters *sink = store_sink(&store, names[0]);

    CHECK_INT(sink->enqueued, sink->delivered + sink->pending + sink->dead + sink->dropped);
    store_done(&store);
}

static bool nothing_pending(void *self)
{
    (void)self;
    return store_sink(&store, names[0])->pending == 0;
}

static void never_the_third(const struct sink_batch *batch, struct sink_answer *answer)
{
    bool stopped = false;

    for (size_t i = 0; i < batch->count && !stopped; i++) {
        bool is_bad = batch->records[i].sequence == 3;

        answer->outcomes[i] = (struct sink_outcome){ is_bad ? SINK_IMPOSSIBLE : SINK_DELIVERED,
                                                     is_bad ? "too large" : NULL };
        stopped = is_bad && batch->in_order;
    }
}

static void an_impossible_record_is_dead_at_once(void)
{
    static const enum backlog_order orders[] = { BACKLOG_UNORDERED, BACKLOG_BY_KEY,
                                                 BACKLOG_STRICT };

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        const struct pump_rules rules = { .order = orders[i], .max_backoff_us = LONG_US };
        struct pump *pump;
        struct str log;

        begin(NULL);
        place.behave = never_the_third;
        store_fill(&store, "e", 20);
        pump = start(&rules, 4, 1000);
        CHECK(wait_until(nothing_pending, NULL)); /* nothing waits for a pause */
        log = stop(pump);
        CHECK_INT(store_sink(&store, names[0])->dead, 1);
        CHECK_INT(store_sink(&store, names[0])->delivered, 19);
        CHECK_INT(said(log, "\"sink_record_dead\",\"sink\":\"place\",\"reason\":\"too large\""), 1);
        CHECK_INT(said(log, "\"sink_failed\""), 0);
        CHECK_INT((int64_t)said(log, "\n"), 1);
        mem_free((char *)log.ptr);
        end();
    }
}

static void without_a_store_its_sender_hears_at_once(void)
{
    const struct pump_rules rules = { .is_awaited = true, .max_backoff_us = LONG_US };
    struct outbox_event event = store_event("e", "{}");
    struct outbox_result result;
    struct pump *pump;

    begin("");
    place.behave = never_the_third;
    pump = start(&rules, 4, 1000);
    for (int i = 0; i <= 3; i++) { /* without a store sequences begin at 0 */
        result = store_submit(&store, &event);
        CHECK_INT(result.verdict, i == 3 ? OUTBOX_UNAVAILABLE : OUTBOX_ACCEPTED);
    }
    CHECK_STR(str_from_c(result.reason), "a sink refused the record");
    stop_quietly(pump);
    end();
}

static void wrong_rights(const struct sink_batch *batch, struct sink_answer *answer)
{
    sink_answer_all(batch, answer, place.is_wrong ? SINK_MISCONFIGURED : SINK_DELIVERED,
                    place.is_wrong ? "no right to write" : NULL);
}

static bool is_tried_often(void *self)
{
    return pump_attempts(self, SINK_MISCONFIGURED) > 30;
}

static void a_misconfigured_sink_waits_and_is_logged_once(void)
{
    for (size_t in_flight = 1; in_flight <= 4; in_flight += 3) {
        const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 1000 };
        struct pump *pump;
        struct str log;

        begin(NULL);
        place.behave = wrong_rights;
        place.is_wrong = true;
        store_fill(&store, "e", 50);
        pump = start(&rules, in_flight, 1000);
        CHECK(wait_until(is_tried_often, pump));
        CHECK(pump_is_misconfigured(pump));
        CHECK_INT(store_sink(&store, names[0])->pending, 50);
        place.is_wrong = false;
        CHECK(wait_until(nothing_pending, NULL));
        CHECK(!pump_is_misconfigured(pump));
        log = stop(pump);
        CHECK_INT(said(log, "\"sink_misconfigured\",\"sink\":\"place\","
                            "\"reason\":\"no right to write\"}"),
                  1);
        CHECK_INT(said(log, "\"sink_recovered\""), 1);
        CHECK_INT((int64_t)said(log, "\n"), 2);
        CHECK_INT(store_sink(&store, names[0])->dead, 0);
        mem_free((char *)log.ptr);
        end();
    }
}

static bool has_recovered(void *self)
{
    struct pump_error error;

    pump_last_error(self, &error);
    return error.in_a_row == 0;
}

static void the_last_error_stays_known(void)
{
    const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 1000 };
    struct pump_error error;
    struct pump *pump;

    begin(NULL);
    place.behave = wrong_rights;
    place.is_wrong = true;
    store_fill(&store, "e", 50);
    pump = start(&rules, 1, 1000);
    CHECK(wait_until(is_tried_often, pump));
    pump_last_error(pump, &error);
    CHECK_STR(str_from_c(error.reason), "no right to write");
    CHECK(error.in_a_row >= 2 && error.at_us > 0 && error.said_len == 0);
    place.is_wrong = false;
    CHECK(wait_until(nothing_pending, NULL));
    CHECK(wait_until(has_recovered, pump));
    pump_last_error(pump, &error);
    CHECK_STR(str_from_c(error.reason), "no right to write");
    stop_quietly(pump);
    end();
}

static void fail_for_long(const struct sink_batch *batch, struct sink_answer *answer)
{
    sink_answer_all(batch, answer, SINK_POSTPONED, "busy");
    answer->is_sink_wide = true;
    answer->retry_after_us = LONG_US;
}

static bool waits(void *self)
{
    return pump_waits_until_us(self) > clock_now_us();
}

static void a_pause_has_an_end(void)
{
    const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = LONG_US };
    struct pump *pump;

    begin(NULL);
    place.behave = fail_for_long;
    store_fill(&store, "e", 1);
    pump = start(&rules, 1, 1000);
    CHECK(wait_until(waits, pump));
    CHECK(pump_waits_until_us(pump) <= clock_now_us() + LONG_US);
    place.behave = deliver_all;
    pump_reopen(pump);
    CHECK(wait_until(nothing_pending, NULL));
    CHECK_INT(pump_waits_until_us(pump), 0);
    stop_quietly(pump);
    end();
}

/* Each record is confirmed when it comes for the third time; the second is refused then. */
static void confirm_later(const struct sink_batch *batch, struct sink_answer *answer)
{
    static _Atomic int seen[MOST];

    for (size_t i = 0; i < batch->count; i++) {
        int64_t sequence = batch->records[i].sequence;
        bool is_decided = ++seen[sequence] % 3 == 0;

        answer->outcomes[i].result = !is_decided     ? SINK_UNDER_WAY
                                     : sequence == 2 ? SINK_REFUSED
                                                     : SINK_DELIVERED;
        if (is_decided && sequence == 2)
            answer->outcomes[i].reason = "no";
        if (sequence == 5 && seen[sequence] == 1)
            answer->outcomes[i].result = SINK_DELIVERED; /* not all take equally long */
    }
}

static void what_is_under_way_comes_again_until_it_is_decided(void)
{
    const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = LONG_US };
    struct pump *pump;

    begin(NULL);
    place.behave = confirm_later;
    store_fill(&store, "e", 9);
    pump = start(&rules, 2, 1000);
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    for (int64_t i = 1; i <= 9; i++)
        CHECK_INT(place.arrived[i], i != 2);
    CHECK_INT(place.calls, 3);
    CHECK_INT((int64_t)place.sizes[0], 9);
    CHECK_INT((int64_t)place.sizes[1], 8);
    CHECK_INT(store_sink(&store, names[0])->dead, 1);
    end();
}

static void never_confirm(const struct sink_batch *batch, struct sink_answer *answer)
{
    sink_answer_all(batch, answer, SINK_UNDER_WAY, NULL);
}

static bool was_called(void *self)
{
    (void)self;
    return place.calls > 2;
}

static void what_is_never_confirmed_does_not_hold_up_the_end(void)
{
    const struct pump_rules rules = { .max_backoff_us = LONG_US };
    struct pump *pump;

    begin(NULL);
    place.behave = never_confirm;
    store_fill(&store, "e", 5);
    pump = start(&rules, 2, 1000);
    CHECK(wait_until(was_called, NULL));
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us());
    pump_destroy(pump);
    mem_free((char *)capture_end(&capture).ptr);
    CHECK_INT(store_sink(&store, names[0])->pending, 5);
    end();
}

/* Every second record is throttled at first: the others do not wait for it. */
static void throttle_half(const struct sink_batch *batch, struct sink_answer *answer)
{
    static _Atomic int seen[MOST];

    for (size_t i = 0; i < batch->count; i++) {
        int64_t sequence = batch->records[i].sequence;
        bool is_throttled = sequence % 2 == 1 && seen[sequence]++ == 0;

        answer->outcomes[i] = (struct sink_outcome){ is_throttled ? SINK_POSTPONED : SINK_DELIVERED,
                                                     is_throttled ? "throttled" : NULL };
    }
}

static void a_partial_failure_is_no_failure_of_the_sink(void)
{
    const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 20000 };
    struct pump *pump;
    struct str log;

    begin(NULL);
    place.behave = throttle_half;
    store_fill(&store, "e", 200);
    pump = start(&rules, 4, 1000);
    CHECK(wait_until(nothing_pending, NULL));
    log = stop(pump);
    CHECK_INT(said(log, "\"sink_failed\""), 0);
    for (int64_t i = 1; i <= 200; i++)
        CHECK_INT(place.arrived[i], 1);
    mem_free((char *)log.ptr);
    end();
}

static size_t cost_of_hundred(void *self, const struct sink_record *record)
{
    (void)self;
    assert(record->order_key.len > 0);
    return 100;
}

static void batches_are_filled_by_the_sinks_cost(void)
{
    const struct pump_rules rules = { .max_backoff_us = 1000 };
    struct pump *pump;

    begin(NULL);
    place.cost = cost_of_hundred;
    store_fill(&store, "e", 12);
    pump = start(&rules, 1, 399);
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    CHECK_INT(place.calls, 4);
    for (size_t i = 0; i < 4; i++)
        CHECK_INT((int64_t)place.sizes[i], 3);
    end();
}

static void a_batch_waits_to_fill(void)
{
    for (size_t in_flight = 1; in_flight <= 4; in_flight += 3) {
        const struct pump_rules rules = { .linger_us = LONG_US, .max_backoff_us = 1000 };
        struct pump *pump;

        begin(NULL);
        pump = start(&rules, in_flight, 1000);
        store_fill(&store, "a", 4);
        store_fill(&store, "b", 4);
        (void)usleep(20000);
        CHECK_INT(place.calls, 0);
        store_fill(&store, "c", 5); /* ten are a batch; three wait for more */
        while (store_sink(&store, names[0])->pending > 3)
            (void)usleep(1000);
        CHECK_INT(place.calls, 1);
        CHECK_INT((int64_t)place.sizes[0], 10);
        stop_quietly(pump); /* the drain does not wait */
        CHECK_INT((int64_t)place.sizes[1], 3);
        CHECK_INT(store_sink(&store, names[0])->delivered, 13);
        end();
    }
}

static void a_batch_waits_no_longer_than_its_first_record(void)
{
    enum { LINGER_US = 1000000 };
    const struct pump_rules rules = { .linger_us = LINGER_US, .max_backoff_us = 1000 };
    struct pump *pump;
    int64_t begun_us;

    begin(NULL);
    pump = start(&rules, 4, 1000);
    begun_us = clock_monotonic_us();
    store_fill(&store, "a", 1);
    (void)usleep(LINGER_US / 10);
    store_fill(&store, "b", 1);
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    CHECK_INT(place.calls, 1);
    CHECK_INT((int64_t)place.sizes[0], 2);
    CHECK(place.begun_us[0] - begun_us >= LINGER_US);
    end();
}

static void a_paused_sink_gets_nothing_not_even_what_waits_to_fill(void)
{
    const struct pump_rules rules = { .linger_us = LONG_US, .max_backoff_us = 1000 };
    struct pump *pump;
    struct error err = { 0 };

    begin(NULL);
    pump = start(&rules, 4, 1000);
    store_fill(&store, "a", 4);
    (void)usleep(20000);
    CHECK(outbox_pause_sink(store.outbox, names[0], true, &err));
    store_fill(&store, "b", 20);
    (void)usleep(20000);
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us() + LONG_US);
    pump_destroy(pump);
    mem_free((char *)capture_end(&capture).ptr);
    CHECK_INT(place.calls, 0);
    CHECK_INT(store_sink(&store, names[0])->pending, 24);
    CHECK(outbox_pause_sink(store.outbox, names[0], false, &err));
    pump = start(&rules, 4, 1000);
    stop_quietly(pump);
    CHECK_INT(store_sink(&store, names[0])->delivered, 24);
    end();
}

/* What waits to fill is in the store, whatever becomes of the process. */
static void an_interrupted_pump_keeps_what_waits_to_fill(void)
{
    const struct pump_rules rules = { .linger_us = LONG_US, .max_backoff_us = 1000 };
    struct pump *pump;

    begin(NULL);
    pump = start(&rules, 4, 1000);
    store_fill(&store, "a", 3);
    (void)usleep(20000);
    pump_destroy(pump);
    mem_free((char *)capture_end(&capture).ptr);
    CHECK_INT(store_sink(&store, names[0])->pending + store_sink(&store, names[0])->delivered, 3);
    end();
}

static void a_rate_is_kept(void)
{
    enum { RATE = 200, RECORDS = 60 };
    const struct pump_rules rules = { .rate = RATE, .max_backoff_us = 1000 };
    struct pump *pump;
    int64_t begun_us;

    begin(NULL);
    store_fill(&store, "e", RECORDS);
    begun_us = clock_monotonic_us();
    pump = start(&rules, 4, 1000);
    CHECK(wait_until(nothing_pending, NULL));
    CHECK(clock_monotonic_us() - begun_us >= (int64_t)(RECORDS - 1) * US_PER_S / RATE);
    CHECK(place.calls > RECORDS / 10);
    stop_quietly(pump);
    end();
}

int main(void)
{
    RUN(an_impossible_record_is_dead_at_once);
    RUN(without_a_store_its_sender_hears_at_once);
    RUN(a_misconfigured_sink_waits_and_is_logged_once);
    RUN(the_last_error_stays_known);
    RUN(a_pause_has_an_end);
    RUN(what_is_under_way_comes_again_until_it_is_decided);
    RUN(what_is_never_confirmed_does_not_hold_up_the_end);
    RUN(a_partial_failure_is_no_failure_of_the_sink);
    RUN(batches_are_filled_by_the_sinks_cost);
    RUN(a_batch_waits_to_fill);
    RUN(a_batch_waits_no_longer_than_its_first_record);
    RUN(an_interrupted_pump_keeps_what_waits_to_fill);
    RUN(a_paused_sink_gets_nothing_not_even_what_waits_to_fill);
    RUN(a_rate_is_kept);
    return test_end();
}
