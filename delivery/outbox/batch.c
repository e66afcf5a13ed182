/*
 * batch.c - one transaction: begin, apply, write the counters, commit, tell everybody.
 */
#include "base/clock.h"
#include "delivery/outbox/outbox_internal.h"

const int64_t outbox_commit_bounds_us[OUTBOX_BUCKETS] = {
    100,   250,   500,   1000,   2000,   3000,    5000,    7500,
    10000, 25000, 50000, 100000, 250000, 1000000, 5000000, INT64_MAX,
};

const int64_t outbox_batch_bounds[OUTBOX_BUCKETS] = {
    1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, INT64_MAX,
};

static void count_in(struct outbox_histogram *histogram, const int64_t *bounds, int64_t value)
{
    size_t bucket = 0;

    while (value > bounds[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum += (uint64_t)value;
}

/* SQLite may have done it by itself. */
static bool roll_back(struct outbox *outbox)
{
    for (enum outbox_statement i = 0; i < SQL_COUNT; i++)
        outbox_db_reset(&outbox->db, i);
    outbox->tally = outbox->before;
    outbox->upkeep.pending = true;
    return (sqlite3_get_autocommit(outbox->db.handle) ||
            outbox_db_run(&outbox->db, SQL_ROLLBACK, "")) &&
           recent_load(&outbox->recent, &outbox->db);
}

static bool close_transaction(struct outbox *outbox)
{
    if (!tally_write(&outbox->db, &outbox->tally, &outbox->before) ||
        !outbox_db_count_pages(&outbox->db) || !outbox_db_run(&outbox->db, SQL_COMMIT, ""))
        return false;
    outbox->before = outbox->tally;
    return true;
}

/* For all to see: the state after the transaction. */
static void publish(struct outbox *outbox)
{
    bool has_records =
        outbox->tally.numbers[TALLY_NEXT_SEQ] != outbox->published.numbers[TALLY_NEXT_SEQ];

    outbox->published = outbox->tally;
    outbox->round += has_records || outbox->woken;
    if (has_records || outbox->woken)
        (void)pthread_cond_broadcast(&outbox->news);
    outbox->woken = false;
}

static void look_at_clock(struct outbox *outbox)
{
    int64_t monotonic_us = clock_monotonic_us();

    outbox->now_us = clock_now_us();
    outbox->believed_us = outbox_clock_believed_us(&outbox->clock, outbox->now_us, monotonic_us);
    outbox->may_forget = outbox_clock_may_forget(&outbox->clock, monotonic_us);
}

enum outbox_end outbox_transact(struct outbox *outbox, bool (*apply)(struct outbox *, void *),
                                void *arg, struct error *err)
{
    look_at_clock(outbox);
    outbox->turned_away = false;

    if (!outbox_db_is_in_place(&outbox->db, err))
        return OUTBOX_BROKEN_OFF;
    if (outbox_db_run(&outbox->db, SQL_BEGIN, "") && apply(outbox, arg) &&
        close_transaction(outbox)) {
        if (!outbox_db_is_in_place(&outbox->db, err))
            return OUTBOX_BROKEN_OFF;
        (void)pthread_mutex_lock(&outbox->mutex);
        publish(outbox);
        (void)pthread_mutex_unlock(&outbox->mutex);
        outbox_judge_room(outbox);
        outbox_notices_log(outbox);
        return OUTBOX_DURABLE;
    }
    (void)outbox_db_fail(&outbox->db, "store", err);

    bool full = outbox_db_is_full(&outbox->db);

    if (!roll_back(outbox) || !full)
        return OUTBOX_BROKEN_OFF;
    outbox_note_full_disk(outbox);
    return OUTBOX_DISK_FULL;
}

struct batch {
    struct outbox_work *list;
    size_t events;
};

static bool apply_batch(struct outbox *outbox, void *arg)
{
    struct batch *batch = arg;

    batch->events = 0;
    for (struct outbox_work *work = batch->list; work; work = work->next) {
        batch->events += work->events;
        if (!work->apply(outbox, work))
            return false;
    }
    return outbox_upkeep_in_batch(outbox, batch->events);
}

/* The disk is full: who was accepted before hears it all the same. */
static void recall_batch(struct outbox *outbox, struct outbox_work *list)
{
    while (list) {
        struct outbox_work *next = list->next;
        bool told = list->recall && list->recall(outbox, list);

        list->finish(outbox, list, told ? NULL : "store full");
        list = next;
    }
}

static void finish_batch(struct outbox *outbox, struct outbox_work *list, const char *failure)
{
    while (list) {
        struct outbox_work *next = list->next; /* finished work may be gone */

        list->finish(outbox, list, failure);
        list = next;
    }
}

bool outbox_batch(struct outbox *outbox, struct outbox_work *list, struct error *err)
{
    struct batch batch = { .list = list };
    int64_t begun_us = clock_monotonic_us();
    bool was_full = outbox->disk_full;
    enum outbox_end end = outbox_transact(outbox, apply_batch, &batch, err);

    if (end == OUTBOX_DISK_FULL && !was_full) /* what the ballast was kept for still goes */
        end = outbox_transact(outbox, apply_batch, &batch, err);
    if (end == OUTBOX_DURABLE) {
        (void)pthread_mutex_lock(&outbox->mutex);
        count_in(&outbox->commit_us, outbox_commit_bounds_us, clock_monotonic_us() - begun_us);
        if (batch.events > 0)
            count_in(&outbox->batch_events, outbox_batch_bounds, (int64_t)batch.events);
        (void)pthread_mutex_unlock(&outbox->mutex);
    }
    if (end == OUTBOX_DISK_FULL)
        recall_batch(outbox, list);
    else
        finish_batch(outbox, list, end == OUTBOX_DURABLE ? NULL : "store failing");
    return end != OUTBOX_BROKEN_OFF;
}
