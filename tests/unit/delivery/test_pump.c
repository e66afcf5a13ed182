/*
 * test_pump.c - claims about delivery/pump.h: a pump between a sink that does as it is told and a
 * backlog in memory, which stands in for the store's and is linked in its place.
 */
#include "delivery/pump.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/delivery/stand_in.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { LONG_US = 1000 * US_PER_S, LOG_MAX = 1024 * 1024 };

/* The sink. */

static struct {
    atomic_int failures;    /* batches that are still to be postponed */
    atomic_int hangs;       /* until it is interrupted */
    atomic_bool holds;      /* every delivery, as long as it is set */
    _Atomic int64_t poison; /* the record it refuses, -1: none, */
    atomic_bool together;   /* and with it the batch that it is in */
    _Atomic uint64_t
        banes; /* a bit for each record which, as long as it is there, fails its batch */
    atomic_int calls;
    atomic_int reopened;
    atomic_int tended;
    atomic_bool interrupted;
    atomic_int arrived[MOST];
    atomic_int last;      /* that arrived */
    atomic_bool disorder; /* an earlier one came after a later one */
    int64_t retry_after_us;
} place;

static void place_begin(void)
{
    memset((void *)&place, 0, sizeof(place));
    place.poison = -1;
    place.last = -1;
}

static void take(const struct sink_record *record, struct sink_outcome *outcome)
{
    int at = (int)record->sequence;

    if (record->sequence == place.poison) {
        *outcome = (struct sink_outcome){ SINK_REFUSED, "poison" };
        return;
    }
    *outcome = (struct sink_outcome){ SINK_DELIVERED, NULL };
    place.arrived[at]++;
    if (at < place.last)
        place.disorder = true;
    place.last = at;
}

static bool has_poison(const struct sink_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->records[i].sequence == place.poison)
            return true;
    return false;
}

static bool has_bane(const struct sink_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (place.banes >> batch->records[i].sequence & 1)
            return true;
    return false;
}

static bool is_interrupted(void *self)
{
    (void)self;
    return place.interrupted;
}

static bool is_let_go(void *self)
{
    (void)self;
    return !place.holds;
}

static void deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    assert(str_equal(batch->store, STR("5eed5eed5eed5eed")));
    assert(self == &place && batch->count > 0);
    place.calls++;
    assert(wait_until(is_let_go, NULL));
    if (place.hangs > 0) {
        assert(wait_until(is_interrupted, NULL));
        sink_answer_all(batch, answer, SINK_POSTPONED, "interrupted");
        return;
    }
    if (place.failures > 0) {
        place.failures--;
        answer->retry_after_us = place.retry_after_us;
        sink_answer_all(batch, answer, SINK_POSTPONED, "down");
        return;
    }
    if (has_bane(batch)) {
        sink_answer_all(batch, answer, SINK_POSTPONED, "answered 500");
        return;
    }
    if (place.together && batch->count > 1 && has_poison(batch)) {
        answer->together = true;
        sink_answer_all(batch, answer, SINK_REFUSED, "one of these");
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        take(&batch->records[i], &answer->outcomes[i]);
        if (batch->in_order && answer->outcomes[i].result != SINK_DELIVERED)
            break;
    }
}

static void interrupt(void *self)
{
    (void)self;
    place.interrupted = true;
}

static void reopen(void *self)
{
    (void)self;
    place.reopened++;
}

static void tend(void *self)
{
    (void)self;
    place.tended++;
}

static void destroy(void *self)
{
    CHECK(self == &place);
}

static struct pump *create(const struct pump_rules *rules, size_t max_records)
{
    return pump_create(&(struct pump_options){
        .name = "place",
        .rules = *rules,
        .sink = { .in_flight = 1,
                  .max_records = max_records,
                  .max_bytes = 1000,
                  .deliver = deliver,
                  .interrupt = interrupt,
                  .tend = tend,
                  .reopen = reopen,
                  .destroy = destroy,
                  .self = &place },
    });
}

static struct capture capture;

static struct pump *start(const struct pump_rules *rules, size_t max_records)
{
    struct pump *pump = create(rules, max_records);
    struct error err = { 0 };

    capture_begin(&capture, STDOUT_FILENO);
    CHECK(pump_start(pump, NULL, &err));
    return pump;
}

/* How often the log has this event, once the pump has ended. */
static int said(struct str log, const char *event)
{
    const char *at = log.ptr;
    int count = 0;

    for (; (at = memmem(at, log.len - (size_t)(at - log.ptr), event, strlen(event))); at++)
        count++;
    return count;
}

