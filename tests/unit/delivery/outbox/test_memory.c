/*
 * test_memory.c - claims about delivery/outbox/outbox.h and delivery/outbox/backlog.h without a
 * store: no 200 is sent before every sink has the record, and no record is kept without a reader.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/backlog.h"
#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { AT_ONCE = 64, SENDERS = 4, EACH = 500 };

static const char *const names[] = { "a", "b" };

static struct store store;
static struct backlog *a;
static struct backlog *b; /* NULL: there is one sink */
static atomic_int woken;

static void count_wake(struct waker waker)
{
    (void)waker;
    atomic_fetch_add(&woken, 1);
}

static struct backlog *open_backlog(const char *sink, bool ordered)
{
    return taking_open(store.outbox, sink, ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED);
}

/* The store's options may be changed in between. */
static void prepare(size_t sinks)
{
    store_init(&store);
    store.options.path = "";
    store.options.sinks = names;
    store.options.sink_count = sinks;
}

static void open_all(bool ordered)
{
    store_open(&store);
    a = open_backlog("a", ordered);
    b = store.options.sink_count > 1 ? open_backlog("b", ordered) : NULL;
    atomic_store(&woken, 0);
}

static void begin(size_t sinks, bool ordered)
{
    prepare(sinks);
    open_all(ordered);
}

static void check_sink(const char *name, int64_t enqueued, int64_t delivered, int64_t dropped)
{
    const struct outbox_sink_counters *sink = store_sink(&store, name);

    CHECK_INT(sink->enqueued, enqueued);
    CHECK_INT(sink->delivered, delivered);
    CHECK_INT(sink->dropped, dropped);
    CHECK_INT(sink->dead, 0);
    CHECK_INT(sink->pending, enqueued - delivered - dropped);
}

/* Nothing is left when all have gone. */
static void end(void)
{
    const struct outbox_counters *counters;

    taking_close(a);
    taking_close(b);
    outbox_stop(store.outbox);
    counters = store_counters(&store);
    CHECK_INT(counters->bytes, 0);
    for (size_t i = 0; i < counters->sink_count; i++)
        CHECK_INT(counters->sinks[i].pending, 0);
    store_done(&store);
}

/* One job of `count` events, at most 3, "<id>", "<id>1", "<id>2"; NULL: it was not taken, see
 * `why`. */
static struct outbox_job *submit_many(const char *id, size_t count, struct error *why)
{
    struct outbox_event events[3];
    struct outbox_job *job = NULL;
    char texts[3][64];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), i ? "%s%zu" : "%s", id, i);
        events[i] = store_event(texts[i], texts[i]);
    }
    return outbox_submit(store.outbox,
                         &(struct outbox_request){ events, count, { .wake = count_wake } }, &job,
                         why)
               ? job
               : NULL;
}

static struct outbox_job *submit(const char *id)
{
    struct error err = { 0 };
    struct outbox_job *job = submit_many(id, 1, &err);

    assert(job);
    return job;
}

/* Take all that is due, and say the same of it; how much it was. */
static size_t settle_all(struct backlog *backlog, enum backlog_verdict verdict, int64_t next_at_us)
{
    const struct backlog_record *records;
    size_t count = taking_some(backlog, AT_ONCE, &records);

    taking_settle_alike(backlog, records, count, verdict, next_at_us);
    return count;
}

static void check_verdict(struct outbox_job *job, enum outbox_verdict verdict, const char *reason)
{
    const struct outbox_result *results = outbox_results(job);

    CHECK(results != NULL);
    if (!results)
        return;
    CHECK_INT(results[0].verdict, verdict);
    CHECK_STR(str_from_c(results[0].reason), reason ? reason : "");
}

static void accepts_when_every_sink_has_it(void)
{
    begin(2, false);

    struct outbox_job *job = submit("e");

    CHECK(!outbox_results(job));
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 1);
    CHECK(!outbox_results(job));
    CHECK_INT(atomic_load(&woken), 0);
    CHECK_INT(store_counters(&store)->accepted, 0);
    CHECK_INT((int64_t)settle_all(b, BACKLOG_DELIVERED, 0), 1);
    check_verdict(job, OUTBOX_ACCEPTED, NULL);
    CHECK_INT(atomic_load(&woken), 1);
    CHECK_INT(store_counters(&store)->accepted, 1);
    CHECK_INT(store_counters(&store)->bytes, 0);
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 0);
    outbox_job_release(job);
    check_sink("a", 1, 1, 0);
    check_sink("b", 1, 1, 0);
    end();
}

