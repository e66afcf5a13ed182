/*
 * test_pump_flight.c - claims about delivery/pump.h with several deliveries at a time, with and
 * without a store
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
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

enum { IN_FLIGHT = 8, MOST = 1000, LONG_US = 60 * 1000000 };

static const char *const names[] = { "place" };

static struct store store;
static struct capture capture;

/* The sink. Records are known by their sequence, which begins at 1. */
static struct {
    atomic_bool is_down;         /* it postpones everything, */
    atomic_bool is_wide;         /* and says that it is the sink's fault */
    atomic_bool hangs;           /* until it is interrupted */
    _Atomic int64_t poison;      /* the record that is refused, with its batch; 0: none */
    _Atomic int64_t bane;        /* the record that fails its batch; 0: none */
    _Atomic enum sink_busy busy; /* what it says of that */
    atomic_int calls;            /* since place_begin() */
    atomic_int running;          /* at this moment, */
    atomic_int most;             /* and the most of them */
    atomic_int most_down;        /* the most while it was down, without the first calls */
    atomic_int calls_down;       /* that began while it was down */
    atomic_int arrived[MOST];    /* by sequence */
    atomic_bool disorder;        /* a record came after a later one */
    _Atomic int64_t last;
    atomic_bool interrupted;
    atomic_bool slots[SINK_SLOTS_MAX]; /* in use */
    atomic_bool clash;                 /* a slot was used twice at the same time */
} place;

static void place_begin(void)
{
    memset((void *)&place, 0, sizeof(place));
}

static void note_most(atomic_int *most, int count)
{
    int seen = atomic_load(most);

    while (count > seen && !atomic_compare_exchange_weak(most, &seen, count))
        ;
}

static bool has(const struct sink_batch *batch, int64_t sequence)
{
    for (size_t i = 0; sequence > 0 && i < batch->count; i++)
        if (batch->records[i].sequence == sequence)
            return true;
    return false;
}

static void take(const struct sink_batch *batch, struct sink_answer *answer)
{
    sink_answer_all(batch, answer, SINK_DELIVERED, NULL);
    for (size_t i = 0; i < batch->count; i++) {
        int64_t sequence = batch->records[i].sequence;

        place.arrived[sequence]++;
        if (atomic_exchange(&place.last, sequence) > sequence)
            place.disorder = true;
    }
}

static void answer_batch(const struct sink_batch *batch, struct sink_answer *answer)
{
    if (place.is_down) {
        answer->busy = place.busy;
        answer->is_sink_wide = place.is_wide;
        sink_answer_all(batch, answer, SINK_POSTPONED, "down");
    } else if (has(batch, place.bane)) {
        answer->busy = place.busy;
        answer->is_sink_wide = place.busy != SINK_NOT_BUSY;
        sink_answer_all(batch, answer, SINK_POSTPONED, "it fails");
    } else if (has(batch, place.poison)) {
        answer->together = batch->count > 1;
        sink_answer_all(batch, answer, SINK_REFUSED, "poison");
    } else {
        take(batch, answer);
    }
}

static bool is_interrupted(void *self)
{
    (void)self;
    return place.interrupted;
}

static void deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    bool was_down = place.is_down;
    int running = ++place.running;

    assert(self == &place && batch->slot < IN_FLIGHT);
    if (atomic_exchange(&place.slots[batch->slot], true))
        place.clash = true;
    place.calls++;
    note_most(&place.most, running);
    if (was_down && place.calls_down++ > IN_FLIGHT)
        note_most(&place.most_down, running);
    if (place.hangs)
        assert(wait_until(is_interrupted, NULL));
    (void)usleep(200 * (unsigned)(batch->records[0].sequence % 7)); /* they end in any order */
    answer_batch(batch, answer);
    place.slots[batch->slot] = false;
    place.running--;
}

static void interrupt(void *self)
{
    (void)self;
    place.interrupted = true;
}

static void destroy(void *self)
{
    (void)self;
}

static void begin(const char *path, size_t count)
{
    store_init(&store);
    if (path)
        store.options.path = path;
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
    if (count > 0)
        store_fill(&store, "e", count);
    place_begin();
}