static struct str end(struct pump *pump)
{
    pump_destroy(pump);
    CHECK(!store.is_open);
    return capture_end(&capture);
}

static void end_quietly(struct pump *pump)
{
    struct str log = end(pump);

    CHECK_STR(log, "");
    mem_free((char *)log.ptr);
}

static const struct pump_rules patient = { .max_backoff_us = 1000 };

static void everything_arrives_once_and_in_order(void)
{
    static const size_t sizes[] = { 1, 3, 64, 1000 };

    for (size_t i = 0; i < 2 * COUNT_OF(sizes); i++) {
        const struct pump_rules rules = { .order = i % 2 ? BACKLOG_STRICT : BACKLOG_UNORDERED,
                                          .max_backoff_us = 1000 };
        struct pump *pump;

        store_begin(MOST);
        place_begin();
        pump = start(&rules, sizes[i / 2]);
        CHECK(wait_until(all_delivered, NULL));
        CHECK(!place.disorder);
        for (size_t j = 0; j < MOST; j++)
            CHECK_INT(place.arrived[j], 1);
        CHECK_INT((int64_t)pump_attempts(pump, SINK_DELIVERED), MOST);
        CHECK_STR(str_from_c(pump_name(pump)), "place");
        end_quietly(pump);
    }
}

static void a_fault_of_the_sink_costs_nothing_and_is_told_once(void)
{
    static const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 1000 };
    struct pump *pump;
    struct str log;

    store_begin(10);
    place_begin();
    place.failures = 2;
    pump = start(&rules, 4);
    CHECK(wait_until(all_delivered, NULL));
    CHECK_INT((int64_t)pump_attempts(pump, SINK_POSTPONED), 4 + 2);
    CHECK_INT((int64_t)pump_attempts(pump, SINK_REFUSED), 0);
    log = end(pump);
    CHECK_INT(said(log, "\"sink_failed\",\"sink\":\"place\",\"reason\":\"down\"}"), 1);
    CHECK_INT(said(log, "\"sink_recovered\",\"sink\":\"place\",\"attempts_failed\":2,"), 1);
    CHECK_INT(said(log, "\n"), 2);
    CHECK(!place.disorder);
    mem_free((char *)log.ptr);
}

static bool has_failed_often(void *self)
{
    return pump_attempts(self, SINK_POSTPONED) > 100;
}

static void nobody_dies_of_a_long_outage(void)
{
    static const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 100 };
    struct pump *pump;
    struct str log;

    store_begin(40);
    place_begin();
    place.failures = INT_MAX;
    pump = start(&rules, 8);
    CHECK(wait_until(has_failed_often, pump));
    place.failures = 0;
    CHECK(wait_until(all_settled, NULL));
    CHECK(all_are(BACKLOG_DELIVERED));
    log = end(pump);
    CHECK_INT(said(log, "\"sink_failed\""), 1);
    CHECK_INT(said(log, "\"sink_record_dead\""), 0);
    mem_free((char *)log.ptr);
}

#define BIT(sequence) ((uint64_t)1 << (sequence))

