/*
 * records.c - one copy of each record, and who still needs it.
 *
 * A record is stored once, whoever waits for it. Sinks' cursors need what lies behind them; retry
 * and dead rows need the record that they name. What all cursors have passed is deleted as a range
 * from the low end (up to TALLY_PRUNED), except for records that a retry or dead row needs: such a
 * record goes with the last of these rows. A record that only dead rows need counts as dead, any
 * other as waiting.
 */
#include "delivery/outbox/outbox_internal.h"

/* What needs a record, and its size. */
struct hold {
    enum { HELD_BY_NONE, HELD_BY_CURSOR, HELD_BY_RETRY, HELD_BY_DEAD } by;
    int64_t size; /* 0: no such record, or its size does not matter */
};

static bool look(struct outbox *outbox, int64_t seq, struct hold *hold)
{
    struct outbox_db *db = &outbox->db;

    *hold = (struct hold){ HELD_BY_CURSOR, 0 };
    if (seq > outbox->tally.numbers[TALLY_PRUNED])
        return true; /* pruning decides later */

    enum outbox_found found = outbox_db_find(db, SQL_RECORD_LOOK, "i", seq);

    hold->by = HELD_BY_NONE;
    if (found == OUTBOX_FOUND) {
        hold->size = outbox_db_int(db, SQL_RECORD_LOOK, 0);
        if (outbox_db_int(db, SQL_RECORD_LOOK, 1))
            hold->by = HELD_BY_RETRY;
        else if (outbox_db_int(db, SQL_RECORD_LOOK, 2))
            hold->by = HELD_BY_DEAD;
    }
    outbox_db_reset(db, SQL_RECORD_LOOK);
    return found != OUTBOX_BROKEN;
}

static void count_held(struct outbox *outbox, int64_t seq, const struct hold *hold, int64_t sign)
{
    if (hold->by == HELD_BY_RETRY)
        tally_add_waiting(&outbox->tally, seq, sign * hold->size);
    else if (hold->by == HELD_BY_DEAD)
        tally_add_dead_bytes(&outbox->tally, seq, sign * hold->size);
}

/* Its rows have changed since `before`: count it anew, and delete it when nothing needs it. */
static bool update(struct outbox *outbox, int64_t seq, const struct hold *before)
{
    struct hold after;

    if (!look(outbox, seq, &after))
        return false;
    if (after.by == before->by)
        return true;
    count_held(outbox, seq, before, -1);
    count_held(outbox, seq, &after, 1);
    return after.by != HELD_BY_NONE || outbox_db_run(&outbox->db, SQL_RECORD_DELETE, "i", seq);
}

bool outbox_retry_delete(struct outbox *outbox, struct tally_sink *sink, int64_t seq, bool *gone)
{
    struct hold before;

    if (!look(outbox, seq, &before) ||
        !outbox_db_run(&outbox->db, SQL_RETRY_DELETE, "ii", sink->id, seq))
        return false;
    *gone = outbox_db_changes(&outbox->db) > 0;
    if (!*gone)
        return true;
    tally_add_pending(&outbox->tally, sink, seq, -1);
    return update(outbox, seq, &before);
}

bool outbox_retry_to_dead(struct outbox *outbox, struct tally_sink *sink,
                          const struct outbox_death *death)
{
    struct outbox_db *db = &outbox->db;
    struct hold before;

    if (!look(outbox, death->seq, &before) ||
        !outbox_db_run(db, SQL_RETRY_DELETE, "ii", sink->id, death->seq))
        return false;
    if (outbox_db_changes(db) == 0)
        return true; /* it was settled by a report that seemed to fail */
    tally_add_pending(&outbox->tally, sink, death->seq, -1);
    return outbox_dead_add(outbox, sink, death) && update(outbox, death->seq, &before);
}

bool outbox_dead_add(struct outbox *outbox, struct tally_sink *sink,
                     const struct outbox_death *death)
{
    tally_add_dead(&outbox->tally, sink, death->seq, 1);
    return outbox_db_run(&outbox->db, SQL_DEAD_ADD, "iiisi", sink->id, outbox->now_us,
                         death->attempts, death->reason, death->seq);
}

bool outbox_dead_delete(struct outbox *outbox, struct tally_sink *sink, int64_t id, int64_t seq)
{
    struct hold before;

    if (!look(outbox, seq, &before) || !outbox_db_run(&outbox->db, SQL_DEAD_DELETE, "i", id))
        return false;
    if (sink)
        tally_add_dead(&outbox->tally, sink, seq, -1);
    return update(outbox, seq, &before);
}

