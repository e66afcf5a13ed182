/*
 * test_backlog.c - claims about delivery/outbox/backlog.h: what each sink gets, in which
 * order, and that enqueued = delivered + pending + dead + dropped.
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

enum { MANY = 1000, AT_ONCE = 64, DROPPED = 4096 };

static const char *const two_sinks[] = { "a", "b" };

static struct backlog *open_backlog(struct store *store, const char *sink, bool ordered)
{
    return taking_open(store->outbox, sink, ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED);
}

static void check_identity(struct store *store, const char *sink)
{
    const struct outbox_sink_counters *counters = store_sink(store, sink);

    CHECK(counters->pending >= 0);
    CHECK_INT(counters->enqueued,
              counters->delivered + counters->pending + counters->dead + counters->dropped);
}

/* The next records, at most `max`. */
static size_t next(struct backlog *backlog, size_t max, const struct backlog_record **records)
{
    return taking_next(backlog, &(struct backlog_bounds){ .records = max, .bytes = 1 << 20 },
                       records);
}

/* Settle the last `count` records, all alike. */
static void settle(struct backlog *backlog, const struct backlog_record *records, size_t count,
                   enum backlog_verdict verdict, int64_t next_at_us)
{
    struct backlog_result results[AT_ONCE];

    assert(count <= AT_ONCE);
    for (size_t i = 0; i < count; i++)
        results[i] = (struct backlog_result){ records[i].seq, verdict, next_at_us, "why" };
    CHECK(count == 0 || taking_settle(backlog, results, count));
}

/* Deliver all that is due; how much that was, in which order is checked. */
static size_t deliver_all(struct backlog *backlog)
{
    const struct backlog_record *records;
    size_t total = 0;
    size_t count;
    int64_t seq = 0;

    while ((count = next(backlog, AT_ONCE, &records)) > 0) {
        for (size_t i = 0; i < count; i++) {
            CHECK(records[i].seq > seq);
            seq = records[i].seq;
        }
        settle(backlog, records, count, BACKLOG_DELIVERED, 0);
        total += count;
    }
    return total;
}

static void init(struct store *store, size_t sinks)
{
    store_init(store);
    store->options.sinks = two_sinks;
    store->options.sink_count = sinks;
    store_open(store);
}

static void gives_each_sink_everything_in_order(void)
{
    struct store store;

    init(&store, 2);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *b = open_backlog(&store, "b", true);

    store_fill(&store, "e", MANY);
    CHECK_INT(store_sink(&store, "a")->pending, MANY);
    CHECK_INT((int64_t)deliver_all(a), MANY);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    CHECK_INT(store_sink(&store, "b")->pending, MANY);
    CHECK(store_counters(&store)->bytes > MANY);
    CHECK_INT((int64_t)deliver_all(b), MANY);
    check_identity(&store, "a");
    check_identity(&store, "b");
    CHECK_INT((int64_t)deliver_all(a), 0);
    taking_close(a);
    taking_close(b);
    store_close(&store);
    store_open(&store);
    a = open_backlog(&store, "a", false);
    CHECK_INT((int64_t)deliver_all(a), 0);
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

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    (void)store_submit(&store, &event);
    event.raw = STR("{\"x\":2}");
    event.record = STR("second");
    (void)store_submit(&store, &event);
    (void)store_submit(&store, &nameless);
    CHECK_INT((int64_t)next(a, 10, &records), 3);
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

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    store_fill(&store, "e", 20); /* "e0" ... are two or three bytes long */
    CHECK_INT((int64_t)next(a, 7, &records), 7);
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

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    store_fill(&store, "e", 6);
    CHECK_INT((int64_t)next(a, 3, &records), 3);
    CHECK_INT(taking_lane(a), BACKLOG_NEW);
    settle(a, records, 3, BACKLOG_FAILED, 1);
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

        init(&store, 1);

        struct backlog *a = open_backlog(&store, "a", ordered);

        store_fill(&store, "e", 1);
        CHECK_INT((int64_t)next(a, 1, &records), 1);
        settle(a, records, 1, BACKLOG_FAILED, clock_now_us() + day_us);
        CHECK_INT((int64_t)next(a, 1, &records), 0); /* if waits had no bound */
        CHECK_INT((int64_t)taking_next(a, &bounds, &records), 1);
        CHECK_INT(records[0].attempts, 1);
        settle(a, records, 1, BACKLOG_FAILED, clock_now_us() + LONGEST_US);
        CHECK_INT((int64_t)taking_next(a, &bounds, &records), 0);
        taking_close(a);
        store_done(&store);
    }
}