/* A record that the sink fails for, as it does when it is down, is told from that. */
static void a_record_that_fails_the_sink_is_set_aside(void)
{
    static const struct {
        const char *name;
        uint64_t banes;
        size_t batch;
        int64_t max_attempts;
    } cases[] = {
        { "the first", BIT(0), 1, 3 },
        { "in the middle", BIT(13), 1, 3 },
        { "the last but one", BIT(38), 1, 3 },
        { "in a batch", BIT(13), 16, 3 },
        { "in one large batch", BIT(13), 1000, 2 },
        { "neighbours", BIT(13) | BIT(14) | BIT(15), 1, 3 },
        { "neighbours in a batch", BIT(13) | BIT(14), 8, 2 },
        { "many", BIT(1) | BIT(2) | BIT(9) | BIT(10) | BIT(11) | BIT(30), 4, 2 },
        { "once is not enough", BIT(5), 1, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct pump_rules rules = { .max_attempts = cases[i].max_attempts,
                                          .max_backoff_us = 100 };
        struct pump *pump;
        struct str log;

        TEST_CASE(cases[i].name);
        store_begin(40);
        place_begin();
        place.banes = cases[i].banes;
        pump = start(&rules, cases[i].batch);
        CHECK(wait_until(all_settled, NULL));
        log = end(pump);
        for (size_t j = 0; j < 40; j++) {
            bool is_bane = cases[i].banes >> j & 1;

            CHECK_INT(store.items[j].verdict, is_bane ? BACKLOG_DEAD : BACKLOG_DELIVERED);
            CHECK_INT(place.arrived[j], !is_bane);
            if (is_bane)
                CHECK_INT(store.items[j].record.attempts,
                          cases[i].max_attempts > 1 ? cases[i].max_attempts : 2);
        }
        CHECK_INT(said(log,
                       "\"sink_record_failing\",\"sink\":\"place\",\"reason\":\"answered 500\","
                       "\"records\":1,\"sequence\":"),
                  __builtin_popcountll(cases[i].banes));
        CHECK_INT(said(log, "\"sink_record_dead\""), __builtin_popcountll(cases[i].banes));
        mem_free((char *)log.ptr);
    }
}

static bool has_arrived_twenty_times(void *self)
{
    (void)self;
    return place.arrived[MOST - 1] >= 20;
}

/* Without an end to attempts such a record stays, and costs the others little. */
static void a_record_that_fails_for_ever_stops_nobody(void)
{
    static const struct pump_rules rules = { .max_backoff_us = 100 };
    struct pump *pump;

    store_begin(MOST);
    place_begin();
    place.banes = BIT(0) | BIT(1);
    store.endless = true;
    pump = start(&rules, 4);
    CHECK(wait_until(has_arrived_twenty_times, NULL));
    for (size_t i = 2; i < MOST; i++)
        CHECK(place.arrived[i] > 0);
    place.banes = 0;
    CHECK(wait_until(all_but_the_last_settled, NULL));
    CHECK_INT(store.items[0].verdict, BACKLOG_DELIVERED);
    mem_free((char *)end(pump).ptr);
}

static bool is_blocked_for_long(void *self)
{
    return pump_attempts(self, SINK_POSTPONED) > 300;
}

static void in_order_it_waits_and_is_named(void)
{
    static const struct pump_rules rules = { .order = BACKLOG_STRICT,
                                             .max_attempts = 1,
                                             .max_backoff_us = 100 };
    struct pump *pump;
    struct str log;

    store_begin(40);
    place_begin();
    place.banes = BIT(13);
    pump = start(&rules, 16);
    CHECK(wait_until(is_blocked_for_long, pump));
    CHECK_INT(place.arrived[12], 1);
    CHECK_INT(place.arrived[14], 0);
    place.banes = 0;
    CHECK(wait_until(all_delivered, NULL));
    CHECK(!place.disorder);
    log = end(pump);
    CHECK_INT(said(log, "\"sink_blocked\",\"sink\":\"place\",\"reason\":\"answered 500\","
                        "\"records\":1,\"sequence\":13,\"key\":\"key\"}"),
              1);
    mem_free((char *)log.ptr);
}

static bool all_but_banes_delivered(void *self)
{
    bool so = true;

    (void)self;
    (void)pthread_mutex_lock(&store.mutex);
    for (size_t i = 0; i < store.count; i++)
        so = so && (place.banes >> i & 1 || store.items[i].verdict == BACKLOG_DELIVERED);
    (void)pthread_mutex_unlock(&store.mutex);
    return so;
}

/* Though a pause would be endless: none is made. */
static void awaited_records_do_not_wait_for_each_other(void)
{
    static const struct pump_rules rules = { .is_awaited = true, .max_backoff_us = LONG_US };
    static const size_t sizes[] = { 1, 16, 1000 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct pump *pump;

        store_begin(40);
        place_begin();
        store.suspects_alone = true;
        place.banes = BIT(0) | BIT(13);
        pump = start(&rules, sizes[i]);
        CHECK(wait_until(all_but_banes_delivered, NULL));
        CHECK_INT(place.arrived[0] + place.arrived[13], 0);
        CHECK_INT(store.items[13].record.attempts, 0);
        mem_free((char *)end(pump).ptr);
    }
}

/* Whatever the other lane does: good news there must not undo what was learned here. */
static void a_split_converges_in_each_lane(void)
{
    static const struct pump_rules rules = { .max_attempts = 5, .max_backoff_us = 100 };
    struct pump *pump;

    store_begin(MOST);
    place_begin();
    place.poison = 17;
    place.together = true;
    store.endless = true;
    for (size_t i = 0; i + 1 < MOST; i++)
        store.items[i].verdict = BACKLOG_FAILED;
    pump = start(&rules, 50);
    CHECK(wait_until(all_but_the_last_settled, NULL));
    CHECK_INT(store.items[17].verdict, BACKLOG_DEAD);
    CHECK_INT(store.items[17].record.attempts, 5);
    for (size_t i = 0; i + 1 < MOST; i++)
        CHECK_INT(place.arrived[i], i != 17);
    mem_free((char *)end(pump).ptr);
}

/* The one at fault is found, its neighbours arrive. */
static void a_refused_record_is_set_aside(void)
{
    static const struct {
        const char *name;
        bool ordered;
        bool together;
        int64_t max_attempts;
    } cases[] = {
        { "told by itself", false, false, 3 },
        { "told with its batch", false, true, 3 },
        { "the first attempt is the last", false, true, 1 },
        { "in order", true, false, 3 },
        { "in order, with its batch", true, true, 3 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct pump_rules rules = { .order =
                                              cases[i].ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED,
                                          .max_attempts = cases[i].max_attempts,
                                          .max_backoff_us = 1000 };
        struct pump *pump;
        struct str log;

        TEST_CASE(cases[i].name);
        store_begin(40);
        place_begin();
        place.poison = 13;
        place.together = cases[i].together;
        pump = start(&rules, 16);
        CHECK(wait_until(all_settled, NULL));
        log = end(pump);
        CHECK_INT(store.items[13].verdict, BACKLOG_DEAD);
        CHECK_INT(store.items[13].record.attempts, cases[i].max_attempts);
        for (size_t j = 0; j < 40; j++)
            CHECK_INT(place.arrived[j], j != 13);
        CHECK(!cases[i].ordered || !place.disorder);
        CHECK_INT(said(log, "\"sink_record_refused\",\"sink\":\"place\",\"reason\":\"poison\","),
                  cases[i].max_attempts > 1);
        CHECK_INT(said(log, "\"sink_record_dead\",\"sink\":\"place\",\"reason\":\"poison\","
                            "\"records\":1,\"sequence\":13,\"key\":\"key\"}"),
                  1);
        mem_free((char *)log.ptr);
    }
}

static void without_an_end_it_is_tried_again(void)
{
    struct pump *pump;

    store_begin(3);
    place_begin();
    place.poison = 0;
    pump = start(&patient, 16);
    while (pump_attempts(pump, SINK_REFUSED) < 5)
        (void)usleep(1000);
    place.poison = -1;
    CHECK(wait_until(all_delivered, NULL));
    mem_free((char *)end(pump).ptr);
}

static void what_the_store_cannot_take_is_kept(void)
{
    struct pump *pump;
    struct str log;

    store_begin(10);
    place_begin();
    store.next_failures = 1;
    store.settle_failures = 2;
    pump = start(&patient, 4);
    CHECK(wait_until(all_delivered, NULL));
    for (size_t i = 0; i < 10; i++)
        CHECK_INT(place.arrived[i], 1); /* not delivered again for that */
    log = end(pump);
    CHECK_INT(said(log, "\"sink_store_failed\",\"sink\":\"place\",\"reason\":\"store failing\"}"),
              2);
    CHECK_INT(said(log, "\"sink_store_recovered\",\"sink\":\"place\"}"), 2);
    mem_free((char *)log.ptr);
}

static bool has_tended(void *self)
{
    (void)self;
    return place.tended > 0;
}

static void an_idle_sink_is_tended_and_hears_of_reopening(void)
{
    struct pump *pump;

    store_begin(0);
    place_begin();
    pump = start(&patient, 4);
    CHECK(wait_until(has_tended, NULL));
    pump_reopen(pump);
    CHECK_INT(place.reopened, 1);
    end_quietly(pump);
}

static bool has_failed(void *self)
{
    struct pump *pump = self;

    return pump_attempts(pump, SINK_POSTPONED) > 0;
}

static void reopening_ends_a_pause(void)
{
    static const struct pump_rules rules = { .max_backoff_us = LONG_US };
    struct pump *pump;

    store_begin(4);
    place_begin();
    place.failures = 1;
    place.retry_after_us = LONG_US;
    pump = start(&rules, 4);
    CHECK(wait_until(has_failed, pump));
    pump_reopen(pump);
    CHECK(wait_until(all_delivered, NULL));
    mem_free((char *)end(pump).ptr);
}

static void a_drained_pump_delivers_what_is_ready(void)
{
    struct pump *pump;

    store_begin(MOST);
    place_begin();
    pump = start(&patient, 1);
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us() + LONG_US);
    CHECK(all_are(BACKLOG_DELIVERED));
    end_quietly(pump);
}

static void a_drained_pump_does_not_wait_for_a_sink(void)
{
    static const struct {
        const char *name;
        int failures;
        int hangs;
        int64_t poison;
        int settle_failures;
        int64_t patience_us;
    } cases[] = {
        { "that is down", 1000000, 0, -1, 0, LONG_US },
        { "that hangs", 0, 1, -1, 0, 1000 },
        { "that refuses", 0, 0, 0, 0, LONG_US },
        { "while the store fails", 0, 0, -1, 1000000, LONG_US },
    };

    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const struct pump_rules rules = { .order = i % 2 ? BACKLOG_STRICT : BACKLOG_UNORDERED,
                                          .max_backoff_us = LONG_US };
        size_t row = i / 2;
        struct pump *pump;

        TEST_CASE(cases[row].name);
        store_begin(1);
        place_begin();
        place.failures = cases[row].failures;
        place.hangs = cases[row].hangs;
        place.poison = cases[row].poison;
        place.retry_after_us = LONG_US;
        store.settle_failures = cases[row].settle_failures;
        pump = start(&rules, 4);
        pump_drain(pump);
        pump_stop(pump, clock_monotonic_us() + cases[row].patience_us);
        CHECK(!all_are(BACKLOG_DELIVERED));
        mem_free((char *)end(pump).ptr);
    }
}