static void shows_what_a_record_is(void)
{
    struct outbox_event nameless = store_event(NULL, "[]");
    const struct backlog_record *records;
    struct outbox_job *second = NULL;
    struct error err = { 0 };
    char key[100];

    begin(1, false);

    struct outbox_job *first = submit("id-1");

    CHECK(outbox_submit(store.outbox, &(struct outbox_request){ &nameless, 1, { 0 } }, &second,
                        &err));
    CHECK_INT((int64_t)taking_some(a, 10, &records), 2);
    CHECK_STR(records[0].key, "id-1");
    CHECK_STR(records[0].bytes, "id-1");
    CHECK_STR(records[0].registry, "Registry");
    CHECK_STR(records[0].schema, "Schema");
    CHECK_STR(records[0].version, "1");
    CHECK(records[0].accepted_us > 0);
    CHECK_INT(store_sink(&store, "a")->oldest_us, records[0].accepted_us);
    CHECK(records[1].key.len > 16);
    CHECK(records[1].seq > records[0].seq);
    (void)snprintf(key, sizeof(key), "%.*s", STR_ARG(records[1].key));
    taking_settle_alike(a, records, 2, BACKLOG_FAILED, 1);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 1);
    CHECK_STR(records[1].key, key); /* the same each time */
    outbox_job_release(first);
    outbox_job_release(second);
    end();
}

static void keeps_to_the_bounds_asked_for(void)
{
    const struct backlog_record *records;
    struct outbox_job *jobs[3];
    size_t count;

    begin(1, false);
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        jobs[i] = submit("four");
    CHECK_INT((int64_t)taking_some(a, 2, &records), 2);
    count = taking_next(a, &(struct backlog_bounds){ .records = 9, .bytes = 9 }, &records);
    CHECK_INT((int64_t)count, 2); /* what was not settled is there again */
    count = taking_next(a, &(struct backlog_bounds){ .records = 9, .bytes = 1 }, &records);
    CHECK_INT((int64_t)count, 1); /* always one */
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        outbox_job_release(jobs[i]);
    end();
}

static void a_refused_record_is_nobodys_200(void)
{
    begin(2, false);

    struct outbox_job *job = submit("e");

    CHECK_INT((int64_t)settle_all(a, BACKLOG_DEAD, 0), 1);
    check_verdict(job, OUTBOX_UNAVAILABLE, "a sink refused the record");
    CHECK_INT(atomic_load(&woken), 1);
    CHECK_INT((int64_t)settle_all(b, BACKLOG_DELIVERED, 0), 1); /* its sender has not gone yet */
    check_verdict(job, OUTBOX_UNAVAILABLE, "a sink refused the record");
    CHECK_INT(atomic_load(&woken), 1);
    CHECK_INT(store_counters(&store)->accepted, 0);
    outbox_job_release(job);
    check_sink("a", 1, 0, 1);
    check_sink("b", 1, 1, 0);
    end();
}

static void who_does_not_wait_takes_his_records_along(void)
{
    begin(2, false);

    struct outbox_job *job = submit("e");

    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 1);
    outbox_give_up(job);
    check_verdict(job, OUTBOX_UNAVAILABLE, "deadline");
    CHECK_INT((int64_t)settle_all(b, BACKLOG_DELIVERED, 0), 0);
    check_sink("a", 1, 1, 0);
    check_sink("b", 1, 0, 1);
    CHECK_INT(store_counters(&store)->bytes, 0);
    outbox_job_release(job);
    outbox_job_release(submit("gone")); /* a sender that left */
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 0);
    check_sink("a", 2, 1, 1);
    end();
}