bool outbox_dead_to_retry(struct outbox *outbox, struct tally_sink *sink, int64_t id, int64_t seq)
{
    struct hold before;

    if (!look(outbox, seq, &before) ||
        !outbox_db_run(&outbox->db, SQL_RETRY_ADD, "iiiis", seq, sink->id, INT64_C(0), INT64_C(0),
                       STR_NONE) ||
        !outbox_db_run(&outbox->db, SQL_DEAD_DELETE, "i", id))
        return false;
    tally_add_dead(&outbox->tally, sink, seq, -1);
    tally_add_pending(&outbox->tally, sink, seq, 1);
    return update(outbox, seq, &before);
}

/* What is left in the range is needed by retry and dead rows: count the latter's as dead. */
static bool count_left(struct outbox *outbox, int64_t first, int64_t last, int64_t *left)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found = outbox_db_find(db, SQL_RECORD_HELD, "iii", first, last, last);

    if (found == OUTBOX_FOUND) {
        int64_t dead = outbox_db_int(db, SQL_RECORD_HELD, 1);

        *left = outbox_db_int(db, SQL_RECORD_HELD, 0);
        tally_add_waiting(&outbox->tally, last, -dead);
        tally_add_dead_bytes(&outbox->tally, last, dead);
    }
    outbox_db_reset(db, SQL_RECORD_HELD);
    return found == OUTBOX_FOUND;
}

/* Delete the records behind `first` and up to `last` that nothing needs. */
static bool delete_range(struct outbox *outbox, int64_t first, int64_t last)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found = outbox_db_find(db, SQL_RECORD_RANGE, "ii", first, last);
    int64_t count = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_RECORD_RANGE, 0) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_RECORD_RANGE, 1) : 0;
    int64_t left = 0;

    outbox_db_reset(db, SQL_RECORD_RANGE);
    if (found != OUTBOX_FOUND || !outbox_db_run(db, SQL_RECORD_DELETE_RANGE, "ii", first, last))
        return false;
    if (outbox_db_changes(db) < count && !count_left(outbox, first, last, &left))
        return false;
    tally_add_waiting(&outbox->tally, last, left - size);
    return true;
}

/* The end of the next range, so that a recount has counted all of it or nothing. */
int64_t outbox_range_end(const struct outbox *outbox, int64_t first, int64_t last)
{
    int64_t position = outbox->tally.recount.position;

    return first < position && position < last ? position : last;
}

bool outbox_records_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    int64_t *pruned = &outbox->tally.numbers[TALLY_PRUNED];
    int64_t floor = tally_floor(&outbox->tally);
    int64_t last = floor - *pruned > rows ? *pruned + rows : floor;

    if (*pruned < floor && outbox->tally.numbers[TALLY_WAITING] == 0)
        *pruned = floor; /* there are none */
    *done = *pruned >= floor;
    if (*done)
        return true;
    last = outbox_range_end(outbox, *pruned, last);
    if (!delete_range(outbox, *pruned, last))
        return false;
    *pruned = last;
    *done = last == floor;
    return true;
}

/* The oldest dead record is dropped. */
static bool drop_oldest_dead(struct outbox *outbox)
{
    struct outbox_db *db = &outbox->db;
    struct tally *tally = &outbox->tally;
    enum outbox_found found = outbox_db_find(db, SQL_DEAD_OLDEST, "");
    int64_t id = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_OLDEST, 0) : 0;
    int64_t seq = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_OLDEST, 1) : 0;
    struct tally_sink *sink = found == OUTBOX_FOUND
                                  ? tally_sink_by_id(tally, outbox_db_int(db, SQL_DEAD_OLDEST, 2))
                                  : NULL;

    outbox_db_reset(db, SQL_DEAD_OLDEST);
    if (found != OUTBOX_FOUND)
        return found == OUTBOX_NONE;
    tally->numbers[TALLY_DEAD_EVICTED]++;
    if (sink)
        sink->dropped++;
    return outbox_dead_delete(outbox, sink, id, seq);
}

/* With their rows. */
static int64_t dead_bytes(const struct tally *tally)
{
    int64_t rows = 0;

    for (size_t i = 0; i < tally->sink_count; i++)
        rows += tally->sinks[i].dead;
    return tally->numbers[TALLY_DEAD_BYTES] + rows * OUTBOX_WAY_BYTES;
}

bool outbox_dead_is_too_much(const struct outbox *outbox)
{
    return dead_bytes(&outbox->tally) > (int64_t)outbox->options.dead_max_size;
}

bool outbox_dead_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    for (int64_t i = 0; i < rows && outbox_dead_is_too_much(outbox); i++)
        if (!drop_oldest_dead(outbox))
            return false;
    *done = !outbox_dead_is_too_much(outbox);
    return true;
}
