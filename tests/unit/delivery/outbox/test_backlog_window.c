/*
 * test_backlog_window.c - claims about delivery/outbox/backlog.h: several batches are under way,
 * and are settled in any order.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/backlog.h"
#include "delivery/outbox/view.h"
#include "tests/unit/store.h"
#include "tests/unit/taking.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { AT_ONCE = 64 };

static const char *const sinks[] = { "a" };

static void init(struct store *store)
{
    store_init(store);
    store->options.sinks = sinks;
    store->options.sink_count = COUNT_OF(sinks);
    store_open(store);
}

/* Take up to `max` records without giving the last batch back. */
static struct backlog_batch *take(struct backlog *backlog, struct arena *arena, size_t max)
{
    struct backlog_batch *batch = NULL;
    struct error err = { 0 };

    CHECK(backlog_take(backlog, &(struct backlog_bounds){ .records = max, .bytes = 1 << 20 }, arena,
                       &batch, &err));
    return batch;
}

static void settle_batch(struct backlog *backlog, struct backlog_batch *batch,
                         enum backlog_verdict verdict)
{
    struct backlog_result results[AT_ONCE];

    assert(batch->count <= AT_ONCE);
    for (size_t i = 0; i < batch->count; i++)
        results[i] = (struct backlog_result){ batch->records[i].seq, verdict, 1, "why" };
    backlog_settle(backlog, batch, results);
}

static void check_commit(struct backlog *backlog)
{
    struct error err = { 0 };

    CHECK(backlog_commit(backlog, true, &err));
    CHECK_STR(str_from_c(err.text), "");
}

static void batches_are_settled_in_any_order(void)
{
    struct arena *arena = arena_create();
    struct backlog_batch *batches[4];
    struct store store;

    init(&store);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    store_fill(&store, "e", 12);
    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        batches[i] = take(a, arena, 3);
        CHECK_INT((int64_t)batches[i]->count, 3);
        CHECK_INT(batches[i]->records[0].seq, (int64_t)i * 3 + 1);
    }
    CHECK(!take(a, arena, 3)); /* all are under way */
    settle_batch(a, batches[3], BACKLOG_DELIVERED);
    settle_batch(a, batches[1], BACKLOG_DELIVERED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 0); /* the cursor cannot pass the first */

    struct backlog *twin = taking_open(store.outbox, "a", BACKLOG_UNORDERED); /* as after a crash */

    CHECK_INT((int64_t)take(twin, arena, AT_ONCE)->count, 12);
    taking_close(twin);
    settle_batch(a, batches[0], BACKLOG_DELIVERED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 6);
    settle_batch(a, batches[2], BACKLOG_UNTRIED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 6);
    batches[2] = take(a, arena, 9); /* only what was given back: the rest is decided */
    CHECK_INT((int64_t)batches[2]->count, 3);
    CHECK_INT(batches[2]->records[0].seq, 7);
    settle_batch(a, batches[2], BACKLOG_DELIVERED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 12);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

static void no_retry_is_under_way_twice(void)
{
    struct arena *arena = arena_create();
    struct backlog_batch *first;
    struct backlog_batch *second;
    struct store store;

    init(&store);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    store_fill(&store, "e", 6);
    settle_batch(a, take(a, arena, 6), BACKLOG_FAILED);
    check_commit(a);
    first = take(a, arena, 4);
    second = take(a, arena, 4);
    CHECK_INT(first->lane, BACKLOG_RETRIES);
    CHECK_INT((int64_t)first->count, 4);
    CHECK_INT((int64_t)second->count, 2);
    CHECK(!take(a, arena, 4));
    settle_batch(a, second, BACKLOG_UNTRIED);
    second = take(a, arena, 4);
    CHECK_INT((int64_t)second->count, 2);
    settle_batch(a, second, BACKLOG_DEAD);
    settle_batch(a, first, BACKLOG_DELIVERED);
    CHECK(!take(a, arena, 4)); /* settled, but their rows are still there */
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 4);
    CHECK_INT(store_sink(&store, "a")->dead, 2);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