static void moves_failures_out_of_the_way(void)
{
    struct store store;
    const struct backlog_record *records;

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    store_fill(&store, "e", 5);
    CHECK_INT((int64_t)next(a, 10, &records), 5);

    const struct backlog_result results[] = {
        { records[0].seq, BACKLOG_DELIVERED, 0, NULL },
        { records[1].seq, BACKLOG_FAILED, 1, "broken" },
        { records[2].seq, BACKLOG_DELAYED, 1, "busy" },
        { records[3].seq, BACKLOG_DEAD, 0, "hopeless" },
        { records[4].seq, BACKLOG_UNTRIED, 0, NULL },
    };

    CHECK(taking_settle(a, results, COUNT_OF(results)));
    CHECK(!taking_settle(a, results, COUNT_OF(results))); /* not twice */
    check_identity(&store, "a");
    CHECK_INT(store_sink(&store, "a")->delivered, 1);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK_INT(store_sink(&store, "a")->pending, 3);

    /* The retries are due, and come first. */
    CHECK_INT((int64_t)next(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 1);
    CHECK_INT(records[1].attempts, 0);
    settle(a, records, 2, BACKLOG_FAILED, 1);

    /* Then what is new has its turn, then they again. */
    CHECK_INT((int64_t)next(a, 10, &records), 1);
    settle(a, records, 1, BACKLOG_DELIVERED, 0);
    CHECK_INT((int64_t)next(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 2);
    settle(a, records, 2, BACKLOG_FAILED, clock_now_us() + INT64_C(3600000000));
    CHECK_INT((int64_t)next(a, 10, &records), 0);
    check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

/* A report that seemed to fail may have come through: the records are read once more, settled
 * again. */
static void counts_what_is_settled_twice_once(void)
{
    struct store store;
    const struct backlog_record *records;

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *twin = open_backlog(&store, "a", false);

    store_fill(&store, "e", 4);
    CHECK_INT((int64_t)next(twin, 4, &records), 4);
    CHECK_INT((int64_t)next(a, 4, &records), 4);
    settle(a, records, 4, BACKLOG_DELAYED, 1);
    settle(twin, records, 4, BACKLOG_DELIVERED, 0); /* they are in retry rows by now */
    CHECK_INT(store_sink(&store, "a")->delivered, 0);
    CHECK_INT((int64_t)next(twin, 4, &records), 4);
    CHECK_INT((int64_t)next(a, 4, &records), 4);
    settle(a, records, 3, BACKLOG_DELIVERED, 0);
    settle(twin, records, 4, BACKLOG_DEAD, 0);
    CHECK_INT(store_sink(&store, "a")->delivered, 3);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    check_identity(&store, "a");
    taking_close(twin);
    taking_close(a);
    store_done(&store);
}

static void holds_an_ordered_sink_at_its_head(void)
{
    struct store store;
    const struct backlog_record *records;

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", true);

    store_fill(&store, "e", 3);
    CHECK_INT((int64_t)next(a, 10, &records), 3);

    const struct backlog_result results[] = {
        { records[0].seq, BACKLOG_DELIVERED, 0, NULL },
        { records[1].seq, BACKLOG_FAILED, 1, "broken" },
        { records[2].seq, BACKLOG_UNTRIED, 0, NULL },
    };

    CHECK(taking_settle(a, results, COUNT_OF(results)));
    taking_close(a);
    store_close(&store);
    store_open(&store);
    a = open_backlog(&store, "a", true);
    CHECK_INT((int64_t)next(a, 10, &records), 2);
    CHECK_INT(records[0].attempts, 1); /* it survives a restart */
    settle(a, records, 1, BACKLOG_FAILED, clock_now_us() + INT64_C(3600000000));
    CHECK_INT((int64_t)next(a, 10, &records), 0);
    check_identity(&store, "a");
    CHECK_INT(store_sink(&store, "a")->pending, 2);
    taking_close(a);
    store_done(&store);
}

/* What waits, without the log. */
static int64_t waiting_bytes(struct store *store)
{
    struct outbox_view *view = NULL;
    struct outbox_counters counters;
    struct error err = { 0 };

    CHECK(outbox_view_open(store->path, &view, &err));
    CHECK(outbox_view_counters(view, &counters, &err));
    outbox_view_close(view);
    return counters.bytes;
}

/* Settle all that is due, in portions, and post an event so that the store prunes. */
static void settle_all(struct backlog *backlog, enum backlog_verdict verdict, int64_t next_at_us)
{
    const struct backlog_record *records;
    size_t count;

    while ((count = next(backlog, AT_ONCE, &records)) > 0)
        settle(backlog, records, count, verdict, next_at_us);
}

static void counts_bytes_and_not_characters(void)
{
    static const struct str ids[] = { STR_INIT("é€😀"), STR_INIT("nul\0behind"), STR_INIT("") };
    struct store store;

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    for (int i = 0; i < 4; i++)
        for (size_t j = 0; j < COUNT_OF(ids); j++) {
            struct outbox_event event = store_event("", "{}");

            event.id = ids[j];
            event.record = ids[(size_t)i % COUNT_OF(ids)];
            event.raw.len = (size_t)i % 3;
            (void)store_submit(&store, &event);
        }

    const struct backlog_record *records;
    size_t count = next(a, AT_ONCE, &records);

    settle(a, records, count, BACKLOG_FAILED, 1);
    settle_all(a, BACKLOG_DELIVERED, 0);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    taking_close(a);
    store_close(&store);
    store.options.sink_count = 0;
    store_open(&store); /* what is left to prune is pruned with the next event */
    store_fill(&store, "e", 1);
    CHECK_INT(waiting_bytes(&store), 0);
    store_done(&store);
}

static void keeps_one_copy_for_all_sinks(void)
{
    enum { RECORDS = 100, RECORD_BYTES = 10000, SINKS = 4 };
    static const char *const sinks[SINKS] = { "a", "b", "c", "d" };
    static char text[RECORD_BYTES + 1];
    struct backlog *backlogs[SINKS];
    struct store store;

    memset(text, 'x', sizeof(text) - 1);
    store_init(&store);
    store.options.sinks = sinks;
    store.options.sink_count = SINKS;
    store_open(&store);
    for (int i = 0; i < RECORDS; i++) {
        struct outbox_event event = store_event(NULL, text);

        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    }

    int64_t before = waiting_bytes(&store);

    CHECK(before < INT64_C(100) * (RECORD_BYTES + 1000));
    for (size_t i = 0; i < SINKS; i++) {
        backlogs[i] = open_backlog(&store, sinks[i], false);
        settle_all(backlogs[i], BACKLOG_FAILED, clock_now_us() + INT64_C(3600000000));
        CHECK_INT(store_sink(&store, sinks[i])->pending, RECORDS);
        CHECK_INT(waiting_bytes(&store), before);
    }
    for (size_t i = 0; i < SINKS; i++)
        taking_close(backlogs[i]);
    store_done(&store);
}

/* A record that several sinks wait for, each in its way, goes with the last of them. */
static void lets_a_record_go_with_its_last_row(void)
{
    static const enum backlog_verdict verdicts[][2] = {
        { BACKLOG_DELIVERED, BACKLOG_DELIVERED }, { BACKLOG_DELIVERED, BACKLOG_DEAD },
        { BACKLOG_DEAD, BACKLOG_DELIVERED },      { BACKLOG_DEAD, BACKLOG_DEAD },
        { BACKLOG_FAILED, BACKLOG_DEAD },         { BACKLOG_FAILED, BACKLOG_DELIVERED },
        { BACKLOG_FAILED, BACKLOG_FAILED },       { BACKLOG_DEAD, BACKLOG_FAILED },
    };
    struct store store;

    init(&store, 2);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *b = open_backlog(&store, "b", false);

    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        const struct backlog_record *records;
        int64_t later_us = clock_now_us() + INT64_C(3600000000);

        store_fill(&store, (char[]){ (char)('a' + i), '\0' }, i + 1);
        (void)next(a, AT_ONCE, &records);
        settle(a, records, i + 1, verdicts[i][0], later_us);
        (void)next(b, AT_ONCE, &records);
        settle(b, records, i + 1, verdicts[i][1], later_us);
    }
    check_identity(&store, "a");
    check_identity(&store, "b");
    CHECK(store_counters(&store)->dead_bytes > 0);
    taking_close(a);
    taking_close(b);
    store_close(&store);
    store.options.sink_count = 0;
    store_open(&store);

    struct error err = { 0 };

    CHECK(outbox_drop_sink(store.outbox, "a", &err));
    CHECK(outbox_drop_sink(store.outbox, "b", &err));
    store_fill(&store, "last", 1);
    CHECK_INT(waiting_bytes(&store), 0);
    CHECK_INT(store_counters(&store)->dead_bytes, 0);
    CHECK_INT(store_counters(&store)->corrections, 0);
    store_done(&store);
}

static void bounds_dead_records_at_once(void)
{
    enum { RECORDS = 60, MOST = 10000 };
    struct store store;
    char text[1001] = { 0 };

    memset(text, 'x', sizeof(text) - 1);
    store_init(&store);
    store.options.sinks = two_sinks;
    store.options.sink_count = 1;
    store.options.max_size = 1 << 20;
    store.options.dead_max_size = MOST;
    store_open(&store);

    struct backlog *a = open_backlog(&store, "a", false);

    for (int i = 0; i < RECORDS; i++) {
        struct outbox_event event = store_event(NULL, text);

        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
        settle_all(a, BACKLOG_DEAD, 0);
        CHECK(store_counters(&store)->dead_bytes <= MOST);
    }
    CHECK(store_sink(&store, "a")->dead >= 5);
    CHECK_INT(store_sink(&store, "a")->dropped, RECORDS - store_sink(&store, "a")->dead);
    CHECK_INT(waiting_bytes(&store), 0);
    check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

static bool note_dead(void *self, const struct outbox_dead *row)
{
    *(int64_t *)self = row->id;
    CHECK_STR(row->sink, "a");
    CHECK_STR(row->reason, "why");
    return true;
}

static void brings_dead_records_back(void)
{
    struct store store;
    const struct backlog_record *records;
    struct outbox_view *view;
    struct error err = { 0 };
    int64_t id = 0;

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    store_fill(&store, "e", 1);
    CHECK_INT((int64_t)next(a, 10, &records), 1);
    settle(a, records, 1, BACKLOG_DEAD, 0);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK(outbox_view_open(store.path, &view, &err));
    CHECK(outbox_view_dead(view, &(struct outbox_filter){ 0 }, note_dead, &id, &err));
    outbox_view_close(view);
    CHECK(id > 0);
    CHECK(!outbox_revive(store.outbox, id + 1, &err));
    CHECK(outbox_revive(store.outbox, id, &err));
    CHECK_INT(store_sink(&store, "a")->dead, 0);
    CHECK_INT((int64_t)deliver_all(a), 1);
    CHECK_INT(store_counters(&store)->bytes < 200000, 1);
    check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

static void starts_a_new_sink_at_now_and_keeps_a_removed_ones_backlog(void)
{
    struct store store;
    struct error err = { 0 };

    init(&store, 1);
    store_fill(&store, "before", 10);
    store_close(&store);

    store.options.sink_count = 2; /* b is new */
    store_open(&store);
    CHECK_INT(store_sink(&store, "b")->pending, 0);
    store_fill(&store, "both", 10);
    store_close(&store);

    store.options.sink_count = 0; /* both are removed */
    store_open(&store);
    store_fill(&store, "none", 10);
    CHECK(!store_sink(&store, "a")->configured);
    CHECK_INT(store_sink(&store, "a")->pending, 20);
    CHECK_INT(store_sink(&store, "b")->pending, 10);
    CHECK(outbox_drop_sink(store.outbox, "b", &err));
    CHECK(!outbox_drop_sink(store.outbox, "b", &err));
    store_close(&store);

    store.options.sink_count = 1; /* a is back */
    store_open(&store);
    CHECK(!outbox_drop_sink(store.outbox, "a", &err)); /* it is configured */
    store_fill(&store, "after", 10);

    struct backlog *a = open_backlog(&store, "a", true);

    CHECK_INT(store_sink(&store, "a")->enqueued, 30);
    CHECK_INT((int64_t)deliver_all(a), 30);
    check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

static void drops_no_more_once_the_end_is_near(void)
{
    struct store store;
    struct error err = { 0 };

    init(&store, 1);
    store_fill(&store, "a", 10);
    store_close(&store);
    store.options.sink_count = 0;
    store_open(&store);
    outbox_hurry(store.outbox);
    CHECK(!outbox_drop_sink(store.outbox, "a", &err));
    CHECK_INT((int64_t)err.code, ERR_UNAVAILABLE);
    CHECK_INT(store_sink(&store, "a")->pending, 10);
    store_close(&store);
    store_open(&store);
    CHECK(outbox_drop_sink(store.outbox, "a", &err));
    store_done(&store);
}

static void *hurry_in_between(void *self)
{
    struct store *store = self;

    while (store_counters(store)->sink_count > 0 && store_sink(store, "a")->pending == DROPPED)
        ;
    outbox_hurry(store->outbox);
    return NULL;
}

/*
 * A sink with a backlog, half of it in retry rows, is removed; dropping it is broken off. False: it
 * came to its end before.
 */
static bool break_off_a_drop(struct store *store, const char *prefix)
{
    struct error err = { 0 };
    pthread_t watcher;

    store->options.sink_count = 1;
    store_open(store);
    store_fill(store, prefix, DROPPED / 2);

    struct backlog *a = open_backlog(store, "a", false);
    const struct backlog_record *records;

    for (size_t i = 0; i < DROPPED / AT_ONCE; i++) { /* every second time it is the retries' turn */
        size_t count = next(a, AT_ONCE, &records);

        settle(a, records, count, BACKLOG_FAILED, 1);
    }
    taking_close(a);
    store_fill(store, (char[]){ prefix[0], prefix[0], '\0' }, DROPPED / 2);
    store_close(store);
    store->options.sink_count = 0;
    store_open(store);
    CHECK_INT(pthread_create(&watcher, NULL, hurry_in_between, store), 0);

    bool dropped = outbox_drop_sink(store->outbox, "a", &err);

    (void)pthread_join(watcher, NULL);
    store_close(store);
    return !dropped;
}

/* What is left of a sink whose drop was broken off is what its rows say. */
static void counts_a_broken_off_drop(void)
{
    static const char *const prefixes[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    struct store store;
    size_t i = 0;

    store_init(&store);
    store.options.sinks = two_sinks;
    while (i < COUNT_OF(prefixes) && !break_off_a_drop(&store, prefixes[i]))
        i++;
    CHECK(i < COUNT_OF(prefixes));
    store.options.sink_count = 1;
    store_open(&store);
    check_identity(&store, "a");

    int64_t left = store_sink(&store, "a")->pending;
    struct backlog *a = open_backlog(&store, "a", true);

    CHECK(left > 0 && left < DROPPED);
    CHECK_INT((int64_t)deliver_all(a), left);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

/* A number below `n`, the same ones in each run. */
static uint32_t below(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % n;
}

static void settle_at_random(struct store *store, const char *sink, uint32_t *state)
{
    static const enum backlog_verdict verdicts[] = { BACKLOG_DELIVERED, BACKLOG_DELIVERED,
                                                     BACKLOG_FAILED,    BACKLOG_DELAYED,
                                                     BACKLOG_DEAD,      BACKLOG_DEAD };
    struct backlog *backlog = open_backlog(store, sink, false);
    const struct backlog_record *records;
    struct backlog_result results[AT_ONCE];
    size_t count = next(backlog, 1 + below(state, AT_ONCE), &records);

    for (size_t i = 0; i < count; i++)
        results[i] =
            (struct backlog_result){ records[i].seq, verdicts[below(state, COUNT_OF(verdicts))],
                                     below(state, 2) ? 1 : INT64_MAX, "why" };
    CHECK(count == 0 || taking_settle(backlog, results, count));
    taking_close(backlog);
}

static bool note_any_dead(void *self, const struct outbox_dead *row)
{
    *(int64_t *)self = row->id;
    return true;
}

static void revive_one(struct store *store)
{
    struct outbox_view *view = NULL;
    struct error err = { 0 };
    int64_t id = 0;

    CHECK(outbox_view_open(store->path, &view, &err));
    CHECK(outbox_view_dead(view, &(struct outbox_filter){ .limit = 3 }, note_any_dead, &id, &err));
    outbox_view_close(view);
    if (id > 0)
        CHECK(outbox_revive(store->outbox, id, &err));
}

static void restart_with(struct store *store, size_t sinks, bool drop)
{
    struct error err = { 0 };

    store_close(store);
    store->options.sink_count = sinks;
    store_open(store);
    if (drop && sinks < 2 && store_counters(store)->sink_count == 2)
        CHECK(outbox_drop_sink(store->outbox, "b", &err));
}

static bool has_nothing_waiting(void *self)
{
    return waiting_bytes(self) == 0;
}

static void take_random_step(struct store *store, uint32_t *state, int step)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d-", step);

    struct outbox_event bad = store_refusal(text, "{}");

    switch (below(state, 8)) {
    case 0:
    case 1:
        store->sinks = below(state, 4);
        store_fill(store, text, 1 + below(state, 60));
        break;
    case 2:
        CHECK_INT(store_submit(store, &bad).verdict, OUTBOX_QUARANTINED);
        break;
    case 3:
        revive_one(store);
        break;
    case 4:
        if (below(state, 5) == 0)
            restart_with(store, below(state, 3), below(state, 2));
        break;
    default:
        if (store->options.sink_count > 0)
            settle_at_random(store, below(state, (uint32_t)store->options.sink_count) ? "b" : "a",
                             state);
    }
}

/* Whatever happens, the counters say what the rows say. */
static void counts_what_is_there(void)
{
    enum { STEPS = 300 };
    struct store store;
    struct error err = { 0 };
    uint32_t state = 20261129;

    store_init(&store);
    store.options.sinks = two_sinks;
    store.options.sink_count = 2;
    store.options.dead_max_size = 4000;
    store.options.dedup_max_rows = 300;
    store.options.quarantine_max_rows = 20;
    store_open(&store);
    for (int step = 0; step < STEPS; step++) {
        take_random_step(&store, &state, step);
        for (size_t i = 0; i < COUNT_OF(two_sinks); i++)
            if (i < store.options.sink_count)
                check_identity(&store, two_sinks[i]);
    }
    CHECK(store_counters(&store)->dead_bytes <= 4000);
    restart_with(&store, 2, false); /* both are known then */
    restart_with(&store, 0, false);
    for (size_t i = 0; i < COUNT_OF(two_sinks); i++)
        CHECK(outbox_drop_sink(store.outbox, two_sinks[i], &err));
    CHECK(wait_until(has_nothing_waiting, &store)); /* what is pruned when nothing comes */
    CHECK_INT(store_counters(&store)->dead_bytes, 0);
    CHECK_INT(store_counters(&store)->corrections, 0);
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

    init(&store, 1);

    struct backlog *a = open_backlog(&store, "a", false);

    CHECK_INT((int64_t)next(a, 10, &records), 0);
    backlog_wait(a, true, clock_monotonic_us() + 1000); /* nothing: ends by its time */
    store_fill(&store, "e", 1);
    backlog_wait(a, true, clock_monotonic_us() + long_us); /* there is news */
    CHECK_INT((int64_t)deliver_all(a), 1);
    CHECK_INT(pthread_create(&waker, NULL, wake_later, a), 0);
    backlog_wait(a, true, clock_monotonic_us() + long_us);
    (void)pthread_join(waker, NULL);
    outbox_stop(store.outbox);
    backlog_wait(a, true, clock_monotonic_us() + long_us);
    CHECK(clock_monotonic_us() - begun_us < long_us);
    taking_close(a);
    store_done(&store);
}

enum { FOR_A = 1, FOR_B = 2, FOR_ALL = 0 };

static void fill_for(struct store *store, uint64_t sinks, const char *prefix, size_t count)
{
    store->sinks = sinks;
    store_fill(store, prefix, count);
    store->sinks = FOR_ALL;
}

/* A record waits for the sinks that get it, and for no other. */
static void gives_a_sink_its_own_records_alone(void)
{
    struct store store;
    const struct backlog_record *records;

    init(&store, 2);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *b = open_backlog(&store, "b", true);

    fill_for(&store, FOR_A, "a", 10);
    fill_for(&store, FOR_B, "b", 5);
    fill_for(&store, FOR_ALL, "all", 3);
    fill_for(&store, FOR_A, "c", 10);
    CHECK_INT(store_sink(&store, "a")->enqueued, 23);
    CHECK_INT(store_sink(&store, "b")->enqueued, 8);
    CHECK_INT(store_sink(&store, "b")->pending, 8);
    CHECK_INT((int64_t)next(b, 10, &records), 8);
    CHECK_STR(records[0].key, "b0");
    CHECK_STR(records[7].key, "all2");
    settle(b, records, 1, BACKLOG_FAILED, clock_now_us() - 1);
    CHECK_INT((int64_t)next(b, 10, &records), 8);
    CHECK_INT(records[0].attempts, 1);
    settle(b, records, 8, BACKLOG_DELIVERED, 0);
    CHECK_INT((int64_t)deliver_all(a), 23);
    CHECK_INT((int64_t)deliver_all(b), 0);
    check_identity(&store, "a");
    check_identity(&store, "b");
    CHECK(wait_until(has_nothing_waiting, &store));
    taking_close(a);
    taking_close(b);
    store_done(&store);
}

/* Its cursor passes records of other sinks, so that they are deleted. */
static void keeps_no_record_of_others(void)
{
    struct store store;

    init(&store, 2);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *b = open_backlog(&store, "b", false);

    fill_for(&store, FOR_A, "a", MANY);
    CHECK_INT((int64_t)deliver_all(a), MANY);
    CHECK(wait_until(has_nothing_waiting, &store)); /* b did nothing */
    fill_for(&store, FOR_B, "b", 1);
    fill_for(&store, FOR_A, "c", MANY);
    CHECK_INT((int64_t)deliver_all(a), MANY);
    CHECK_INT((int64_t)deliver_all(b), 1); /* then b's cursor has a gap to pass */
    CHECK(wait_until(has_nothing_waiting, &store));
    fill_for(&store, FOR_B, "d", 2);
    CHECK_INT((int64_t)deliver_all(b), 2);
    taking_close(a);
    taking_close(b);
    store_done(&store);
}

static bool has_room(void *self)
{
    return waiting_bytes(self) < (1 << 20) + (1 << 18);
}

/* A sink that waits for its target keeps its own records and not the many of another sink. */
static void makes_way_for_others(void)
{
    struct store store;
    const struct backlog_record *records;

    store_init(&store);
    store.options.sinks = two_sinks;
    store.options.sink_count = 2;
    store.options.max_size = 4 << 20;
    store_open(&store);

    struct backlog *a = open_backlog(&store, "a", false);
    struct backlog *b = open_backlog(&store, "b", true);

    fill_for(&store, FOR_B, "b", 3);
    CHECK_INT((int64_t)next(b, 10, &records), 3);
    settle(b, records, 1, BACKLOG_FAILED, 1);
    CHECK_INT((int64_t)next(b, 10, &records), 3); /* under way meanwhile */
    for (int i = 0; i < 20; i++) {
        char prefix[16];

        (void)snprintf(prefix, sizeof(prefix), "a%d-", i);
        fill_for(&store, FOR_A, prefix, MANY);
        CHECK_INT((int64_t)deliver_all(a), MANY);
    }
    CHECK(wait_until(has_room, &store));
    CHECK_INT(store_sink(&store, "b")->pending, 3);
    CHECK_INT(records[0].attempts, 1);
    settle(b, records, 3, BACKLOG_DELIVERED, 0);
    CHECK_INT(store_sink(&store, "b")->delivered, 3);
    fill_for(&store, FOR_B, "c", 2);
    CHECK_INT((int64_t)deliver_all(b), 2);
    check_identity(&store, "b");
    taking_close(a);
    taking_close(b);
    store_done(&store);
}

/* An event with three records, the second for sink b alone. */
static struct outbox_result submit_three(struct store *store, const char *id, const char *raw)
{
    struct outbox_event records[3];

    for (unsigned i = 0; i < COUNT_OF(records); i++) {
        records[i] = store_event(id, raw);
        records[i].time_us = 0;
        records[i].output = i == 0 ? 0 : i + 1;
    }
    records[1].sinks = 2;
    return store_submit_records(store, records, COUNT_OF(records));
}

static void all_records_of_an_event_are_kept_or_none(void)
{
    static const char *const sinks[] = { "a", "b" };
    static const char *const keys[] = { "e", "e#2", "e#3", "e:", "-4", "-4#2", "-4#3" };
    const struct backlog_record *records = NULL;
    struct store store;
    struct backlog *b;

    store_init(&store);
    store.options.sinks = sinks;
    store.options.sink_count = COUNT_OF(sinks);
    store_open(&store);
    CHECK_INT(submit_three(&store, "e", "{1}").verdict, OUTBOX_ACCEPTED);
    CHECK_INT(submit_three(&store, "e", "{1}").verdict, OUTBOX_DUPLICATE);
    CHECK_INT(submit_three(&store, NULL, "{2}").verdict, OUTBOX_ACCEPTED);
    CHECK(submit_three(&store, "e", "{3}").id_reused);
    CHECK_INT(store_counters(&store)->accepted, 3);
    CHECK_INT(store_sink(&store, "a")->pending, 6);
    CHECK_INT(store_sink(&store, "b")->pending, 9);
    store_close(&store);
    store_open(&store); /* they are durable */
    b = open_backlog(&store, "b", false);
    CHECK_INT((int64_t)next(b, 20, &records), 9);
    CHECK_STR(records[1].key, keys[1]);
    CHECK_STR(records[2].key, keys[2]);
    for (size_t i = 3; i < 6; i++)
        CHECK(str_ends_with(records[i].key, str_from_c(keys[i + 1])));
    CHECK(str_starts_with(records[7].key, STR("e:")) && str_ends_with(records[7].key, STR("#2")));
    taking_close(b);
    store_close(&store);

    store.options.max_size = 1;
    store_open(&store);
    CHECK_INT(submit_three(&store, "f", "{4}").verdict, OUTBOX_UNAVAILABLE);
    CHECK_INT(store_sink(&store, "b")->pending, 9);
    store_done(&store);
}

int main(void)
{
    RUN(all_records_of_an_event_are_kept_or_none);
    RUN(gives_each_sink_everything_in_order);
    RUN(shows_what_a_record_is);
    RUN(keeps_to_the_bounds_asked_for);
    RUN(gives_what_a_lane_has);
    RUN(no_time_is_farther_away_than_the_longest);
    RUN(moves_failures_out_of_the_way);
    RUN(counts_what_is_settled_twice_once);
    RUN(holds_an_ordered_sink_at_its_head);
    RUN(brings_dead_records_back);
    RUN(starts_a_new_sink_at_now_and_keeps_a_removed_ones_backlog);
    RUN(counts_bytes_and_not_characters);
    RUN(keeps_one_copy_for_all_sinks);
    RUN(lets_a_record_go_with_its_last_row);
    RUN(bounds_dead_records_at_once);
    RUN(drops_no_more_once_the_end_is_near);
    RUN(counts_a_broken_off_drop);
    RUN(counts_what_is_there);
    RUN(gives_a_sink_its_own_records_alone);
    RUN(keeps_no_record_of_others);
    RUN(makes_way_for_others);
    RUN(waits_for_news_only);
    return test_end();
}