static struct pump *start(const struct pump_rules *rules, size_t max_records)
{
    struct error err = { 0 };
    struct pump *pump = pump_create(&(struct pump_options){
        .name = names[0],
        .rules = *rules,
        .sink = { .in_flight = IN_FLIGHT,
                  .max_records = max_records,
                  .max_bytes = 1 << 20,
                  .deliver = deliver,
                  .interrupt = interrupt,
                  .destroy = destroy,
                  .self = &place },
    });

    capture_begin(&capture, STDOUT_FILENO);
    CHECK(pump_start(pump, store.outbox, &err));
    return pump;
}

/* How often the log has this text. */
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
    CHECK_INT((int64_t)pump_in_flight(pump), 0);
    pump_destroy(pump);
    CHECK(!place.clash);
    return capture_end(&capture);
}

static void stop_quietly(struct pump *pump)
{
    mem_free((char *)stop(pump).ptr);
}

static bool nothing_pending(void *self)
{
    (void)self;
    return store_sink(&store, names[0])->pending == 0;
}

static bool at_most_one_pending(void *self)
{
    (void)self;
    return store_sink(&store, names[0])->pending <= 1;
}

static void end(void)
{
    const struct outbox_sink_counters *sink = store_sink(&store, names[0]);

    CHECK_INT(sink->enqueued, sink->delivered + sink->pending + sink->dead + sink->dropped);
    store_done(&store);
}

static void check_arrived_once(int64_t first, int64_t last)
{
    for (int64_t i = first; i <= last; i++)
        CHECK_INT(place.arrived[i], 1);
}

static const struct pump_rules patient = { .max_backoff_us = 1000 };

static void everything_arrives_once_with_several_at_a_time(void)
{
    static const size_t sizes[] = { 1, 7, 500 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct pump *pump;

        begin(NULL, 500);
        pump = start(&patient, sizes[i]);
        CHECK(wait_until(nothing_pending, NULL));
        stop_quietly(pump);
        check_arrived_once(1, 500);
        CHECK(place.most <= IN_FLIGHT);
        CHECK(sizes[i] == 500 || place.most > 1);
        end();
    }
}

static void strict_order_is_one_at_a_time(void)
{
    const struct pump_rules rules = { .order = BACKLOG_STRICT, .max_backoff_us = 1000 };
    struct pump *pump;

    begin(NULL, 300);
    pump = start(&rules, 3);
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    check_arrived_once(1, 300);
    CHECK_INT(place.most, 1);
    CHECK(!place.disorder);
    end();
}

static bool has_failed_often(void *self)
{
    (void)self;
    return place.calls_down > 40;
}

static void a_sink_that_is_down_gets_one_call_at_a_time(void)
{
    for (int wide = 0; wide < 3; wide++) {
        const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 2000 };
        struct pump *pump;
        struct str log;

        begin(NULL, 400);
        place.is_down = true;
        place.is_wide = wide > 0;
        place.busy = wide == 2 ? SINK_UNAVAILABLE : SINK_NOT_BUSY;
        pump = start(&rules, 2);
        CHECK(wait_until(has_failed_often, NULL));
        place.is_down = false;
        CHECK(wait_until(nothing_pending, NULL));
        log = stop(pump);
        CHECK_INT(place.most_down, 1);
        CHECK(place.most > 1); /* before and after that */
        check_arrived_once(1, 400);
        CHECK_INT(said(log, "\"sink_failed\""), 1);
        CHECK_INT(said(log, "\"sink_recovered\""), 1);
        mem_free((char *)log.ptr);
        end();
    }
}