/* A sink that is ended in order repeats nothing that it knows to have arrived. */
static void an_end_keeps_what_is_settled(void)
{
    struct arena *arena = arena_create();
    struct backlog_batch *first;
    struct store store;

    init(&store);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    store_fill(&store, "e", 5);
    first = take(a, arena, 2);
    settle_batch(a, take(a, arena, 2), BACKLOG_DELIVERED);
    CHECK_INT((int64_t)first->count, 2);
    taking_close(a); /* two are under way, two have arrived, one waits */
    CHECK_INT(store_sink(&store, "a")->delivered, 2);
    CHECK_INT(store_sink(&store, "a")->pending, 3);
    a = taking_open(store.outbox, "a", BACKLOG_STRICT);
    for (int64_t count = 2; count > 0; count--) { /* two as retries, then the one that waits */
        first = take(a, arena, AT_ONCE);
        CHECK_INT((int64_t)first->count, count);
        settle_batch(a, first, BACKLOG_DELIVERED);
        check_commit(a);
    }
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

static size_t cost_of_ten(void *self, const struct backlog_record *record)
{
    (void)self;
    (void)record;
    return 10;
}

static void a_batch_is_filled_by_cost_and_in_steps(void)
{
    struct arena *arena = arena_create();
    struct backlog_batch *batch = NULL;
    const struct backlog_bounds bounds = { .records = 9, .bytes = 45, .cost = cost_of_ten };
    struct error err = { 0 };
    struct store store;

    init(&store);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    store_fill(&store, "e", 1);
    CHECK(backlog_take(a, &bounds, arena, &batch, &err));
    CHECK(batch && batch->count == 1 && !batch->is_full);
    CHECK(backlog_take(a, &bounds, arena, &batch, &err));
    CHECK_INT((int64_t)batch->count, 1);
    store_fill(&store, "f", 5);
    CHECK(backlog_take(a, &bounds, arena, &batch, &err));
    CHECK_INT((int64_t)batch->count, 4);
    CHECK(batch->is_full);
    for (int64_t i = 0; i < 4; i++)
        CHECK_INT(batch->records[i].seq, i + 1);
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

/* However much waits, about 32 MiB are in memory. */
static void what_is_under_way_is_bounded(void)
{
    enum { RECORD_BYTES = 1024 * 1024 };
    static char text[RECORD_BYTES + 1];
    struct arena *arena = arena_create();
    struct store store;
    size_t batches = 0;

    init(&store);
    memset(text, 'x', RECORD_BYTES);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    for (int i = 0; i < 40; i++) {
        struct outbox_event event = store_event(NULL, text);

        CHECK_INT(store_submit(&store, &event).verdict, OUTBOX_ACCEPTED);
    }
    for (; backlog_has_room(a); batches++)
        CHECK_INT((int64_t)take(a, arena, 1)->count, 1);
    CHECK_INT((int64_t)batches, 32);
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

/*
 * A record that fails again and again, as one that is throttled alone, does not hold the cursor:
 * what was delivered behind it counts as delivered, and does not come again after a crash.
 */
static void one_that_fails_does_not_hold_the_delivered(void)
{
    struct arena *arena = arena_create();
    struct backlog_batch *failing;
    struct backlog_batch *others;
    struct store store;

    init(&store);

    struct backlog *a = taking_open(store.outbox, "a", BACKLOG_UNORDERED);

    store_fill(&store, "e", 4);
    failing = take(a, arena, 1);
    others = take(a, arena, 3);
    settle_batch(a, failing, BACKLOG_UNTRIED);
    settle_batch(a, others, BACKLOG_DELIVERED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->pending, 4); /* one failure can be chance */
    failing = take(a, arena, 4);
    CHECK_INT(failing->records[0].seq, 1);
    settle_batch(a, failing, BACKLOG_UNTRIED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->pending, 1);

    struct backlog *twin = taking_open(store.outbox, "a", BACKLOG_UNORDERED); /* as after a crash */

    CHECK_INT((int64_t)take(twin, arena, AT_ONCE)->count, 1);
    taking_close(twin);
    failing = take(a, arena, 4);
    CHECK_INT(failing->lane, BACKLOG_RETRIES);
    CHECK_INT(failing->records[0].seq, 1);
    CHECK_INT(failing->records[0].attempts, 0);
    settle_batch(a, failing, BACKLOG_DELIVERED);
    check_commit(a);
    CHECK_INT(store_sink(&store, "a")->delivered, 4);
    store_check_identity(&store, "a");
    taking_close(a);
    store_done(&store);
    arena_destroy(arena);
}

static struct str one_key(void *self, struct str bytes, struct arena *arena)
{
    (void)self;
    (void)bytes;
    (void)arena;
    return STR("k");
}

/* Rows that an operator makes have no order key yet: no new record passes them. */
static void no_new_record_passes_one_that_was_brought_back(void)
{
    const struct backlog_options options = { .sink = "a",
                                             .order = BACKLOG_BY_KEY,
                                             .order_key = one_key };
    struct arena *arena = arena_create();
    struct backlog *a = NULL;
    struct backlog_batch *batch;
    struct error err = { 0 };
    struct store store;

    init(&store);
    CHECK(backlog_open(store.outbox, &options, &a, &err));
    for (int64_t i = 0; i < 2; i++) {
        store_fill(&store, i == 0 ? "e" : "f", 1);
        settle_batch(a, take(a, arena, 1), BACKLOG_DEAD);
        check_commit(a);
    }
    CHECK(!take(a, arena, 1)); /* there was none without a key */
    CHECK(outbox_revive(store.outbox, 1, &err) && outbox_revive(store.outbox, 2, &err));
    store_fill(&store, "g", 1);
    for (int64_t seq = 1; seq <= 3; seq++) {
        batch = take(a, arena, 1);
        CHECK_INT(batch->records[0].seq, seq);
        CHECK(!take(a, arena, 1)); /* it is under way */
        settle_batch(a, batch, BACKLOG_DELIVERED);
        check_commit(a);
    }
    store_check_identity(&store, "a");
    backlog_close(a);
    store_done(&store);
    arena_destroy(arena);
}

int main(void)
{
    RUN(batches_are_settled_in_any_order);
    RUN(no_retry_is_under_way_twice);
    RUN(an_end_keeps_what_is_settled);
    RUN(a_batch_is_filled_by_cost_and_in_steps);
    RUN(what_is_under_way_is_bounded);
    RUN(one_that_fails_does_not_hold_the_delivered);
    RUN(no_new_record_passes_one_that_was_brought_back);
    return test_end();
}
