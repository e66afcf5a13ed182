/*
 * backlog.c - see backlog.h. The records come from store.c's or memory.c's implementation.
 */
#include "delivery/outbox/backlog.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/batch.h"

bool backlog_open(struct outbox *outbox, const struct backlog_options *options,
                  struct backlog **out, struct error *err)
{
    const struct outbox_operations *operations = outbox->operations;
    const char *sink = options->sink;

    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *row = tally_find_sink(&outbox->published, sink);
    bool known = row && row->configured;

    (void)pthread_mutex_unlock(&outbox->mutex);
    if (!known)
        return fail(err, ERR_CONFIG, "the store was not told of sink %s", sink);

    struct backlog *backlog = mem_alloc(operations->backlog_size);

    backlog->outbox = outbox;
    memcpy(backlog->sink, sink, strnlen(sink, OUTBOX_NAME_SIZE - 1));
    backlog->options = *options;
    backlog->options.sink = NULL;
    backlog->lane = BACKLOG_NEW;
    list_init(&backlog->batches);
    if (operations->open && !operations->open(backlog, err)) {
        mem_free(backlog);
        return false;
    }
    *out = backlog;
    return true;
}

void backlog_close(struct backlog *backlog)
{
    const struct outbox_operations *operations;

    if (!backlog)
        return;
    operations = backlog->outbox->operations;
    while (!list_is_empty(&backlog->batches))
        backlog_settle(
            backlog, CONTAINER_OF(list_first(&backlog->batches), struct backlog_batch, link), NULL);
    if (operations->close)
        operations->close(backlog);
    mem_free(backlog);
}

bool backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds, struct arena *arena,
                  struct backlog_batch **batch, struct error *err)
{
    return backlog->outbox->operations->take(backlog, bounds, arena, batch, err);
}

const char *backlog_store(const struct backlog *backlog)
{
    return backlog->outbox->id;
}

void backlog_settle(struct backlog *backlog, struct backlog_batch *batch,
                    const struct backlog_result *results)
{
    batch_remove(backlog, batch);
    backlog->outbox->operations->settle(backlog, batch, results);
}

bool backlog_commit(struct backlog *backlog, bool wait, struct error *err)
{
    const struct outbox_operations *operations = backlog->outbox->operations;

    return !operations->commit || operations->commit(backlog, wait, err);
}

bool backlog_has_room(const struct backlog *backlog)
{
    return batch_has_room(backlog);
}

void backlog_wait(struct backlog *backlog, bool for_records, int64_t latest_us)
{
    struct outbox *outbox = backlog->outbox;

    if (for_records && backlog->retry_due_us != INT64_MAX) {
        int64_t due_us = clock_monotonic_us() + backlog->retry_due_us - clock_now_us();

        latest_us = due_us < latest_us ? due_us : latest_us;
    }

    const struct timespec latest = clock_timespec(latest_us > 0 ? latest_us : 0);

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!backlog->woken && !outbox->stopping &&
           !(for_records && backlog->round != outbox->round))
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
