/*
 * test_backlog_rows.c - claims about delivery/outbox/backlog.h: which records the store keeps, and
 * that enqueued = delivered + pending + dead + dropped.
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

enum { MANY = 1000, AT_ONCE = TAKING_MOST, DROPPED = 4096 };

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

    while ((count = taking_some(backlog, AT_ONCE, &records)) > 0)
        taking_settle_alike(backlog, records, count, verdict, next_at_us);
}

static void counts_bytes_and_not_characters(void)
{
    static const struct str ids[] = { STR_INIT("é€😀"), STR_INIT("nul\0behind"), STR_INIT("") };
    struct store store;

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    for (int i = 0; i < 4; i++)
        for (size_t j = 0; j < COUNT_OF(ids); j++) {
            struct outbox_event event = store_event("", "{}");

            event.id = ids[j];
            event.record = ids[(size_t)i % COUNT_OF(ids)];
            event.raw.len = (size_t)i % 3;
            (void)store_submit(&store, &event);
        }

    const struct backlog_record *records;
    size_t count = taking_some(a, AT_ONCE, &records);

    taking_settle_alike(a, records, count, BACKLOG_FAILED, 1);
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
        backlogs[i] = taking_from(&store, sinks[i], false);
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

    store_begin(&store, 2);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *b = taking_from(&store, "b", false);

    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        const struct backlog_record *records;
        int64_t later_us = clock_now_us() + INT64_C(3600000000);

        store_fill(&store, (char[]){ (char)('a' + i), '\0' }, i + 1);
        (void)taking_some(a, AT_ONCE, &records);
        taking_settle_alike(a, records, i + 1, verdicts[i][0], later_us);
        (void)taking_some(b, AT_ONCE, &records);
        taking_settle_alike(b, records, i + 1, verdicts[i][1], later_us);
    }
    store_check_identity(&store, "a");
    store_check_identity(&store, "b");
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
    store.options.sinks = store_sinks;
    store.options.sink_count = 1;
    store.options.max_size = 1 << 20;
    store.options.dead_max_size = MOST;
    store_open(&store);

    struct backlog *a = taking_from(&store, "a", false);

    for (int i = 0; i < RECORDS; i++) {
        struct outbox_event event = store_event(NULL, text);

        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
        settle_all(a, BACKLOG_DEAD, 0);
        CHECK(store_counters(&store)->dead_bytes <= MOST);
    }
    CHECK(store_sink(&store, "a")->dead >= 5);
    CHECK_INT(store_sink(&store, "a")->dropped, RECORDS - store_sink(&store, "a")->dead);
    CHECK_INT(waiting_bytes(&store), 0);
    store_check_identity(&store, "a");
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

    store_begin(&store, 1);

    struct backlog *a = taking_from(&store, "a", false);

    store_fill(&store, "e", 1);
    CHECK_INT((int64_t)taking_some(a, 10, &records), 1);
    taking_settle_alike(a, records, 1, BACKLOG_DEAD, 0);
    CHECK_INT(store_sink(&store, "a")->dead, 1);
    CHECK(outbox_view_open(store.path, &view, &err));
    CHECK(outbox_view_dead(view, &(struct outbox_filter){ 0 }, note_dead, &id, &err));
    outbox_view_close(view);
    CHECK(id > 0);
    CHECK(!outbox_revive(store.outbox, id + 1, &err));
    CHECK(outbox_revive(store.outbox, id, &err));
    CHECK_INT(store_sink(&store, "a")->dead, 0);
    CHECK_INT((int64_t)taking_deliver_all(a), 1);
    CHECK_INT(store_counters(&store)->bytes < 200000, 1);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

static bool collect_dead(void *self, const struct outbox_dead *row)
{
    int64_t *ids = self;

    ids[ids[0] ? 1 : 0] = row->id;
    return true;
}

/* A replay of the history brings a dead record a second time. It waits once all the same. */
static void brings_a_record_back_that_was_replayed(void)
{
    struct store store;
    struct outbox_replay replay = { .sink = "a", .until_us = INT64_MAX, .routes = "[]" };
    struct outbox_view *view;
    struct error err = { 0 };
    int64_t ids[2] = { 0 };

    store_init(&store);
    store.options.sinks = store_sinks;
    store.options.sink_count = 1;
    store.options.history_us = US_PER_HOUR;
    store.options.history_max_size = 1 << 20;
    store_open(&store);

    struct backlog *a = taking_from(&store, "a", false);

    store_fill(&store, "e", 1);
    settle_all(a, BACKLOG_DEAD, 0);
    CHECK(outbox_replay(store.outbox, &replay, &err) && replay.count == 1);
    settle_all(a, BACKLOG_DEAD, 0);
    CHECK(outbox_view_open(store.path, &view, &err));
    CHECK(outbox_view_dead(view, &(struct outbox_filter){ 0 }, collect_dead, ids, &err));
    outbox_view_close(view);
    CHECK(ids[0] > 0 && ids[1] > 0);
    CHECK(outbox_revive(store.outbox, ids[0], &err));
    CHECK(outbox_revive(store.outbox, ids[1], &err));
    CHECK_INT(store_sink(&store, "a")->pending, 1);
    CHECK_INT(store_sink(&store, "a")->dead, 0);
    CHECK_INT(store_sink(&store, "a")->dropped, 1);
    CHECK_INT((int64_t)taking_deliver_all(a), 1);
    store_check_identity(&store, "a");
    CHECK_INT(store_counters(&store)->corrections, 0);
    taking_close(a);
    store_done(&store);
}

