/*
 * taking.c - see taking.h.
 */
#include "tests/unit/taking.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

enum { BACKLOGS = 8, BATCH = 256 };

static struct taking {
    struct backlog *backlog; /* NULL: free */
    struct arena *arena;
    struct backlog_batch *batch; /* NULL: settled */
    enum backlog_lane lane;
} takings[BACKLOGS];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* which are in use */

static struct taking *find(const struct backlog *backlog)
{
    struct taking *found = NULL;

    (void)pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < BACKLOGS && !found; i++)
        if (takings[i].backlog == backlog)
            found = &takings[i];
    (void)pthread_mutex_unlock(&mutex);
    assert(found);
    return found;
}

struct backlog *taking_open(struct outbox *outbox, const char *sink, enum backlog_order order)
{
    struct taking *taking = find(NULL);
    struct error err = { 0 };
    bool ok = backlog_open(outbox, &(struct backlog_options){ .sink = sink, .order = order },
                           &taking->backlog, &err);

    if (!ok)
        (void)fprintf(stderr, "%s\n", err.text);
    assert(ok);
    taking->arena = arena_create();
    return taking->backlog;
}

struct backlog *taking_from(struct store *store, const char *sink, bool ordered)
{
    return taking_open(store->outbox, sink, ordered ? BACKLOG_STRICT : BACKLOG_UNORDERED);
}

size_t taking_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                   const struct backlog_record **records)
{
    struct taking *taking = find(backlog);
    struct error err = { 0 };
    bool ok;

    if (taking->batch)
        backlog_settle(backlog, taking->batch, NULL);
    taking->batch = NULL;
    arena_reset(taking->arena);
    ok = backlog_take(backlog, bounds, taking->arena, &taking->batch, &err);
    assert(ok);
    if (!taking->batch)
        return 0;
    taking->lane = taking->batch->lane;
    *records = taking->batch->records;
    return taking->batch->count;
}

bool taking_settle(struct backlog *backlog, const struct backlog_result *results, size_t count)
{
    struct taking *taking = find(backlog);
    struct backlog_result all[BATCH] = { 0 };
    struct error err = { 0 };

    if (!taking->batch)
        return false;
    assert(count <= taking->batch->count && taking->batch->count <= BATCH);
    memcpy(all, results, count * sizeof(*results));
    for (size_t i = count; i < taking->batch->count; i++)
        all[i].verdict = BACKLOG_UNTRIED;
    backlog_settle(backlog, taking->batch, all);
    taking->batch = NULL;
    return backlog_commit(backlog, true, &err);
}

size_t taking_some(struct backlog *backlog, size_t most, const struct backlog_record **records)
{
    return taking_next(backlog, &(struct backlog_bounds){ .records = most, .bytes = 1 << 20 },
                       records);
}

void taking_settle_alike(struct backlog *backlog, const struct backlog_record *records,
                         size_t count, enum backlog_verdict verdict, int64_t next_at_us)
{
    struct backlog_result results[TAKING_MOST];

    assert(count <= TAKING_MOST);
    for (size_t i = 0; i < count; i++)
        results[i] = (struct backlog_result){ records[i].seq, verdict, next_at_us, "why" };
    CHECK(count == 0 || taking_settle(backlog, results, count));
}

size_t taking_deliver_all(struct backlog *backlog)
{
    const struct backlog_record *records;
    size_t total = 0;
    size_t count;
    int64_t seq = 0;

    while ((count = taking_some(backlog, TAKING_MOST, &records)) > 0) {
        for (size_t i = 0; i < count; i++) {
            CHECK(records[i].seq > seq);
            seq = records[i].seq;
        }
        taking_settle_alike(backlog, records, count, BACKLOG_DELIVERED, 0);
        total += count;
    }
    return total;
}

enum backlog_lane taking_lane(struct backlog *backlog)
{
    return find(backlog)->lane;
}

void taking_close(struct backlog *backlog)
{
    struct taking *taking;

    if (!backlog)
        return;
    taking = find(backlog);
    backlog_close(backlog);
    arena_destroy(taking->arena);
    *taking = (struct taking){ 0 };
}
