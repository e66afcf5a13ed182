/*
 * test_backlog.c - claims about delivery/outbox/backlog.h: what each sink gets, in which order.
 */
#include "delivery/outbox/backlog.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/view.h"
#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { MANY = 1000 };

static void gives_each_sink_everything_in_order(void)
{
    struct store store;

    store_begin(&store, 2);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *b = taking_from(&store, "b", true);

    store_fill(&store, "e", MANY);
    CHECK_INT(store_sink(&store, "a")->pending, MANY);
    CHECK_INT((int64_t)taking_deliver_all(a), MANY);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    CHECK_INT(store_sink(&store, "b")->pending, MANY);
    CHECK(store_counters(&store)->bytes > MANY);
    CHECK_INT((int64_t)taking_deliver_all(b), MANY);
    store_check_identity(&store, "a");
    store_check_identity(&store, "b");
    CHECK_INT((int64_t)taking_deliver_all(a), 0);
    taking_close(a);
    taking_close(b);
    store_close(&store);
    store_open(&store);
    a = taking_from(&store, "a", false);
    CHECK_INT((int64_t)taking_deliver_all(a), 0);
    CHECK_INT(store_sink(&store, "a")->delivered, MANY);
    taking_close(a);
    store_done(&store);
}

static void shows_what_a_record_is(void)
{
    struct store store;
    struct outbox_event event = store_event("id-1", "{\"x\":1}");
    struct outbox_event nameless = store_event(NULL, "[]");
    const struct backlog_record *records;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    (void)store_submit(&store, &event);
    event.raw = STR("{\"x\":2}");
    event.record = STR("second");
    (void)store_submit(&store, &event);
    (void)store_submit(&store, &nameless);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 3);
    CHECK_STR(records[0].key, "id-1");
    CHECK_STR(records[0].bytes, "{\"x\":1}");
    CHECK_STR(records[0].registry, "Registry");
    CHECK_STR(records[0].schema, "Schema");
    CHECK_STR(records[0].version, "1");
    CHECK_INT(records[0].attempts, 0);
    CHECK(records[0].accepted_us > 0);
    CHECK(str_starts_with(records[1].key, STR("id-1:")) && records[1].key.len == 5 + 16);
    CHECK_STR(records[1].bytes, "second");
    CHECK(records[2].key.len > 16 && str_ends_with(records[2].key, STR("-3")));
    CHECK_INT(store_sink(&store, "a")->oldest_us, records[0].accepted_us);
    taking_close(a);
    store_done(&store);
}

static void keeps_to_the_bounds_asked_for(void)
{
    struct store store;
    const struct backlog_record *records;
    size_t count;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    store_fill(&store, "e", 20); /* "e0" ... are two or three bytes long */
    CHECK_INT((int64_t)taking_some(a, 7, &records), 7);
    count = taking_next(a, &(struct backlog_bounds){ .records = 10, .bytes = 4 }, &records);
    CHECK_INT((int64_t)count, 2);
    count = taking_next(a, &(struct backlog_bounds){ .records = 10, .bytes = 1 }, &records);
    CHECK_INT((int64_t)count, 1);
    count = taking_next(
        a, &(struct backlog_bounds){ .records = 10, .bytes = 1 << 20, .key_bytes = 10 }, &records);
    CHECK_INT((int64_t)count, 5); /* keys are as long as records here */
    taking_close(a);
    store_done(&store);
}

/* The next ones of a lane, with at most `retries` where they are retries. */
static size_t next_of(struct backlog *backlog, enum backlog_lane lane, size_t retries,
                      const struct backlog_record **records)
{
    return taking_next(backlog,
                       &(struct backlog_bounds){
                           .records = 10, .bytes = 1 << 20, .retries = retries, .lane = lane },
                       records);
}

static void gives_what_a_lane_has(void)
{
    struct store store;
    const struct backlog_record *records;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    store_fill(&store, "e", 6);
    CHECK_INT((int64_t)taking_some(a, 3, &records), 3);
    CHECK_INT(taking_lane(a), BACKLOG_NEW);
    taking_settle_alike(a, records, 3, BACKLOG_FAILED, 1);
    CHECK_INT((int64_t)next_of(a, BACKLOG_NEW, 0, &records), 3);
    CHECK_INT(records[0].attempts, 0);
    CHECK_INT((int64_t)next_of(a, BACKLOG_RETRIES, 2, &records), 2);
    CHECK_INT(taking_lane(a), BACKLOG_RETRIES);
    CHECK_INT(records[0].attempts, 1);
    CHECK_INT((int64_t)next_of(a, BACKLOG_ANY, 2, &records), 3); /* their turn, after a retry */
    CHECK_INT((int64_t)next_of(a, BACKLOG_ANY, 2, &records), 2);
    taking_close(a);
    store_done(&store);
}

/* After the clock was set back by a day, times of before lie a day ahead. */
static void no_time_is_farther_away_than_the_longest(void)
{
    enum { LONGEST_US = 60000000 };
    const int64_t day_us = INT64_C(86400000000);

    for (int ordered = 0; ordered <= 1; ordered++) {
        const struct backlog_bounds bounds = { .records = 10,
                                               .bytes = 1 << 20,
                                               .longest_us = LONGEST_US };
        struct store store;
        const struct backlog_record *records;

        store_begin(&store, 1);

        struct backlog *a = taking_from(&store, "a", ordered);

        store_fill(&store, "e", 1);
        CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
        taking_settle_alike(a, records, 1, BACKLOG_FAILED, clock_now_us() + day_us);
        CHECK_INT((int64_t)taking_some(a, 1, &records), 0); /* if waits had no bound */
        CHECK_INT((int64_t)taking_next(a, &bounds, &records), 1);
        CHECK_INT(records[0].attempts, 1);
        taking_settle_alike(a, records, 1, BACKLOG_FAILED, clock_now_us() + LONGEST_US);
        CHECK_INT((int64_t)taking_next(a, &bounds, &records), 0);
        taking_close(a);
        store_done(&store);
    }
}