static bool is_called(void *self)
{
    (void)self;
    return place.calls > 0;
}

static bool has_ended(void *self)
{
    return pump_has_ended(self);
}

/* Its first delivery is under way for as long as the place holds it. */
static struct pump *start_and_halt(void)
{
    struct pump *pump;

    store_begin(MOST);
    place_begin();
    place.holds = true;
    pump = start(&patient, 1);
    CHECK(wait_until(is_called, NULL));
    pump_halt(pump);
    return pump;
}

static void a_halted_pump_ends_what_is_under_way(void)
{
    struct pump *pump = start_and_halt();

    CHECK(!pump_has_ended(pump));
    place.holds = false;
    CHECK(wait_until(has_ended, pump));
    CHECK_INT(place.calls, 1);
    CHECK(!all_are(BACKLOG_DELIVERED));
    CHECK_INT((int64_t)pump_attempts(pump, SINK_DELIVERED), 1);
    pump_end(pump);
    CHECK_INT((int64_t)pump_attempts(pump, SINK_DELIVERED), 1);
    end_quietly(pump);
}

static void nobody_waits_for_a_delivery_that_cannot_be_interrupted(void)
{
    struct pump *pump = start_and_halt();

    pump_interrupt(pump);
    CHECK(place.interrupted && !pump_has_ended(pump));
    place.holds = false;
    CHECK(wait_until(has_ended, pump));
    end_quietly(pump);
}

