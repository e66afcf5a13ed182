/*
 * records.c - see records.h.
 *
 * Sinks' cursors need the records behind them; retry and dead rows need the record that they refer
 * to. Records that all cursors have passed are deleted as a range from the low end (up to
 * TALLY_PRUNED), except those that a retry or dead row needs: such a record is deleted with the
 * last of these rows. A record that only dead rows need counts as dead, any other as waiting. With
 * a history, records that all cursors have passed stay for a while (history.h).
 */
#include "delivery/outbox/records.h"

#include "base/clock.h"
#include "delivery/outbox/history.h"
#include "delivery/outbox/recount.h"

enum {
    SWEEP_LEAST = 1024,     /* records that are not for a sink may be kept by its cursor, */
    SWEEP_PART = 8,         /* and one for so many that are, */
    SWEEP_SIZE_PART = 4,    /* in any case while less than this part of max_size waits */
    SWEEP_HISTORY_PART = 2, /* the same with a history, of which these are lost */
    SWEEP_PAUSE_US = 5 * US_PER_MINUTE, /* before records are looked at again */
};

/* What needs a record, and its size. */
struct hold {
    enum { HELD_BY_NONE, HELD_BY_CURSOR, HELD_BY_RETRY, HELD_BY_DEAD, HELD_BY_HISTORY } by;
    int64_t size; /* 0: no such record, or its size does not matter */
};

static bool records_look(struct outbox_store *store, int64_t seq, struct hold *hold)
{
    int64_t row[3] = { 0 }; /* size, has retry rows, has dead rows */

    *hold = (struct hold){ HELD_BY_CURSOR, 0 };
    if (seq > store->tally.numbers[TALLY_PRUNED])
        return true; /* records_prune() decides later */

    enum db_found found = db_numbers(&store->db, SQL_RECORD_LOOK, row, "i", seq);

    hold->size = row[0];
    hold->by = row[1]                                           ? HELD_BY_RETRY
               : row[2]                                         ? HELD_BY_DEAD
               : seq > store->tally.numbers[TALLY_HISTORY_FROM] ? HELD_BY_HISTORY
                                                                : HELD_BY_NONE;
    return found != DB_BROKEN;
}

static void count_held(struct outbox_store *store, int64_t seq, const struct hold *hold,
                       int64_t sign)
{
    if (hold->by == HELD_BY_RETRY)
        tally_add_waiting(&store->tally, seq, sign * hold->size);
    else if (hold->by == HELD_BY_DEAD)
        tally_add_dead_bytes(&store->tally, seq, sign * hold->size);
    else if (hold->by == HELD_BY_HISTORY)
        tally_add_history(&store->tally, seq, sign * hold->size);
}

/* Its rows have changed since `before`: count it again, and delete it if nothing needs it. */
static bool update(struct outbox_store *store, int64_t seq, const struct hold *before)
{
    struct hold after;

    if (!records_look(store, seq, &after))
        return false;
    if (after.by == before->by)
        return true;
    count_held(store, seq, before, -1);
    count_held(store, seq, &after, 1);
    return after.by != HELD_BY_NONE || db_run(&store->db, SQL_RECORD_DELETE, "i", seq);
}

/* Delete a sink's retry row. The next one with its order key is due then. */
static bool delete_retry_row(struct outbox_store *store, const struct tally_sink *sink, int64_t seq)
{
    struct db *db = &store->db;

    return db_run(db, SQL_RETRY_RELEASE, "iii", sink->id, seq, store->now_us) &&
           db_run(db, SQL_RETRY_DELETE, "ii", sink->id, seq);
}

bool records_delete_retry(struct outbox_store *store, struct tally_sink *sink, int64_t seq,
                          bool *gone)
{
    struct hold before;

    if (!records_look(store, seq, &before) || !delete_retry_row(store, sink, seq))
        return false;
    *gone = db_changes(&store->db) > 0;
    if (!*gone)
        return true;
    tally_add_pending(&store->tally, sink, seq, -1);
    return update(store, seq, &before);
}

static bool add_dead(struct outbox_store *store, struct tally_sink *sink,
                     const struct records_death *death)
{
    tally_add_dead(&store->tally, sink, death->seq, 1);
    return db_run(&store->db, SQL_DEAD_ADD, "iiisib", sink->id, store->now_us, death->attempts,
                  death->reason, death->seq, death->said);
}

bool records_bury_retry(struct outbox_store *store, struct tally_sink *sink,
                        const struct records_death *death)
{
    struct db *db = &store->db;
    struct hold before;

    if (!records_look(store, death->seq, &before) || !delete_retry_row(store, sink, death->seq))
        return false;
    if (db_changes(db) == 0)
        return true; /* it is settled already */
    tally_add_pending(&store->tally, sink, death->seq, -1);
    return add_dead(store, sink, death) && update(store, death->seq, &before);
}

