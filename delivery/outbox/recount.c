/*
 * recount.c - see recount.h.
 *
 * Counters change in the same transaction as the rows that they count, so opening a store counts
 * nothing. To detect errors in the counters, all rows are counted after the start and once an hour,
 * a portion at a time, while the store is in use. Changes of rows that are already counted update
 * the sums too (tally_add_*()), so the final sums and the counters describe the same moment. A
 * counter that differs is logged and corrected.
 */
#include "delivery/outbox/recount.h"

#include <string.h>

#include "base/log.h"

void recount_begin(struct outbox_store *store)
{
    store->tally.recount = (struct tally_recount){ .on = true };
    store->before.recount = store->tally.recount; /* a failed transaction does not undo the start */
}

bool recount_is_on(const struct outbox_store *store)
{
    return store->tally.recount.on;
}

/* Set `*last` to the last record of the next portion of `rows` records. */
static bool find_end(struct outbox_store *store, int64_t rows, int64_t *last)
{
    enum db_found found =
        db_numbers(&store->db, SQL_RECORD_NTH, last, "ii", store->tally.recount.position, rows);

    if (found == DB_NONE)
        *last = store->tally.numbers[TALLY_NEXT_SEQ] - 1;
    return found != DB_BROKEN;
}

static bool count_bytes(struct outbox_store *store, int64_t first, int64_t last)
{
    struct tally_recount *recount = &store->tally.recount;
    const int64_t *numbers = store->tally.numbers;
    int64_t bytes[3] = { 0 }; /* of all records; that only dead rows need; that only the history */
    enum db_found found = db_numbers(&store->db, SQL_RECORD_HELD, bytes, "iiii", first, last,
                                     numbers[TALLY_PRUNED], numbers[TALLY_HISTORY_FROM]);

    recount->waiting += bytes[0] - bytes[1] - bytes[2];
    recount->dead_bytes += bytes[1];
    recount->history += bytes[2];
    return found == DB_FOUND;
}

/* Add the rows of SQL_RETRY_COUNT or SQL_DEAD_COUNT (sink, count) to `counts`. */
static bool count_rows(struct outbox_store *store, enum sql statement, int64_t first, int64_t last,
                       int64_t counts[static OUTBOX_SINKS_MAX])
{
    struct db *db = &store->db;
    enum db_found found = db_find(db, statement, "ii", first, last);

    while (found == DB_FOUND) {
        const struct tally_sink *sink = tally_sink_by_id(&store->tally, db_int(db, statement, 0));

        if (sink)
            counts[sink - store->tally.sinks] += db_int(db, statement, 1);
        found = db_next(db, statement);
    }
    db_reset(db, statement);
    return found == DB_NONE;
}

/* Records after a sink's cursor are pending without a retry row. */
static bool count_behind_cursor(struct outbox_store *store, size_t index, int64_t first,
                                int64_t last)
{
    const struct tally_sink *sink = &store->tally.sinks[index];
    int64_t count;

    if (first < sink->cursor)
        first = sink->cursor;
    if (!sink->configured && last > sink->until)
        last = sink->until;
    if (first >= last)
        return true;
    if (db_numbers(&store->db, SQL_RECORD_COUNT_FOR, &count, "iii", first, last,
                   tally_mask(sink)) != DB_FOUND)
        return false;
    store->tally.recount.pending[index] += count;
    store->tally.recount.behind[index] += count;
    return true;
}

static bool count_records(struct outbox_store *store, int64_t first, int64_t last)
{
    struct tally_recount *recount = &store->tally.recount;

    for (size_t i = 0; i < store->tally.sink_count; i++)
        if (!count_behind_cursor(store, i, first, last))
            return false;
    return count_bytes(store, first, last) &&
           count_rows(store, SQL_RETRY_COUNT, first, last, recount->pending) &&
           count_rows(store, SQL_DEAD_COUNT, first, last, recount->dead);
}

