/*
 * backlog.c - see backlog.h. The records come from store.c's or memory.c's implementation.
 */
#include "delivery/outbox/backlog.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/outbox_internal.h"

bool backlog_open(struct outbox *outbox, const char *sink, bool ordered, struct backlog **out,
                  struct error *err)
{
    const struct outbox_operations *operations = outbox->operations;

    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *row = tally_find_sink(&outbox->published, sink);
    bool known = row && row->configured;

    (void)pthread_mutex_unlock(&outbox->mutex);
    if (!known)
        return fail(err, ERR_CONFIG, "the store was not told of sink %s", sink);

    struct backlog *backlog = mem_alloc(operations->backlog_size);

    backlog->outbox = outbox;
    if (operations->open && !operations->open(backlog, err)) {
        mem_free(backlog);
        return false;
    }
    memcpy(backlog->sink, sink, strnlen(sink, OUTBOX_NAME_SIZE - 1));
    backlog->ordered = ordered;
    backlog->lane = BACKLOG_NEW;
    backlog->arena = arena_create();
    *out = backlog;
    return true;
}

void backlog_close(struct backlog *backlog)
{
    if (!backlog)
        return;
    backlog->outbox->operations->close(backlog);
    arena_destroy(backlog->arena);
    mem_free(backlog);
}

bool backlog_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                  const struct backlog_record **records, size_t *count, struct error *err)
{
    if (!backlog->outbox->operations->next(backlog, bounds, err))
        return false;
    *records = backlog->records;
    *count = backlog->count;
    return true;
}

const char *backlog_store(const struct backlog *backlog)
{
    return backlog->outbox->id;
}

enum backlog_lane backlog_lane(const struct backlog *backlog)
{
    return backlog->lane;
}

bool backlog_settle(struct backlog *backlog, const struct backlog_result *results, size_t count,
                    struct error *err)
{
    if (!backlog->outbox->operations->settle(backlog, results, count, err))
        return false;
    backlog->count = 0; /* they must not be settled a second time */
    return true;
}

void backlog_wait(struct backlog *backlog, int64_t latest_us)
{
    struct outbox *outbox = backlog->outbox;

    if (backlog->retry_due_us != INT64_MAX) {
        int64_t due_us = clock_monotonic_us() + backlog->retry_due_us - clock_now_us();

        latest_us = due_us < latest_us ? due_us : latest_us;
    }

    const struct timespec latest = clock_timespec(latest_us > 0 ? latest_us : 0);

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!backlog->woken && backlog->round == outbox->round && !outbox->stopping)
        if (pthread_cond_timedwait(&outbox->news, &outbox->mutex, &latest) == ETIMEDOUT)
            break;
    backlog->woken = false;
    (void)pthread_mutex_unlock(&outbox->mutex);
}

void backlog_wake(struct backlog *backlog)
{
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->woken = true;
    (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
}