void records_skip(struct tally_sink *sink, int64_t seq)
{
    sink->cursor = seq;
    sink->head_attempts = 0;
    sink->head_next_us = 0;
}

void records_pass(struct tally *tally, struct tally_sink *sink, int64_t seq)
{
    tally_add_behind(tally, sink, seq, -1);
    records_skip(sink, seq);
}

bool records_bury_head(struct outbox_store *store, struct tally_sink *sink,
                       const struct records_death *death)
{
    records_pass(&store->tally, sink, death->seq);
    tally_add_pending(&store->tally, sink, death->seq, -1);
    return add_dead(store, sink, death);
}

bool records_delete_dead(struct outbox_store *store, struct tally_sink *sink, int64_t id,
                         int64_t seq)
{
    struct hold before;

    if (!records_look(store, seq, &before) || !db_run(&store->db, SQL_DEAD_DELETE, "i", id))
        return false;
    if (sink)
        tally_add_dead(&store->tally, sink, seq, -1);
    return update(store, seq, &before);
}

bool records_revive(struct outbox_store *store, struct tally_sink *sink, int64_t id, int64_t seq)
{
    struct hold before;

    if (!records_look(store, seq, &before) ||
        !db_run(&store->db, SQL_RETRY_ADD, "iiiis", seq, sink->id, INT64_C(0), INT64_C(0),
                STR_NONE) ||
        !db_run(&store->db, SQL_DEAD_DELETE, "i", id))
        return false;
    tally_add_dead(&store->tally, sink, seq, -1);
    tally_add_pending(&store->tally, sink, seq, 1);
    sink->unkeyed++;
    return update(store, seq, &before);
}

/* Retry and dead rows need what is left in the range: count records of dead rows as dead. */
static bool count_left(struct outbox_store *store, int64_t first, int64_t last, int64_t *left)
{
    int64_t bytes[3] = { 0 }; /* of all, of those that only dead rows need */

    if (db_numbers(&store->db, SQL_RECORD_HELD, bytes, "iiii", first, last, last, last) != DB_FOUND)
        return false;
    *left = bytes[0];
    tally_add_waiting(&store->tally, last, -bytes[1]);
    tally_add_dead_bytes(&store->tally, last, bytes[1]);
    return true;
}

/* Delete the records in (first, last] that nothing needs. */
static bool delete_range(struct outbox_store *store, int64_t first, int64_t last)
{
    struct db *db = &store->db;
    int64_t range[2] = { 0 }; /* records, bytes */
    int64_t left = 0;

    if (db_numbers(db, SQL_RECORD_RANGE, range, "ii", first, last) != DB_FOUND ||
        !db_run(db, SQL_RECORD_DELETE_RANGE, "ii", first, last))
        return false;
    if (db_changes(db) < range[0] && !count_left(store, first, last, &left))
        return false;
    tally_add_waiting(&store->tally, last, left - range[1]);
    return true;
}

/* All records in (first, last] that no sink waits for are history from now on. */
static bool keep_range(struct outbox_store *store, int64_t first, int64_t last)
{
    int64_t bytes[3] = { 0 }; /* of all; that only dead rows need; that nothing needs */

    if (db_numbers(&store->db, SQL_RECORD_HELD, bytes, "iiii", first, last, last, first) !=
        DB_FOUND)
        return false;
    tally_add_waiting(&store->tally, last, -bytes[1] - bytes[2]);
    tally_add_dead_bytes(&store->tally, last, bytes[1]);
    tally_add_history(&store->tally, last, bytes[2]);
    return true;
}

/* All cursors have passed (first, last]. */
static bool pass_range(struct outbox_store *store, int64_t first, int64_t last)
{
    int64_t *numbers = store->tally.numbers;

    if (!history_is_on(store) && numbers[TALLY_HISTORY_FROM] == first)
        numbers[TALLY_HISTORY_FROM] = last;
    return numbers[TALLY_HISTORY_FROM] == last ? delete_range(store, first, last)
                                               : keep_range(store, first, last);
}

bool records_prune(struct outbox_store *store, int64_t rows, bool *done)
{
    int64_t *pruned = &store->tally.numbers[TALLY_PRUNED];
    int64_t floor = tally_floor(&store->tally);
    int64_t last = floor - *pruned > rows ? *pruned + rows : floor;

    if (*pruned < floor && store->tally.numbers[TALLY_WAITING] == 0) { /* there are no records */
        if (store->tally.numbers[TALLY_HISTORY_FROM] == *pruned)
            store->tally.numbers[TALLY_HISTORY_FROM] = floor;
        *pruned = floor;
    }
    *done = *pruned >= floor;
    if (*done)
        return true;
    last = recount_range_end(store, *pruned, last);
    if (!pass_range(store, *pruned, last))
        return false;
    *pruned = last;
    *done = last == floor;
    return true;
}

