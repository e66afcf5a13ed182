/*
 * upkeep.c - see upkeep.h; docs/decisions/013.
 *
 * Every batch deletes about as many rows as it adds, in its own transaction. The rest is done while
 * no events come, one step at a time, since events that come meanwhile wait for it.
 */
#include "delivery/outbox/upkeep.h"

#include "base/clock.h"
#include "delivery/outbox/capacity.h"
#include "delivery/outbox/checkpoint.h"
#include "delivery/outbox/dedup.h"
#include "delivery/outbox/history.h"
#include "delivery/outbox/quarantine.h"
#include "delivery/outbox/records.h"
#include "delivery/outbox/recount.h"
#include "delivery/outbox/sink_rows.h"
#include "delivery/outbox/transaction.h"

enum {
    LEAST_ROWS = 64,          /* that a batch may delete */
    IDLE_ROWS = 500,          /* that one portion may delete between batches */
    IDLE_US = 5 * US_PER_MS,  /* without events for so long: time for a portion */
    DEAD_ROWS = 500,          /* dead records that a batch may drop */
    RECOUNT_ROWS = 2000,      /* that one portion may count between batches */
    RECOUNT_HOURS = 1,        /* how often to count all rows */
    CLOCK_US = US_PER_MINUTE, /* how often to write down the time */
    TICK_US = 10 * US_PER_S,  /* how often to look for rows that are too old */
    PROBE_US = US_PER_S,      /* how often to try a store that is full */
};

static bool prune(struct outbox_store *store, int64_t rows, bool *done)
{
    static bool (*const parts[])(struct outbox_store *, int64_t, bool *) = {
        sink_rows_pass,   records_prune,      records_sweep,
        dedup_prune,      history_prune,      history_fill,
        quarantine_prune, records_prune_dead, sink_rows_move_removed,
    };

    *done = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        bool part_done = true;

        if (!parts[i](store, rows, &part_done))
            return false;
        *done = *done && part_done;
    }
    return true;
}

/* What each batch prunes: records that its deliveries were the last to need. */
static bool prune_records(struct outbox_store *store, int64_t rows, bool *done)
{
    bool pruned = false;

    if (!sink_rows_pass(store, rows, done) || !records_prune(store, rows, &pruned))
        return false;
    *done = *done && pruned;
    return true;
}

/* Is it time to prune, or are there too many rows already? Begins a recount when that is due. */
static bool is_due(struct outbox_store *store)
{
    struct upkeep *upkeep = &store->upkeep;
    int64_t now_us = clock_monotonic_us();

    if (now_us >= upkeep->tick_us) {
        upkeep->tick_us = now_us + TICK_US;
        upkeep->pending = true;
        store->checkpoints.wanted = true;
    }
    if (now_us >= upkeep->recount_us && !recount_is_on(store)) {
        upkeep->recount_us = now_us + RECOUNT_HOURS * US_PER_HOUR;
        recount_begin(store);
    }
    return upkeep->pending || records_dead_is_full(store) || history_is_too_large(store) ||
           store->tally.numbers[TALLY_SEEN] > store->outbox.options.dedup_max_rows;
}

/* With a write that is needed anyway. */
static bool write_clock(struct outbox_store *store)
{
    int64_t now_us = clock_monotonic_us();

    if (now_us < store->upkeep.clock_us)
        return true;
    store->upkeep.clock_us = now_us + CLOCK_US;
    return db_run(&store->db, SQL_STATE_WRITE, "si", STR(STORE_CLOCK_STATE), store->trusted_us);
}

bool upkeep_in_batch(struct outbox_store *store, size_t events)
{
    int64_t rows = 2 * (int64_t)events > LEAST_ROWS ? 2 * (int64_t)events : LEAST_ROWS;
    bool done = false;
    bool dead_done = false;

    if (events > 0 && !write_clock(store))
        return false;
    if (!dedup_move(store, (size_t)rows))
        return false;

    bool ok = is_due(store) ? prune(store, rows, &done) : prune_records(store, rows, &done);

    store->upkeep.pending = !done;
    return ok && records_prune_dead(store, DEAD_ROWS, &dead_done) && recount_some(store, rows);
}

static bool prune_portion(struct outbox_store *store, void *arg)
{
    return prune(store, IDLE_ROWS, arg);
}

static bool recount_portion(struct outbox_store *store, void *arg)
{
    (void)arg;
    return recount_some(store, RECOUNT_ROWS);
}

static bool store_is_full(const struct outbox_store *store)
{
    return atomic_load(&store->outbox.state) == OUTBOX_FULL;
}

static bool try_full_store(struct outbox_store *store, struct error *err)
{
    int64_t now_us = clock_monotonic_us();

    if (!store_is_full(store) || now_us < store->upkeep.probe_us)
        return true;
    store->upkeep.probe_us = now_us + PROBE_US;
    return capacity_retry(store, err);
}

bool upkeep_idle(struct outbox_store *store, struct error *err)
{
    struct upkeep *upkeep = &store->upkeep;
    enum commit end = COMMIT_DURABLE;
    bool due = is_due(store);
    bool done = true;

    if (checkpoint_is_due(store))
        return checkpoint_idle(store, err);
    if (due) {
        end = transaction_run(store, prune_portion, &done, err);
        upkeep->pending = end != COMMIT_DURABLE || !done;
    } else if (recount_is_on(store)) {
        end = transaction_run(store, recount_portion, NULL, err);
    }
    return end != COMMIT_FAILED && try_full_store(store, err);
}

bool upkeep_after_batch(struct outbox_store *store, struct error *err)
{
    return try_full_store(store, err) && checkpoint_after_batch(store, err);
}

int64_t upkeep_next_us(const struct outbox_store *store)
{
    const struct upkeep *upkeep = &store->upkeep;
    int64_t soon_us = clock_monotonic_us() + IDLE_US;
    int64_t log_us = checkpoint_next_us(store);
    int64_t next_us = upkeep->tick_us;

    if (upkeep->recount_us < next_us)
        next_us = upkeep->recount_us;
    if (upkeep->pending || recount_is_on(store))
        next_us = soon_us;
    if (store_is_full(store) && upkeep->probe_us < next_us)
        next_us = upkeep->probe_us;
    if (log_us < next_us)
        next_us = log_us;
    return next_us > soon_us ? next_us : soon_us;
}