/* Set `*counter` to `rows`; log and count a difference. */
static void correct(struct outbox_store *store, const char *name, const char *sink,
                    int64_t *counter, int64_t rows)
{
    if (*counter == rows)
        return;
    LOG_EVENT(LOG_ERROR, "store_counter_corrected", LOG_STR("counter", str_from_c(name)),
              LOG_STR("sink", sink ? str_from_c(sink) : STR_NONE), LOG_INT("was", *counter),
              LOG_INT("rows", rows));
    *counter = rows;
    store->tally.numbers[TALLY_CORRECTIONS]++;
}

/*
 * Restore enqueued = delivered + pending + dead + dropped: count missing records as dropped, excess
 * ones as enqueued.
 */
static void balance(struct outbox_store *store, struct tally_sink *sink)
{
    int64_t missing = sink->enqueued - sink->delivered - sink->pending - sink->dead - sink->dropped;

    if (missing > 0)
        correct(store, "dropped", sink->name, &sink->dropped, sink->dropped + missing);
    else
        correct(store, "enqueued", sink->name, &sink->enqueued, sink->enqueued - missing);
}

static void correct_all(struct outbox_store *store)
{
    struct tally *tally = &store->tally;
    const struct tally_recount *recount = &tally->recount;

    correct(store, "waiting_bytes", NULL, &tally->numbers[TALLY_WAITING], recount->waiting);
    correct(store, "history_bytes", NULL, &tally->numbers[TALLY_HISTORY_BYTES], recount->history);
    correct(store, "dead_bytes", NULL, &tally->numbers[TALLY_DEAD_BYTES], recount->dead_bytes);
    for (size_t i = 0; i < tally->sink_count; i++) {
        struct tally_sink *sink = &tally->sinks[i];

        correct(store, "pending", sink->name, &sink->pending, recount->pending[i]);
        correct(store, "behind", sink->name, &sink->behind, recount->behind[i]);
        correct(store, "dead", sink->name, &sink->dead, recount->dead[i]);
        balance(store, sink);
    }
}

/* Count at most `rows` refused events of the current kind; `*count` is their number. */
static bool count_kind(struct outbox_store *store, int64_t rows, int64_t *count)
{
    struct tally_recount *recount = &store->tally.recount;
    struct tally_kind *kind = &recount->kinds[recount->kind];
    int64_t portion[3] = { 0 }; /* rows, bytes, last row */
    enum db_found found = db_numbers(&store->db, SQL_REFUSED_COUNT, portion, "iii",
                                     (int64_t)recount->kind, recount->refused_position, rows);

    *count = portion[0];
    if (*count > 0) {
        kind->rows += *count;
        kind->bytes += portion[1];
        recount->refused_position = portion[2];
    }
    return found == DB_FOUND;
}

static void correct_refused(struct outbox_store *store)
{
    struct tally *tally = &store->tally;
    struct tally_kind all = { 0 };

    for (size_t i = 0; i < TALLY_KINDS; i++) {
        struct tally_kind *kind = &tally->kinds[i];

        correct(store, "refused_kind_rows", NULL, &kind->rows, tally->recount.kinds[i].rows);
        correct(store, "refused_kind_bytes", NULL, &kind->bytes, tally->recount.kinds[i].bytes);
        all.rows += kind->rows;
        all.bytes += kind->bytes;
    }
    correct(store, "refused_rows", NULL, &tally->numbers[TALLY_REFUSED_ROWS], all.rows);
    correct(store, "refused_bytes", NULL, &tally->numbers[TALLY_REFUSED_BYTES], all.bytes);
}

static bool recount_refused(struct outbox_store *store, int64_t rows)
{
    struct tally_recount *recount = &store->tally.recount;

    while (rows > 0 && recount->kind < TALLY_KINDS) {
        int64_t count;

        if (!count_kind(store, rows, &count))
            return false;
        if (count < rows) {
            recount->kind++;
            recount->refused_position = 0;
        }
        rows -= count;
    }
    if (recount->kind == TALLY_KINDS) {
        correct_refused(store);
        *recount = (struct tally_recount){ .on = true,
                                           .part = RECOUNT_SEEN,
                                           .seen_position.bucket = INT64_MIN };
    }
    return true;
}