static void starts_a_new_sink_at_now_and_keeps_a_removed_ones_backlog(void)
{
    struct store store;
    struct error err = { 0 };

    store_begin(&store, 1);
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

    struct backlog *a = taking_from(&store, "a", true);

    CHECK_INT(store_sink(&store, "a")->enqueued, 30);
    CHECK_INT((int64_t)taking_deliver_all(a), 30);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

/* The sink a in `slot`. */
static bool add_a(struct store *store, size_t slot)
{
    const struct outbox_sink sink = { "a", slot, NULL };
    struct error err = { 0 };

    return outbox_add_sinks(store->outbox, &sink, 1, &err);
}

static void sinks_come_and_go_while_it_runs(void)
{
    const struct outbox_sink c = { "c", 1, NULL };
    struct store store;
    struct error err = { 0 };

    store_begin(&store, 1);
    store_fill(&store, "before", MANY);
    CHECK(outbox_remove_sink(store.outbox, "a", &err));
    CHECK(outbox_remove_sink(store.outbox, "a", &err)); /* it is gone already */
    CHECK(outbox_remove_sink(store.outbox, "unknown", &err));
    CHECK(!store_sink(&store, "a")->configured);
    CHECK(outbox_add_sinks(store.outbox, &c, 1, &err));
    store_fill(&store, "between", 10);
    CHECK_INT(store_sink(&store, "a")->pending, MANY);
    CHECK_INT(store_sink(&store, "c")->pending, 10);

    CHECK(add_a(&store, 5));
    CHECK(add_a(&store, 5));
    store.sinks = 1 << 5;
    store_fill(&store, "after", 10);
    store.sinks = 1 << 1;
    store_fill(&store, "other", 10);
    CHECK_INT(store_sink(&store, "a")->enqueued, MANY + 10);
    CHECK_INT(store_sink(&store, "c")->enqueued, 20);

    struct backlog *a = taking_from(&store, "a", true);

    CHECK_INT((int64_t)taking_deliver_all(a), MANY + 10);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
}

/* Of the record that was the first before: the one that is the first now has not failed yet. */
static void a_sink_that_is_back_forgets_its_failures(void)
{
    const struct backlog_record *records;
    struct store store;
    struct error err = { 0 };

    store_begin(&store, 1);
    store_fill(&store, "before", 1);

    struct backlog *a = taking_from(&store, "a", true);
    size_t count = taking_some(a, 1, &records);

    taking_settle_alike(a, records, count, BACKLOG_FAILED, 1);
    taking_close(a);
    CHECK(outbox_remove_sink(store.outbox, "a", &err));
    CHECK(add_a(&store, 0));
    a = taking_from(&store, "a", true);
    CHECK_INT((int64_t)taking_deliver_all(a), 1);
    store_fill(&store, "after", 1);
    CHECK_INT((int64_t)taking_some(a, 1, &records), 1);
    CHECK_INT(records[0].attempts, 0);
    taking_close(a);
    store_done(&store);
}

static void too_many_sinks_change_nothing(void)
{
    char names[OUTBOX_SINKS_MAX][8];
    struct outbox_sink sinks[OUTBOX_SINKS_MAX];
    struct store store;
    struct error err = { 0 };

    store_begin(&store, 1);
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s%zu", i);
        sinks[i] = (struct outbox_sink){ names[i], i, NULL };
    }
    CHECK(!outbox_add_sinks(store.outbox, sinks, OUTBOX_SINKS_MAX, &err));
    CHECK_INT((int64_t)err.code, ERR_CONFIG);
    CHECK_INT((int64_t)store_counters(&store)->sink_count, 1);
    store_done(&store);
}

