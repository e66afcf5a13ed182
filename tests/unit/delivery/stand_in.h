/*
 * stand_in.h - a backlog in memory that stands in for the store's: a test that includes it is
 * linked with these functions in the place of the library's. One file of a program may include it.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/backlog.h"

enum { MOST = 64 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ordered;
    bool suspects_alone; /* what was delayed goes alone, as it does without a store */
    bool woken;
    bool is_open;
    size_t count;
    struct {
        struct backlog_record record;
        enum backlog_verdict verdict; /* the last one */
        int64_t next_at_us;
        bool is_under_way;
    } items[MOST];
    struct backlog_result settled[MOST]; /* and not committed yet */
    size_t settled_count;
    enum backlog_lane lane; /* that they were taken from */
    bool endless;           /* there is always a new record: the last one, again and again */
    int next_failures;      /* that are still to come */
    int settle_failures;
} store;

static struct backlog *const open_backlog = (struct backlog *)&store;

bool backlog_open(struct outbox *outbox, const struct backlog_options *options,
                  struct backlog **out, struct error *err)
{
    if (strcmp(options->sink, "unknown") == 0)
        return fail(err, ERR_CONFIG, "no such sink");
    assert(!outbox && !store.is_open);
    store.ordered = options->order == BACKLOG_STRICT;
    store.is_open = true;
    *out = open_backlog;
    return true;
}

void backlog_close(struct backlog *backlog)
{
    assert(backlog == open_backlog);
    store.is_open = false;
}

static bool is_done(size_t index)
{
    if (store.endless && index + 1 == store.count)
        return false;
    return store.items[index].verdict == BACKLOG_DELIVERED ||
           store.items[index].verdict == BACKLOG_DEAD;
}

/* Has it failed before, or was it passed over? An ordered sink has no such lane. */
static bool is_retry(size_t index)
{
    return !store.ordered && store.items[index].verdict != BACKLOG_UNTRIED;
}

static void take_item(struct backlog_batch *batch, size_t index)
{
    store.items[index].is_under_way = true;
    batch->records[batch->count++] = store.items[index].record;
}

static void take_due(struct backlog_batch *batch, size_t most)
{
    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < store.count && batch->count < most; i++) {
        bool is_alone = store.suspects_alone && store.items[i].verdict == BACKLOG_DELAYED;

        if (is_done(i) || is_retry(i) != (batch->lane == BACKLOG_RETRIES) ||
            store.items[i].is_under_way || (is_alone && batch->count > 0))
            continue;
        if (store.items[i].next_at_us <= now_us)
            take_item(batch, i);
        else if (store.ordered)
            break;
        if (is_alone && batch->count > 0)
            break;
    }
}

/* From the other lane than last time, or the same if there is nothing; `any`, or from that alone.
 */
static void take_from(const struct backlog_bounds *bounds, struct backlog_batch *batch)
{
    bool any = bounds->lane == BACKLOG_ANY;

    for (int i = 0; batch->count == 0 && i <= any; i++) {
        store.lane = !any                        ? bounds->lane
                     : store.lane == BACKLOG_NEW ? BACKLOG_RETRIES
                                                 : BACKLOG_NEW;
        batch->lane = store.lane;
        take_due(batch, batch->lane == BACKLOG_NEW ? bounds->records : bounds->retries);
    }
}

const char *backlog_store(const struct backlog *backlog)
{
    assert(backlog == open_backlog);
    return "5eed5eed5eed5eed";
}

bool backlog_has_room(const struct backlog *backlog)
{
    assert(backlog == open_backlog);
    return true;
}

bool backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds, struct arena *arena,
                  struct backlog_batch **batch, struct error *err)
{
    struct backlog_batch *taken = arena_alloc(arena, sizeof(*taken));

    assert(backlog == open_backlog && bounds->records > 0 && bounds->bytes > 0);
    taken->records = arena_alloc(arena, MOST * sizeof(*taken->records));
    (void)pthread_mutex_lock(&store.mutex);

    bool ok = store.next_failures == 0;

    if (!ok)
        store.next_failures--;
    else
        take_from(bounds, taken);
    (void)pthread_mutex_unlock(&store.mutex);
    if (!ok)
        return fail(err, ERR_SYSTEM, "store failing");
    if (taken->count > 0)
        *batch = taken;
    return true;
}