/* Find the last of the next `rows` remembered events. `*is_there` is false when fewer are left. */
static bool find_seen(struct outbox_store *store, int64_t rows, struct recent_event *to,
                      bool *is_there)
{
    struct db *db = &store->db;
    const struct recent_event *from = &store->tally.recount.seen_position;
    struct str identity = { (const char *)from->identity, sizeof(from->identity) };
    enum db_found found =
        db_find(db, SQL_SEEN_AFTER, "iibi", from->bucket, from->id_hash, identity, rows - 1);

    *is_there = found == DB_FOUND;
    if (*is_there) {
        *to = (struct recent_event){ .bucket = db_int(db, SQL_SEEN_AFTER, 0),
                                     .id_hash = db_int(db, SQL_SEEN_AFTER, 1) };
        identity = db_text(db, SQL_SEEN_AFTER, 2);
        if (identity.len == sizeof(to->identity))
            memcpy(to->identity, identity.ptr, identity.len);
    }
    db_reset(db, SQL_SEEN_AFTER);
    return found != DB_BROKEN;
}

/* Count all remembered events after the position. */
static bool count_rest_of_seen(struct outbox_store *store)
{
    struct tally_recount *recount = &store->tally.recount;
    const struct recent_event *from = &recount->seen_position;
    struct str identity = { (const char *)from->identity, sizeof(from->identity) };
    int64_t rows;

    if (db_numbers(&store->db, SQL_SEEN_COUNT_AFTER, &rows, "iib", from->bucket, from->id_hash,
                   identity) != DB_FOUND)
        return false;
    recount->seen += rows;
    return true;
}

static bool recount_seen(struct outbox_store *store, int64_t rows)
{
    struct tally_recount *recount = &store->tally.recount;
    struct recent_event to;
    bool is_there;

    if (!find_seen(store, rows, &to, &is_there))
        return false;
    if (is_there) {
        recount->seen += rows;
        recount->seen_position = to;
        return true;
    }
    if (!count_rest_of_seen(store))
        return false;
    correct(store, "seen_rows", NULL, &store->tally.numbers[TALLY_SEEN],
            recount->seen + (int64_t)recent_count(&store->recent));
    *recount = (struct tally_recount){ 0 };
    return true;
}

void recount_before_seen(struct outbox_store *store)
{
    struct tally_recount *recount = &store->tally.recount;

    store->recent.mark = (struct recent_event){ .bucket = INT64_MIN };
    if (recount->part == RECOUNT_SEEN)
        store->recent.mark = recount->seen_position;
}

void recount_after_seen(struct outbox_store *store)
{
    store->tally.recount.seen += store->recent.below_mark;
    store->recent.below_mark = 0;
}

void recount_delete_seen(struct outbox_store *store, int64_t from, const struct recent_event *end,
                         int64_t rows)
{
    struct tally_recount *recount = &store->tally.recount;

    if (recount->part != RECOUNT_SEEN || recount->seen_position.bucket < from)
        return;
    recount->seen -= rows;
    if (recent_compare(&recount->seen_position, end) >= 0)
        return;
    recount->seen = 0; /* it is unknown how many of the deleted rows were counted: begin again */
    recount->seen_position = (struct recent_event){ .bucket = INT64_MIN };
}

int64_t recount_range_end(const struct outbox_store *store, int64_t first, int64_t last)
{
    int64_t position = store->tally.recount.position;

    return first < position && position < last ? position : last;
}

bool recount_some(struct outbox_store *store, int64_t rows)
{
    struct tally_recount *recount = &store->tally.recount;
    int64_t last;

    if (!recount->on)
        return true;
    if (recount->part == RECOUNT_REFUSED)
        return recount_refused(store, rows);
    if (recount->part == RECOUNT_SEEN)
        return recount_seen(store, rows);
    if (!find_end(store, rows, &last) || !count_records(store, recount->position, last))
        return false;
    recount->position = last;
    if (last < store->tally.numbers[TALLY_NEXT_SEQ] - 1)
        return true;
    correct_all(store);
    *recount = (struct tally_recount){ .on = true, .part = RECOUNT_REFUSED };
    return true;
}