static void drops_no_more_once_the_end_is_near(void)
{
    struct store store;
    struct error err = { 0 };

    store_begin(&store, 1);
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

    struct backlog *a = taking_from(store, "a", false);
    const struct backlog_record *records;

    for (size_t i = 0; i < DROPPED / AT_ONCE; i++) { /* every second time it is the retries' turn */
        size_t count = taking_some(a, AT_ONCE, &records);

        taking_settle_alike(a, records, count, BACKLOG_FAILED, 1);
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
    store.options.sinks = store_sinks;
    while (i < COUNT_OF(prefixes) && !break_off_a_drop(&store, prefixes[i]))
        i++;
    CHECK(i < COUNT_OF(prefixes));
    store.options.sink_count = 1;
    store_open(&store);
    store_check_identity(&store, "a");

    int64_t left = store_sink(&store, "a")->pending;
    struct backlog *a = taking_from(&store, "a", true);

    CHECK(left > 0 && left < DROPPED);
    CHECK_INT((int64_t)taking_deliver_all(a), left);
    CHECK_INT(store_sink(&store, "a")->pending, 0);
    store_check_identity(&store, "a");
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
    struct backlog *backlog = taking_from(store, sink, false);
    const struct backlog_record *records;
    struct backlog_result results[AT_ONCE];
    size_t count = taking_some(backlog, 1 + below(state, AT_ONCE), &records);

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
    store.options.sinks = store_sinks;
    store.options.sink_count = 2;
    store.options.dead_max_size = 4000;
    store.options.dedup_max_rows = 300;
    store.options.quarantine_max_rows = 20;
    store_open(&store);
    for (int step = 0; step < STEPS; step++) {
        take_random_step(&store, &state, step);
        for (size_t i = 0; i < COUNT_OF(store_sinks); i++)
            if (i < store.options.sink_count)
                store_check_identity(&store, store_sinks[i]);
    }
    CHECK(store_counters(&store)->dead_bytes <= 4000);
    restart_with(&store, 2, false); /* both are known then */
    restart_with(&store, 0, false);
    for (size_t i = 0; i < COUNT_OF(store_sinks); i++)
        CHECK(outbox_drop_sink(store.outbox, store_sinks[i], &err));
    CHECK(wait_until(has_nothing_waiting, &store)); /* what is pruned when nothing comes */
    CHECK_INT(store_counters(&store)->dead_bytes, 0);
    CHECK_INT(store_counters(&store)->corrections, 0);
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

    store_begin(&store, 2);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *b = taking_from(&store, "b", true);

    fill_for(&store, FOR_A, "a", 10);
    fill_for(&store, FOR_B, "b", 5);
    fill_for(&store, FOR_ALL, "all", 3);
    fill_for(&store, FOR_A, "c", 10);
    CHECK_INT(store_sink(&store, "a")->enqueued, 23);
    CHECK_INT(store_sink(&store, "b")->enqueued, 8);
    CHECK_INT(store_sink(&store, "b")->pending, 8);
    CHECK_INT((int64_t)taking_some(b, 10, &records), 8);
    CHECK_STR(records[0].key, "b0");
    CHECK_STR(records[7].key, "all2");
    taking_settle_alike(b, records, 1, BACKLOG_FAILED, clock_now_us() - 1);
    CHECK_INT((int64_t)taking_some(b, 10, &records), 8);
    CHECK_INT(records[0].attempts, 1);
    taking_settle_alike(b, records, 8, BACKLOG_DELIVERED, 0);
    CHECK_INT((int64_t)taking_deliver_all(a), 23);
    CHECK_INT((int64_t)taking_deliver_all(b), 0);
    store_check_identity(&store, "a");
    store_check_identity(&store, "b");
    CHECK(wait_until(has_nothing_waiting, &store));
    taking_close(a);
    taking_close(b);
    store_done(&store);
}

/* Its cursor passes records of other sinks, so that they are deleted. */
static void keeps_no_record_of_others(void)
{
    struct store store;

    store_begin(&store, 2);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *b = taking_from(&store, "b", false);

    fill_for(&store, FOR_A, "a", MANY);
    CHECK_INT((int64_t)taking_deliver_all(a), MANY);
    CHECK(wait_until(has_nothing_waiting, &store)); /* b did nothing */
    fill_for(&store, FOR_B, "b", 1);
    fill_for(&store, FOR_A, "c", MANY);
    CHECK_INT((int64_t)taking_deliver_all(a), MANY);
    CHECK_INT((int64_t)taking_deliver_all(b), 1); /* then b's cursor has a gap to pass */
    CHECK(wait_until(has_nothing_waiting, &store));
    fill_for(&store, FOR_B, "d", 2);
    CHECK_INT((int64_t)taking_deliver_all(b), 2);
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
    store.options.sinks = store_sinks;
    store.options.sink_count = 2;
    store.options.max_size = 4 << 20;
    store_open(&store);

    struct backlog *a = taking_from(&store, "a", false);
    struct backlog *b = taking_from(&store, "b", true);

    fill_for(&store, FOR_B, "b", 3);
    CHECK_INT((int64_t)taking_some(b, 10, &records), 3);
    taking_settle_alike(b, records, 1, BACKLOG_FAILED, 1);
    CHECK_INT((int64_t)taking_some(b, 10, &records), 3); /* under way meanwhile */
    for (int i = 0; i < 20; i++) {
        char prefix[16];

        (void)snprintf(prefix, sizeof(prefix), "a%d-", i);
        fill_for(&store, FOR_A, prefix, MANY);
        CHECK_INT((int64_t)taking_deliver_all(a), MANY);
    }
    CHECK(wait_until(has_room, &store));
    CHECK_INT(store_sink(&store, "b")->pending, 3);
    CHECK_INT(records[0].attempts, 1);
    taking_settle_alike(b, records, 3, BACKLOG_DELIVERED, 0);
    CHECK_INT(store_sink(&store, "b")->delivered, 3);
    fill_for(&store, FOR_B, "c", 2);
    CHECK_INT((int64_t)taking_deliver_all(b), 2);
    store_check_identity(&store, "b");
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
    b = taking_from(&store, "b", false);
    CHECK_INT((int64_t)taking_some(b, 20, &records), 9);
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
    RUN(brings_dead_records_back);
    RUN(brings_a_record_back_that_was_replayed);
    RUN(starts_a_new_sink_at_now_and_keeps_a_removed_ones_backlog);
    RUN(counts_bytes_and_not_characters);
    RUN(keeps_one_copy_for_all_sinks);
    RUN(lets_a_record_go_with_its_last_row);
    RUN(bounds_dead_records_at_once);
    RUN(sinks_come_and_go_while_it_runs);
    RUN(a_sink_that_is_back_forgets_its_failures);
    RUN(too_many_sinks_change_nothing);
    RUN(drops_no_more_once_the_end_is_near);
    RUN(counts_a_broken_off_drop);
    RUN(counts_what_is_there);
    RUN(gives_a_sink_its_own_records_alone);
    RUN(keeps_no_record_of_others);
    RUN(makes_way_for_others);
    return test_end();
}