static void a_pump_that_never_started_ends(void)
{
    struct pump *pump = create(&patient, 1);
    struct error err = { 0 };

    CHECK(pump_has_ended(pump));
    pump_halt(pump);
    pump_interrupt(pump);
    pump_reopen(pump);
    pump_drain(pump);
    pump_stop(pump, 0);
    pump_destroy(pump);
    pump_destroy(NULL);
    pump = pump_create(&(struct pump_options){ .name = "unknown",
                                               .sink = { .destroy = destroy, .self = &place } });
    CHECK(!pump_start(pump, NULL, &err));
    CHECK_STR(str_from_c(err.text), "no such sink");
    pump_destroy(pump);
}

int main(void)
{
    (void)pthread_mutex_init(&store.mutex, NULL);
    clock_init_condition(&store.changed);
    RUN(everything_arrives_once_and_in_order);
    RUN(a_fault_of_the_sink_costs_nothing_and_is_told_once);
    RUN(nobody_dies_of_a_long_outage);
    RUN(a_record_that_fails_the_sink_is_set_aside);
    RUN(a_record_that_fails_for_ever_stops_nobody);
    RUN(in_order_it_waits_and_is_named);
    RUN(awaited_records_do_not_wait_for_each_other);
    RUN(a_split_converges_in_each_lane);
    RUN(a_refused_record_is_set_aside);
    RUN(without_an_end_it_is_tried_again);
    RUN(what_the_store_cannot_take_is_kept);
    RUN(an_idle_sink_is_tended_and_hears_of_reopening);
    RUN(reopening_ends_a_pause);
    RUN(a_drained_pump_delivers_what_is_ready);
    RUN(a_drained_pump_does_not_wait_for_a_sink);
    RUN(a_halted_pump_ends_what_is_under_way);
    RUN(nobody_waits_for_a_delivery_that_cannot_be_interrupted);
    RUN(a_pump_that_never_started_ends);
    return test_end();
}