/* Does the sink with the lowest cursor keep many records that are for other sinks? */
static bool keeps_others(const struct outbox_store *store)
{
    const struct tally *tally = &store->tally;
    int64_t floor = tally_floor(tally);
    uint64_t part = history_is_on(store) ? SWEEP_HISTORY_PART : SWEEP_SIZE_PART;
    int64_t least = (int64_t)(store->outbox.options.max_size / part);

    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];
        int64_t others = tally->numbers[TALLY_NEXT_SEQ] - 1 - sink->cursor - sink->behind;

        if (sink->configured && sink->cursor == floor &&
            others > SWEEP_LEAST + sink->behind / SWEEP_PART)
            return tally_waiting(tally) > least;
    }
    return false;
}

/*
 * The bits of the sinks that may wait for records from `first` on. `*last` becomes the next cursor,
 * behind which there is one more; false: no cursor is ahead of `first`.
 */
static bool find_waiting(const struct tally *tally, int64_t first, int64_t *last, int64_t *mask)
{
    bool is_passed = false;

    *mask = 0;
    for (size_t i = 0; i < tally->sink_count; i++) {
        const struct tally_sink *sink = &tally->sinks[i];

        if (!sink->configured && sink->cursor >= sink->until)
            continue;
        if (sink->cursor <= first) {
            *mask |= tally_mask(sink);
            continue;
        }
        *last = lesser(*last, sink->cursor);
        is_passed = true;
    }
    return is_passed;
}

static bool delete_unwanted(struct outbox_store *store, int64_t first, int64_t last, int64_t mask)
{
    int64_t range[2] = { 0 }; /* records, bytes */

    if (db_numbers(&store->db, SQL_RECORD_UNWANTED, range, "iii", first, last, mask) != DB_FOUND)
        return false;
    if (range[0] == 0)
        return true;
    tally_add_waiting(&store->tally, last, -range[1]);
    return db_run(&store->db, SQL_RECORD_DELETE_UNWANTED, "iii", first, last, mask);
}

/* A record that stays may be unwanted later, when another sink that lagged has passed it. */
bool records_sweep(struct outbox_store *store, int64_t rows, bool *done)
{
    struct sweep *sweep = &store->sweep;
    int64_t floor = tally_floor(&store->tally);
    int64_t mask;

    *done = !keeps_others(store);
    if (*done)
        return true;
    if (clock_monotonic_us() >= sweep->again_us) {
        sweep->again_us = clock_monotonic_us() + SWEEP_PAUSE_US;
        sweep->position = floor;
    }

    int64_t first = greater(sweep->position, floor);
    int64_t last = first + rows;

    *done = !find_waiting(&store->tally, first, &last, &mask);
    if (*done)
        return true;
    last = recount_range_end(store, first, last);
    sweep->position = last;
    return delete_unwanted(store, first, last, mask);
}

static bool drop_oldest_dead(struct outbox_store *store)
{
    struct tally *tally = &store->tally;
    int64_t row[3] = { 0 }; /* id, sequence, sink */
    enum db_found found = db_numbers(&store->db, SQL_DEAD_OLDEST, row, "");
    struct tally_sink *sink = tally_sink_by_id(tally, row[2]);

    if (found != DB_FOUND)
        return found == DB_NONE;
    tally->numbers[TALLY_DEAD_EVICTED]++;
    if (sink)
        sink->dropped++;
    return records_delete_dead(store, sink, row[0], row[1]);
}

/* With their rows. */
static int64_t dead_bytes(const struct tally *tally)
{
    int64_t rows = 0;

    for (size_t i = 0; i < tally->sink_count; i++)
        rows += tally->sinks[i].dead;
    return tally->numbers[TALLY_DEAD_BYTES] + rows * OUTBOX_RETRY_BYTES;
}

bool records_dead_is_full(const struct outbox_store *store)
{
    return dead_bytes(&store->tally) > (int64_t)store->outbox.options.dead_max_size;
}

bool records_prune_dead(struct outbox_store *store, int64_t rows, bool *done)
{
    for (int64_t i = 0; i < rows && records_dead_is_full(store); i++)
        if (!drop_oldest_dead(store))
            return false;
    *done = !records_dead_is_full(store);
    return true;
}