static void a_bad_record_dies_alone(void)
{
    static const struct {
        const char *name;
        int64_t poison;
        int64_t bane;
        size_t batch;
        int64_t max_attempts;
    } rows[] = {
        { "refused", 13, 0, 1, 2 },
        { "refused with its batch", 13, 0, 16, 2 },
        { "the only attempt", 77, 0, 500, 1 },
        { "it fails the sink", 0, 13, 1, 2 },
        { "and its batch", 0, 13, 16, 2 },
        { "the first", 0, 1, 16, 2 },
        { "the last but one", 0, 499, 16, 2 },
        { "both", 40, 41, 16, 3 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pump_rules rules = { .max_attempts = rows[i].max_attempts,
                                          .max_backoff_us = 500 };
        struct pump *pump;

        TEST_CASE(rows[i].name);
        begin(NULL, 500);
        place.poison = rows[i].poison;
        place.bane = rows[i].bane;
        pump = start(&rules, rows[i].batch);
        CHECK(wait_until(at_most_one_pending, NULL));
        store_fill(&store, "later", 1); /* shows that the sink works */
        CHECK(wait_until(nothing_pending, NULL));
        stop_quietly(pump);
        for (int64_t j = 1; j <= 500; j++)
            CHECK_INT(place.arrived[j], j != rows[i].poison && j != rows[i].bane);
        CHECK_INT(store_sink(&store, names[0])->dead, 1 + (rows[i].poison && rows[i].bane));
        end();
    }
}

/* Records arrive one by one, until the one that fails is dead. */
static bool is_dead_after_others(void *self)
{
    char id[24];
    int *count = self;

    (void)snprintf(id, sizeof(id), "later%d", ++*count);
    store_fill(&store, id, 1);
    CHECK(wait_until(at_most_one_pending, NULL));
    return store_sink(&store, names[0])->dead > 0;
}

/* A receiver answers 503 for one record, for ever. */
static void a_record_that_makes_the_sink_look_busy_dies_alone(void)
{
    static const size_t batches[] = { 1, 16 };

    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        const struct pump_rules rules = { .order = i == 0 ? BACKLOG_UNORDERED : BACKLOG_BY_KEY,
                                          .max_attempts = 2,
                                          .max_backoff_us = 500 };
        struct pump *pump;
        int later = 0;

        begin(NULL, 200);
        place.bane = 13;
        place.busy = SINK_UNAVAILABLE;
        pump = start(&rules, batches[i]);
        CHECK(wait_until(at_most_one_pending, NULL));
        CHECK(wait_until(is_dead_after_others, &later));
        CHECK(wait_until(nothing_pending, NULL));
        stop_quietly(pump);
        for (int64_t j = 1; j <= 200 + later; j++)
            CHECK_INT(place.arrived[j], j != 13);
        CHECK_INT(store_sink(&store, names[0])->dead, 1);
        end();
    }
}

/* Its rates may be used up for one customer: other records pass, and it may arrive later. */
static void a_record_that_is_throttled_waits_alone(void)
{
    const struct pump_rules rules = { .max_attempts = 1, .max_backoff_us = 500 };
    struct pump *pump;
    int later = 0;

    begin(NULL, 200);
    place.bane = 13;
    place.busy = SINK_THROTTLED;
    pump = start(&rules, 16);
    CHECK(wait_until(at_most_one_pending, NULL));
    while (later < 50)
        CHECK(!is_dead_after_others(&later));
    place.bane = 0;
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    check_arrived_once(1, 250);
    end();
}

static bool all_hang(void *self)
{
    (void)self;
    return place.running == IN_FLIGHT;
}

/* An interrupted pump knows nothing of what was under way, and loses nothing. */
static void an_interrupt_ends_all_calls(void)
{
    struct pump *pump;

    begin(NULL, 100);
    place.hangs = true;
    pump = start(&patient, 2);
    CHECK(wait_until(all_hang, NULL));
    CHECK_INT((int64_t)pump_in_flight(pump), IN_FLIGHT);
    place.is_down = true;
    pump_drain(pump);
    pump_stop(pump, clock_monotonic_us());
    CHECK_INT(store_sink(&store, names[0])->pending, 100);
    pump_destroy(pump);
    mem_free((char *)capture_end(&capture).ptr);
    place_begin();
    pump = start(&patient, 2);
    CHECK(wait_until(nothing_pending, NULL));
    stop_quietly(pump);
    check_arrived_once(1, 100);
    end();
}

static void a_drain_waits_for_all_calls(void)
{
    struct pump *pump;

    begin(NULL, 200);
    pump = start(&patient, 3);
    stop_quietly(pump);
    CHECK_INT(store_sink(&store, names[0])->delivered, 200);
    check_arrived_once(1, 200);
    end();
}

/* Without a store. */

static void *send_one(void *arg)
{
    struct outbox_event event = store_event(arg, arg);

    return store_submit(&store, &event).verdict == OUTBOX_ACCEPTED ? arg : NULL;
}