/* What a sink has in its hands stays there, and counts as what it says of it. */
static void what_is_under_way_is_still_counted_right(void)
{
    static const struct {
        const char *name;
        enum backlog_verdict verdict;
        int64_t delivered;
    } cases[] = {
        { "delivered", BACKLOG_DELIVERED, 1 }, { "dead", BACKLOG_DEAD, 0 },
        { "failed", BACKLOG_FAILED, 0 },       { "delayed", BACKLOG_DELAYED, 0 },
        { "untried", BACKLOG_UNTRIED, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct backlog_record *records;
        struct outbox_job *job;

        TEST_CASE(cases[i].name);
        begin(1, false);
        job = submit("e");
        CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
        outbox_give_up(job);
        outbox_job_release(job);
        check_sink("a", 1, 0, 0);
        CHECK_STR(records[0].bytes, "e");
        taking_settle_alike(a, records, 1, cases[i].verdict, 1);
        check_sink("a", 1, cases[i].delivered, 1 - cases[i].delivered);
        CHECK_INT(store_counters(&store)->accepted, 0);
        CHECK_INT((int64_t)taking_some(a, 1, &records), 0);
        end();
    }
}

/* The same of what a pump was handed and never spoke of again. */
static void what_is_not_settled_is_let_go_of(void)
{
    const struct backlog_record *records;

    begin(1, false);

    struct outbox_job *job = submit("e");

    CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
    outbox_job_release(job);
    CHECK_INT((int64_t)taking_some(a, 1, &records), 0);
    check_sink("a", 1, 0, 1);
    job = submit("e");
    CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
    taking_close(a);
    outbox_job_release(job);
    check_sink("a", 2, 0, 2);
    a = open_backlog("a", false);
    end();
}

static void each_event_of_a_job_has_its_own_fate(void)
{
    const struct backlog_record *records;
    struct error err = { 0 };

    begin(1, false);

    struct outbox_job *job = submit_many("e", 3, &err);

    CHECK_INT((int64_t)taking_some(a, 2, &records), 2);

    const struct backlog_result results[] = { { records[0].seq, BACKLOG_DELIVERED, 0, NULL },
                                              { records[1].seq, BACKLOG_DEAD, 0, "why" } };

    CHECK(taking_settle(a, results, 2));
    CHECK(!outbox_results(job));
    outbox_give_up(job);
    CHECK_INT(outbox_results(job)[0].verdict, OUTBOX_ACCEPTED);
    CHECK_INT(outbox_results(job)[1].verdict, OUTBOX_UNAVAILABLE);
    CHECK_STR(str_from_c(outbox_results(job)[1].reason), "a sink refused the record");
    CHECK_INT(outbox_results(job)[2].verdict, OUTBOX_UNAVAILABLE);
    CHECK_STR(str_from_c(outbox_results(job)[2].reason), "deadline");
    CHECK_INT(store_counters(&store)->accepted, 1);
    outbox_job_release(job);
    check_sink("a", 3, 1, 2);
    end();
}

static void a_failure_holds_up_nobody_unless_order_is_wanted(void)
{
    const int64_t later_us = clock_now_us() + INT64_C(3600000000);

    for (int ordered = 0; ordered < 2; ordered++) {
        const struct backlog_record *records;
        struct outbox_job *first;
        struct outbox_job *second;

        begin(1, ordered);
        first = submit("first");
        second = submit("second");
        CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
        taking_settle_alike(a, records, 1, BACKLOG_FAILED, later_us);
        CHECK_INT((int64_t)taking_some(a, 9, &records), !ordered);
        if (!ordered)
            CHECK_STR(records[0].bytes, "second");
        outbox_job_release(first);
        backlog_wait(a, true, INT64_MAX); /* there is news: the head has gone */
        CHECK_INT((int64_t)taking_some(a, 9, &records), 1);
        CHECK_STR(records[0].bytes, "second");
        outbox_job_release(second);
        end();
    }
}

static void a_retry_comes_when_it_is_due(void)
{
    begin(1, false);

    struct outbox_job *job = submit("e");

    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELAYED, clock_now_us() + 20000), 1);
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 0);
    while (settle_all(a, BACKLOG_DELIVERED, 0) == 0)
        backlog_wait(a, true, INT64_MAX);
    check_verdict(job, OUTBOX_ACCEPTED, NULL);
    outbox_job_release(job);
    end();
}

static void what_waits_is_bounded(void)
{
    enum { ROOM = 5000 };
    struct outbox_job *jobs[ROOM];
    struct error err = { 0 };
    size_t count = 0;

    prepare(1);
    store.options.max_size = ROOM;
    open_all(false);
    while (count < ROOM && (jobs[count] = submit_many("e", 1, &err)))
        count++;
    CHECK(count > 1 && count < ROOM);
    CHECK_STR(str_from_c(err.text), "store full");
    CHECK_INT((int)err.code, ERR_UNAVAILABLE);
    CHECK_STR(str_from_c(outbox_trouble(store.outbox)), "full");
    CHECK(store_counters(&store)->bytes <= ROOM);
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), (int64_t)count);
    CHECK(outbox_trouble(store.outbox) == NULL);
    for (size_t i = 0; i < count; i++)
        outbox_job_release(jobs[i]);
    outbox_job_release(submit("e"));
    end();
}

/* A record that can never be taken does not make the outbox full. */
static void one_that_is_too_large_fills_nothing(void)
{
    struct error err = { 0 };

    prepare(1);
    store.options.max_size = 10;
    open_all(false);
    CHECK(!submit_many("e", 1, &err));
    CHECK_STR(str_from_c(err.text), "store full");
    CHECK(outbox_trouble(store.outbox) == NULL);
    end();
}