static void moves_failures_out_of_the_way(void)
{
    struct store store;
    const struct backlog_record *records;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    store_fill(&store, "e", 5);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 5);

    const struct backlog_result results[] = {
        { records[0].seq, BACKLOG_DELIVERED, 0, NULL },
        { records[1].seq, BACKLOG_FAILED, 1, "broken" },
        { records[2].seq, BACKLOG_DELAYED, 1, "busy" },
        { records[3].seq, BACKLOG_DEAD, 0, "hopeless" },
        { records[4].seq, BACKLOG_UNTRIED, 0, NULL },
    };

    CHECK(taking_settle(a, results, COUNT_OF(results)));
    CHECK(!taking_settle(a, results, COUNT_OF(results))); /* not twice */
    store_check_identity(&store, "a");
    CHECK_INT(store_sink(&store, "a")->delivered, 1);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK_INT(store_sink(&store, "a")->pending, 3);

    /* The retries are due, and come first. */
    CHECK_INT((int64_t)taking_some(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 1);
    CHECK_INT(records[1].attempts, 0);
    taking_settle_alike(a, records, 2, BACKLOG_FAILED, 1);

    /* Then what is new has its turn, then they again. */
    CHECK_INT((int64_t)taking_some(a, 10, &records), 1);
    taking_settle_alike(a, records, 1, BACKLOG_DELIVERED, 0);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 2);
    taking_settle_alike(a, records, 2, BACKLOG_FAILED, clock_now_us() + INT64_C(3600000000));
    CHECK_INT((int64_t)taking_some(a, 10, &records), 0);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

/* A report that seemed to fail may have come through: the records are read once more, settled
 * again. */
static void counts_what_is_settled_twice_once(void)
{
    struct store store;
    const struct backlog_record *records;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *twin = taking_from(&store, "a", false);

    store_fill(&store, "e", 4);
    CHECK_INT((int64_t)taking_some(twin, 4, &records), 4);
    CHECK_INT((int64_t)taking_some(a, 4, &records), 4);
    taking_settle_alike(a, records, 4, BACKLOG_DELAYED, 1);
    taking_settle_alike(twin, records, 4, BACKLOG_DELIVERED, 0); /* they are in retry rows by now */
    CHECK_INT(store_sink(&store, "a")->delivered, 0);
    CHECK_INT((int64_t)taking_some(twin, 4, &records), 4);
    CHECK_INT((int64_t)taking_some(a, 4, &records), 4);
    taking_settle_alike(a, records, 3, BACKLOG_DELIVERED, 0);
    taking_settle_alike(twin, records, 4, BACKLOG_DEAD, 0);
    CHECK_INT(store_sink(&store, "a")->delivered, 3);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    store_check_identity(&store, "a");
    taking_close(twin);
    taking_close(a);
    store_done(&store);
}

static void holds_an_ordered_sink_at_its_head(void)
{
    struct store store;
    const struct backlog_record *records;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", true);

    store_fill(&store, "e", 3);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 3);

    const struct backlog_result results[] = {
        { records[0].seq, BACKLOG_DELIVERED, 0, NULL },
        { records[1].seq, BACKLOG_FAILED, 1, "broken" },
        { records[2].seq, BACKLOG_UNTRIED, 0, NULL },
    };

    CHECK(taking_settle(a, results, COUNT_OF(results)));
    taking_close(a);
    store_close(&store);
    store_open(&store);
    a = taking_from(&store, "a", true);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 1); /* it survives a restart */
    taking_settle_alike(a, records, 1, BACKLOG_FAILED, clock_now_us() + INT64_C(3600000000));
    CHECK_INT((int64_t)taking_some(a, 10, &records), 0);
    store_check_identity(&store, "a");
    CHECK_INT(store_sink(&store, "a")->pending, 2);
    taking_close(a);
    store_done(&store);
}

static void *wake_later(void *self)
{
    backlog_wake(self);
    return NULL;
}

static void waits_for_news_only(void)
{
    struct store store;
    const struct backlog_record *records;
    int64_t long_us = 20 * INT64_C(1000000);
    int64_t begun_us = clock_monotonic_us();
    pthread_t waker;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    CHECK_INT((int64_t)taking_some(a, 10, &records), 0);
    backlog_wait(a, true, clock_monotonic_us() + 1000); /* nothing: ends by its time */
    store_fill(&store, "e", 1);
    backlog_wait(a, true, clock_monotonic_us() + long_us); /* there is news */
    CHECK_INT((int64_t)taking_deliver_all(a), 1);
    CHECK_INT(pthread_create(&waker, NULL, wake_later, a), 0);
    backlog_wait(a, true, clock_monotonic_us() + long_us);
    (void)pthread_join(waker, NULL);
    outbox_stop(store.outbox);
    backlog_wait(a, true, clock_monotonic_us() + long_us);
    CHECK(clock_monotonic_us() - begun_us < long_us);
    taking_close(a);
    store_done(&store);
}

int main(void)
{
    RUN(gives_each_sink_everything_in_order);
    RUN(shows_what_a_record_is);
    RUN(keeps_to_the_bounds_asked_for);
    RUN(gives_what_a_lane_has);
    RUN(no_time_is_farther_away_than_the_longest);
    RUN(moves_failures_out_of_the_way);
    RUN(counts_what_is_settled_twice_once);
    RUN(holds_an_ordered_sink_at_its_head);
    RUN(waits_for_news_only);
    return test_end();
}