static void senders_are_answered_by_several_calls(void)
{
    enum { SENDERS = 40 };
    const struct pump_rules rules = { .is_awaited = true, .max_backoff_us = 1000 };
    static char ids[SENDERS][8];
    pthread_t senders[SENDERS];
    struct pump *pump;

    begin("", 0);
    pump = start(&rules, 1);
    for (size_t i = 0; i < SENDERS; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "e%zu", i);
        assert(pthread_create(&senders[i], NULL, send_one, ids[i]) == 0);
    }
    for (size_t i = 0; i < SENDERS; i++) {
        void *accepted = NULL;

        (void)pthread_join(senders[i], &accepted);
        CHECK(accepted == ids[i]);
    }
    stop_quietly(pump);
    CHECK(place.most > 1 && place.most <= IN_FLIGHT);
    CHECK_INT(store_counters(&store)->accepted, SENDERS);
    end();
}

static void no_wake(struct waker waker)
{
    (void)waker;
}

/* Order by key. */

enum {
    KEYS = 9,
    KEYED = 400,
    DEEP = 70, /* a record may be deeper than an event */
    KEYED_TEXT = 2 * DEEP + 40,
};

static struct {
    atomic_int running[KEYS]; /* calls that have a record of the key */
    atomic_int calls;         /* all of them, */
    atomic_int most;          /* and the most at a time */
    _Atomic int64_t last[KEYS];
    atomic_int arrived[KEYED];
    atomic_bool together; /* two records of a key at the same time */
    atomic_bool disorder; /* a record arrived for the first time after a later one of its key */
    _Atomic uint32_t random;
    atomic_bool calm; /* nothing fails */
} keyed;

static uint32_t draw(uint32_t n)
{
    return ((atomic_fetch_add(&keyed.random, 1) * 2654435761U) >> 8) % n;
}

static size_t key_of(const struct sink_record *record)
{
    size_t key = (size_t)(record->order_key.ptr[0] - '0');

    assert(key < KEYS);
    return key;
}

static int number_of(const struct sink_record *record)
{
    long number = strtol(record->key.ptr + 1, NULL, 10); /* e12 */

    assert(record->key.ptr[0] == 'e' && number >= 0 && number < KEYED);
    return (int)number;
}

static void arrive(const struct sink_record *record)
{
    int number = number_of(record);
    size_t key = key_of(record);

    if (keyed.arrived[number]++ == 0 && atomic_exchange(&keyed.last[key], number) > number)
        keyed.disorder = true;
}

static enum sink_result random_result(void)
{
    static const enum sink_result results[] = { SINK_DELIVERED, SINK_DELIVERED, SINK_POSTPONED,
                                                SINK_REFUSED };

    return results[draw(COUNT_OF(results))];
}

static enum sink_result result_of(uint32_t kind)
{
    if (kind < 2)
        return SINK_POSTPONED;
    if (kind == 2)
        return SINK_REFUSED;
    return kind < 5 ? random_result() : SINK_DELIVERED;
}

static void answer_at_random(const struct sink_batch *batch, struct sink_answer *answer)
{
    uint32_t kind = keyed.calm ? 99 : draw(10);

    answer->is_sink_wide = kind == 0;
    answer->together = kind == 2 && batch->count > 1;
    for (size_t i = 0; i < batch->count; i++) {
        enum sink_result result = result_of(kind);

        answer->outcomes[i] =
            (struct sink_outcome){ result, result == SINK_DELIVERED ? NULL : "chance" };
        if (result == SINK_DELIVERED || draw(5) == 0) /* an answer may be lost */
            arrive(&batch->records[i]);
    }
}

static void deliver_keyed(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    (void)self;
    note_most(&keyed.most, ++keyed.calls);
    for (size_t i = 0; i < batch->count; i++)
        if (keyed.running[key_of(&batch->records[i])]++ > 0)
            keyed.together = true;
    (void)usleep(draw(1500));
    answer_at_random(batch, answer);
    for (size_t i = 0; i < batch->count; i++)
        keyed.running[key_of(&batch->records[i])]--;
    keyed.calls--;
}