static void so_many_events_and_no_more(void)
{
    struct error err = { 0 };

    prepare(1);
    store.options.max_queued = 2;
    open_all(false);

    struct outbox_job *first = submit("e");
    struct outbox_job *second = submit("e");

    CHECK(!submit_many("e", 1, &err));
    CHECK_STR(str_from_c(err.text), "store queue full");
    outbox_job_release(first);
    first = submit("e");
    outbox_job_release(first);
    outbox_job_release(second);
    end();
}

static void the_end_answers_who_still_waits(void)
{
    const struct backlog_record *records;
    struct error err = { 0 };

    begin(1, false);

    struct outbox_job *handed = submit("handed");
    struct outbox_job *waiting = submit("waiting");

    CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
    outbox_stop(store.outbox);
    check_verdict(handed, OUTBOX_UNAVAILABLE, "draining");
    check_verdict(waiting, OUTBOX_UNAVAILABLE, "draining");
    CHECK_INT(atomic_load(&woken), 2);
    CHECK(!submit_many("late", 1, &err));
    CHECK_STR(str_from_c(err.text), "draining");
    backlog_wait(a, true, INT64_MAX); /* comes back at once */
    taking_settle_alike(a, records, 1, BACKLOG_DELIVERED, 0);
    check_sink("a", 2, 1, 1);
    outbox_job_release(handed);
    outbox_job_release(waiting);
    end();
}

static void there_is_no_store_to_operate_on(void)
{
    struct error err = { 0 };

    begin(1, false);
    CHECK(!outbox_drop_sink(store.outbox, "x", &err));
    CHECK_STR(str_from_c(err.text), "there is no store");
    CHECK(!outbox_revive(store.outbox, 1, &err));
    end();
}

/* Senders, some of them impatient, and two sinks that fail at times, all at once. */

static atomic_bool over;

static bool has_results(void *self)
{
    return outbox_results(self) != NULL;
}

static void *send_all(void *arg)
{
    bool impatient = arg != NULL;

    for (int i = 0; i < EACH; i++) {
        struct outbox_job *job = submit("e");

        assert(impatient ||
               (wait_until(has_results, job) && outbox_results(job)->verdict == OUTBOX_ACCEPTED));
        outbox_job_release(job);
    }
    return NULL;
}

static void *receive_all(void *arg)
{
    struct backlog *backlog = arg;
    unsigned round = 0;

    while (!atomic_load(&over)) {
        size_t count =
            settle_all(backlog, ++round % 5 == 0 ? BACKLOG_DELAYED : BACKLOG_DELIVERED, 0);

        if (count == 0)
            backlog_wait(backlog, true, clock_monotonic_us() + 10000);
    }
    return NULL;
}

static void all_at_once_everything_adds_up(void)
{
    pthread_t senders[SENDERS];
    pthread_t receivers[2];

    begin(2, false);
    atomic_store(&over, false);
    CHECK_INT(pthread_create(&receivers[0], NULL, receive_all, a), 0);
    CHECK_INT(pthread_create(&receivers[1], NULL, receive_all, b), 0);
    for (size_t i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_create(&senders[i], NULL, send_all, i % 2 ? &over : NULL), 0);
    for (size_t i = 0; i < SENDERS; i++)
        (void)pthread_join(senders[i], NULL);
    atomic_store(&over, true);
    (void)pthread_join(receivers[0], NULL);
    (void)pthread_join(receivers[1], NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct outbox_sink_counters *sink = store_sink(&store, names[i]);

        CHECK_INT(sink->enqueued, (int64_t)SENDERS * EACH);
        CHECK(sink->delivered >= (int64_t)SENDERS / 2 * EACH);
    }
    CHECK(store_counters(&store)->accepted >= (int64_t)SENDERS / 2 * EACH);
    end();
}

/* The first content of an id has the id as its key, another one more, and each keeps it. */
static void contents_of_one_id_have_keys_of_their_own(void)
{
    static const char *const raws[] = { "{1}", "{2}", "{1}", "{2}", "{3}" };
    struct outbox_job *jobs[COUNT_OF(raws)] = { 0 };
    const struct backlog_record *records;
    struct error err = { 0 };

    begin(1, false);
    for (size_t i = 0; i < COUNT_OF(raws); i++) {
        struct outbox_event event = store_event("x", raws[i]);

        CHECK(outbox_submit(store.outbox,
                            &(struct outbox_request){ &event, 1, { .wake = count_wake } }, &jobs[i],
                            &err));
    }
    CHECK_INT((int64_t)taking_some(a, AT_ONCE, &records), COUNT_OF(raws));
    CHECK_STR(records[0].key, "x");
    CHECK(str_starts_with(records[1].key, STR("x:")) && records[1].key.len == 2 + 16);
    CHECK(str_equal(records[2].key, records[0].key));
    CHECK(str_equal(records[3].key, records[1].key));
    CHECK(str_starts_with(records[4].key, STR("x:")) && !str_equal(records[4].key, records[1].key));
    taking_settle_alike(a, records, COUNT_OF(raws), BACKLOG_DELIVERED, 0);
    for (size_t i = 0; i < COUNT_OF(raws); i++)
        outbox_job_release(jobs[i]);
    end();
}