void backlog_settle(struct backlog *backlog, struct backlog_batch *batch,
                    const struct backlog_result *results)
{
    assert(backlog == open_backlog);
    (void)pthread_mutex_lock(&store.mutex);
    for (size_t i = 0; i < batch->count; i++) {
        size_t at = (size_t)batch->records[i].seq;

        assert(store.items[at].is_under_way && !is_done(at));
        if (results && results[i].verdict != BACKLOG_UNTRIED)
            store.settled[store.settled_count++] = results[i];
        else
            store.items[at].is_under_way = false;
    }
    (void)pthread_mutex_unlock(&store.mutex);
}

static void commit_item(const struct backlog_result *result)
{
    size_t at = (size_t)result->seq;

    store.items[at].is_under_way = false;
    if (!store.endless || at + 1 < store.count)
        store.items[at].verdict = result->verdict;
    store.items[at].next_at_us = result->next_at_us;
    store.items[at].record.attempts +=
        result->verdict == BACKLOG_FAILED || result->verdict == BACKLOG_DEAD;
}

bool backlog_commit(struct backlog *backlog, bool wait, struct error *err)
{
    (void)wait;
    assert(backlog == open_backlog);
    (void)pthread_mutex_lock(&store.mutex);

    bool ok = store.settle_failures == 0 || store.settled_count == 0;

    if (!ok)
        store.settle_failures--;
    for (size_t i = 0; ok && i < store.settled_count; i++)
        commit_item(&store.settled[i]);
    if (ok)
        store.settled_count = 0;
    (void)pthread_mutex_unlock(&store.mutex);
    return ok || fail(err, ERR_UNAVAILABLE, "store failing");
}

void backlog_wait(struct backlog *backlog, bool for_records, int64_t latest_us)
{
    int64_t soon_us = clock_monotonic_us() + 2000; /* a retry may be due by then */
    const struct timespec at = clock_timespec(latest_us < soon_us ? latest_us : soon_us);

    assert(backlog == open_backlog);
    (void)for_records;
    (void)pthread_mutex_lock(&store.mutex);
    while (!store.woken)
        if (pthread_cond_timedwait(&store.changed, &store.mutex, &at) == ETIMEDOUT)
            break;
    store.woken = false;
    (void)pthread_mutex_unlock(&store.mutex);
}

void backlog_wake(struct backlog *backlog)
{
    assert(backlog == open_backlog);
    (void)pthread_mutex_lock(&store.mutex);
    store.woken = true;
    (void)pthread_cond_broadcast(&store.changed);
    (void)pthread_mutex_unlock(&store.mutex);
}

static void store_begin(size_t count)
{
    (void)pthread_mutex_lock(&store.mutex);
    memset(store.items, 0, sizeof(store.items));
    store.count = count;
    store.next_failures = store.settle_failures = 0;
    store.endless = store.suspects_alone = false;
    store.settled_count = 0;
    for (size_t i = 0; i < count; i++) {
        store.items[i].record =
            (struct backlog_record){ .seq = (int64_t)i, .key = STR("key"), .bytes = STR("{}") };
        store.items[i].verdict = BACKLOG_UNTRIED;
    }
    (void)pthread_mutex_unlock(&store.mutex);
}

/* Has every record got this far? */
static bool all_are(enum backlog_verdict verdict)
{
    bool so = true;

    (void)pthread_mutex_lock(&store.mutex);
    for (size_t i = 0; i < store.count; i++)
        so = so && store.items[i].verdict == verdict;
    (void)pthread_mutex_unlock(&store.mutex);
    return so;
}

static bool all_delivered(void *self)
{
    (void)self;
    return all_are(BACKLOG_DELIVERED);
}

static bool all_settled(void *self)
{
    bool so = true;

    (void)self;
    (void)pthread_mutex_lock(&store.mutex);
    for (size_t i = 0; i < store.count; i++)
        so = so && is_done(i);
    (void)pthread_mutex_unlock(&store.mutex);
    return so;
}

static bool all_but_the_last_settled(void *self)
{
    bool so = true;

    (void)self;
    (void)pthread_mutex_lock(&store.mutex);
    for (size_t i = 0; i + 1 < store.count; i++)
        so = so && is_done(i);
    (void)pthread_mutex_unlock(&store.mutex);
    return so;
}