static struct pump *start_keyed(bool is_awaited)
{
    struct error err = { 0 };
    struct pump *pump = pump_create(&(struct pump_options){
        .name = names[0],
        .key = "/k",
        .rules = { .order = BACKLOG_BY_KEY, .is_awaited = is_awaited, .max_backoff_us = 3000 },
        .sink = { .in_flight = IN_FLIGHT,
                  .max_records = 5,
                  .max_bytes = 1 << 20,
                  .deliver = deliver_keyed,
                  .destroy = destroy },
    });

    capture_begin(&capture, STDOUT_FILENO);
    CHECK(pump_start(pump, store.outbox, &err));
    return pump;
}

/* A third of them have one key, and a fifth is deep. */
static void keyed_event(int number, char text[static KEYED_TEXT])
{
    char open[DEEP];
    char close[DEEP];
    int depth = number % 5 == 0 ? DEEP : 1;

    memset(open, '[', sizeof(open));
    memset(close, ']', sizeof(close));
    (void)snprintf(text, KEYED_TEXT, "{\"k\":%d,\"deep\":%.*s%.*s}",
                   number % 3 == 0 ? 0 : number % KEYS, depth, open, depth, close);
}

static void submit_keyed(int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        char text[KEYED_TEXT];
        struct outbox_event event;

        (void)snprintf(id, sizeof(id), "e%d", i);
        keyed_event(i, text);
        event = store_event(id, text);
        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    }
}

static void keyed_begin(const char *path)
{
    static uint32_t seed = 1;

    begin(path, 0);
    memset((void *)&keyed, 0, sizeof(keyed));
    for (size_t i = 0; i < KEYS; i++)
        keyed.last[i] = -1;
    keyed.random = seed++ * 7919;
}

static void check_keyed(void)
{
    CHECK(!keyed.together);
    CHECK(!keyed.disorder);
    CHECK(keyed.most > 1 && keyed.most <= IN_FLIGHT);
    for (size_t i = 0; i < KEYED; i++)
        CHECK(keyed.arrived[i] > 0);
}

/* Whatever fails, and though the pump ends and starts again meanwhile. */
static void no_record_passes_an_earlier_one_of_its_key(void)
{
    for (int round = 0; round < 3; round++) {
        struct pump *pump;

        keyed_begin(NULL);
        submit_keyed(0, KEYED / 2);
        pump = start_keyed(false);
        submit_keyed(KEYED / 2, KEYED * 3 / 4);
        stop_quietly(pump);
        pump = start_keyed(false);
        submit_keyed(KEYED * 3 / 4, KEYED);
        (void)usleep(100000);
        keyed.calm = true;
        CHECK(wait_until(nothing_pending, NULL));
        stop_quietly(pump);
        check_keyed();
        CHECK_INT(store_sink(&store, names[0])->delivered, KEYED);
        end();
    }
}

static void without_a_store_neither(void)
{
    struct outbox_job *jobs[KEYED];
    struct pump *pump;

    keyed_begin("");
    pump = start_keyed(true);
    for (int i = 0; i < KEYED; i++) {
        char id[16];
        char text[KEYED_TEXT];
        struct outbox_event event;
        struct error err = { 0 };

        (void)snprintf(id, sizeof(id), "e%d", i);
        keyed_event(i, text);
        event = store_event(id, text);
        assert(outbox_submit(store.outbox,
                             &(struct outbox_request){ &event, 1, { .wake = no_wake } }, &jobs[i],
                             &err));
    }
    keyed.calm = true;
    CHECK(wait_until(nothing_pending, NULL));
    for (size_t i = 0; i < KEYED; i++)
        outbox_job_release(jobs[i]);
    stop_quietly(pump);
    check_keyed();
    end();
}

int main(void)
{
    RUN(everything_arrives_once_with_several_at_a_time);
    RUN(strict_order_is_one_at_a_time);
    RUN(a_sink_that_is_down_gets_one_call_at_a_time);
    RUN(a_bad_record_dies_alone);
    RUN(a_record_that_makes_the_sink_look_busy_dies_alone);
    RUN(a_record_that_is_throttled_waits_alone);
    RUN(an_interrupt_ends_all_calls);
    RUN(a_drain_waits_for_all_calls);
    RUN(senders_are_answered_by_several_calls);
    RUN(no_record_passes_an_earlier_one_of_its_key);
    RUN(without_a_store_neither);
    return test_end();
}