/* Submit an event with two records, the second for sink b alone. */
static struct outbox_job *submit_two(const char *id)
{
    struct outbox_event events[2] = { store_event(id, "{1}"), store_event(id, "{1}") };
    struct outbox_job *job = NULL;
    struct error err = { 0 };

    events[1].output = 2;
    events[1].record = STR("second");
    events[1].sinks = 2;
    CHECK(outbox_submit(store.outbox, &(struct outbox_request){ events, 2, { .wake = count_wake } },
                        &job, &err));
    return job;
}

static void all_records_of_an_event_are_delivered(void)
{
    const struct backlog_record *records = NULL;
    struct outbox_job *job;

    begin(2, false);
    job = submit_two("e");
    CHECK_INT((int64_t)taking_some(b, AT_ONCE, &records), 2);
    CHECK_STR(records[0].key, "e");
    CHECK_STR(records[1].key, "e#2");
    CHECK_STR(records[1].bytes, "second");
    taking_settle_alike(b, records, 2, BACKLOG_DELIVERED, 0);
    CHECK(!outbox_results(job));
    CHECK_INT((int64_t)settle_all(a, BACKLOG_DELIVERED, 0), 1);
    check_verdict(job, OUTBOX_ACCEPTED, NULL);
    CHECK_INT(outbox_results(job)[1].verdict, OUTBOX_ACCEPTED);
    CHECK_INT(store_counters(&store)->accepted, 1);
    outbox_job_release(job);
    end();
}

static void sinks_come_and_go_while_it_runs(void)
{
    const struct outbox_sink c = { "c", 2, NULL };
    const struct backlog_record *records = NULL;
    struct outbox_job *both;
    struct outbox_job *all;
    struct error err = { 0 };

    begin(2, false);
    both = submit("both");
    CHECK(outbox_add_sinks(store.outbox, &c, 1, &err));
    CHECK(outbox_add_sinks(store.outbox, &c, 1, &err)); /* it is known */
    all = submit("all");
    taking_close(a);
    a = open_backlog("c", false);
    CHECK_INT((int64_t)taking_some(a, AT_ONCE, &records), 1); /* "both" is not for it */
    CHECK_STR(records[0].key, "all");
    taking_settle_alike(a, records, 1, BACKLOG_DELIVERED, 0);
    CHECK(outbox_remove_sink(store.outbox, "a", &err)); /* what waits for it is refused */
    check_verdict(both, OUTBOX_UNAVAILABLE, "a sink refused the record");
    check_verdict(all, OUTBOX_UNAVAILABLE, "a sink refused the record");
    CHECK(outbox_remove_sink(store.outbox, "a", &err));
    CHECK_INT((int64_t)store_counters(&store)->sink_count, 2);
    CHECK_INT((int64_t)settle_all(b, BACKLOG_DELIVERED, 0), 2);
    check_sink("b", 2, 2, 0);
    check_sink("c", 1, 1, 0);
    outbox_job_release(both);
    outbox_job_release(all);
    end();
}

int main(void)
{
    RUN(sinks_come_and_go_while_it_runs);
    RUN(contents_of_one_id_have_keys_of_their_own);
    RUN(accepts_when_every_sink_has_it);
    RUN(all_records_of_an_event_are_delivered);
    RUN(shows_what_a_record_is);
    RUN(keeps_to_the_bounds_asked_for);
    RUN(a_refused_record_is_nobodys_200);
    RUN(who_does_not_wait_takes_his_records_along);
    RUN(what_is_under_way_is_still_counted_right);
    RUN(what_is_not_settled_is_let_go_of);
    RUN(each_event_of_a_job_has_its_own_fate);
    RUN(a_failure_holds_up_nobody_unless_order_is_wanted);
    RUN(a_retry_comes_when_it_is_due);
    RUN(what_waits_is_bounded);
    RUN(one_that_is_too_large_fills_nothing);
    RUN(so_many_events_and_no_more);
    RUN(the_end_answers_who_still_waits);
    RUN(there_is_no_store_to_operate_on);
    RUN(all_at_once_everything_adds_up);
    return test_end();
}
