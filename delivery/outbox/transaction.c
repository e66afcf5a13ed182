/*
 * transaction.c - see transaction.h.
 */
#include "delivery/outbox/transaction.h"

#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/capacity.h"
#include "delivery/outbox/upkeep.h"

enum { LOSS_PAUSE_US = US_PER_MINUTE };

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

/* Rows that the store drops for lack of room. */
static const struct {
    enum tally_number number;
    const char *event;
    const char *bound; /* the setting */
} losses[STORE_LOSSES] = {
    { TALLY_DEAD_EVICTED, "dead_records_dropped", "store.dead_max_size" },
    { TALLY_REFUSED_CROWDED, "quarantine_overflow", "store.quarantine" },
    { TALLY_REFUSED_TOO_LARGE, "quarantine_too_small", "store.quarantine.max_size" },
};

void transaction_skip_losses(struct outbox_store *store)
{
    for (size_t i = 0; i < COUNT_OF(losses); i++)
        store->losses[i] = (struct loss){ store->tally.numbers[losses[i].number], 0 };
}

/* The first loss is logged at once, later ones together once a minute. */
static void log_losses(struct outbox_store *store)
{
    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        struct loss *loss = &store->losses[i];
        int64_t count = store->tally.numbers[losses[i].number];

        if (count == loss->logged || clock_monotonic_us() < loss->next_us)
            continue;
        LOG_EVENT(LOG_WARN, losses[i].event, LOG_INT("count", count - loss->logged),
                  LOG_STR("bound", str_from_c(losses[i].bound)));
        *loss = (struct loss){ count, clock_monotonic_us() + LOSS_PAUSE_US };
    }
}

/* SQLite may have rolled back already. */
static bool roll_back(struct outbox_store *store)
{
    for (enum sql i = 0; i < SQL_COUNT; i++)
        db_reset(&store->db, i);
    store->tally = store->before;
    store->upkeep.pending = true;
    return (sqlite3_get_autocommit(store->db.handle) || db_run(&store->db, SQL_ROLLBACK, "")) &&
           recent_load(&store->recent, &store->db);
}

static bool commit(struct outbox_store *store)
{
    if (!recent_flush(&store->recent, &store->db) ||
        !tally_write(&store->db, &store->tally, &store->before) || !db_count_pages(&store->db) ||
        !db_run(&store->db, SQL_COMMIT, ""))
        return false;
    store->before = store->tally;
    return true;
}

static void transaction_publish(struct outbox_store *store)
{
    struct outbox *outbox = &store->outbox;
    bool has_news = store->has_news || store->tally.numbers[TALLY_NEXT_SEQ] !=
                                           outbox->published.numbers[TALLY_NEXT_SEQ];

    (void)pthread_mutex_lock(&outbox->mutex);
    outbox->published = store->tally;
    outbox->round += has_news;
    if (has_news)
        (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
    store->has_news = false;
}

static void read_clocks(struct outbox_store *store)
{
    int64_t monotonic_us = clock_monotonic_us();

    store->now_us = clock_now_us();
    store->trusted_us = trusted_time_us(&store->trusted_time, store->now_us, monotonic_us);
    store->may_expire = trusted_time_may_expire(&store->trusted_time, monotonic_us);
}

enum commit transaction_run(struct outbox_store *store,
                            bool (*apply)(struct outbox_store *, void *), void *arg,
                            struct error *err)
{
    read_clocks(store);
    store->turned_away = false;

    if (!db_is_in_place(&store->db, err))
        return COMMIT_FAILED;
    if (db_run(&store->db, SQL_BEGIN, "") && apply(store, arg) && commit(store)) {
        if (!db_is_in_place(&store->db, err))
            return COMMIT_FAILED;
        transaction_publish(store);
        capacity_update(store);
        log_losses(store);
        return COMMIT_DURABLE;
    }
    (void)db_fail(&store->db, "store", err);

    bool full = db_is_full(&store->db);

    if (!roll_back(store) || !full)
        return COMMIT_FAILED;
    (void)capacity_disk_full(store);
    return COMMIT_DISK_FULL;
}

struct batch {
    const struct list *list;
    size_t events;
};

static bool apply_batch(struct outbox_store *store, void *arg)
{
    struct batch *batch = arg;

    batch->events = 0;
    for (struct list_link *link = list_first(batch->list); link;
         link = list_next(batch->list, link)) {
        struct work *work = CONTAINER_OF(link, struct work, link);

        batch->events += work->events;
        if (!work->operations->apply(store, work))
            return false;
    }
    return upkeep_in_batch(store, batch->events);
}

/* On a full disk, duplicates still get their results. */
static void finish_batch(struct outbox_store *store, struct list *list, enum commit end)
{
    for (struct work *work = work_pop(list); work; work = work_pop(list)) {
        const struct work_operations *operations = work->operations;
        const char *failure = end == COMMIT_FAILED ? "store failing" : NULL;

        if (end == COMMIT_DISK_FULL && !(operations->recall && operations->recall(store, work)))
            failure = "store full";
        operations->finish(store, work, failure);
    }
}

bool transaction_commit_batch(struct outbox_store *store, struct list *list, struct error *err)
{
    struct outbox *outbox = &store->outbox;
    struct batch batch = { .list = list };
    int64_t begun_us = clock_monotonic_us();
    bool was_full = store->disk_full;
    enum commit end = transaction_run(store, apply_batch, &batch, err);

    if (end == COMMIT_DISK_FULL && !was_full) /* without the ballast it may fit */
        end = transaction_run(store, apply_batch, &batch, err);
    if (end == COMMIT_DURABLE) {
        (void)pthread_mutex_lock(&outbox->mutex);
        count_in(&outbox->commit_us, outbox_commit_bounds_us, clock_monotonic_us() - begun_us);
        if (batch.events > 0)
            count_in(&outbox->batch_events, outbox_batch_bounds, (int64_t)batch.events);
        (void)pthread_mutex_unlock(&outbox->mutex);
    }
    finish_batch(store, list, end);
    return end != COMMIT_FAILED;
}
