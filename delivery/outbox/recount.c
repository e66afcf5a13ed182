/*
 * recount.c - do the counters say what the rows say?
 *
 * Counters are changed together with the rows that they count, so nothing has to be counted when
 * the store is opened. A fault in that would never show by itself: so all rows are counted after
 * the start and once an hour, a portion at a time, while the store is in use. The portions counted
 * so far are kept up to date (tally_add_*()), so that the sums are those of one moment at the end.
 * A counter that differs is logged and corrected.
 */
#include <string.h>

#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"

void outbox_recount_begin(struct outbox *outbox)
{
    outbox->tally.recount = (struct tally_recount){ .on = true };
    outbox->before.recount = outbox->tally.recount; /* also when the transaction fails */
}

bool outbox_recount_is_on(const struct outbox *outbox)
{
    return outbox->tally.recount.on;
}

/* The last record of the next portion. */
static bool find_end(struct outbox *outbox, int64_t rows, int64_t *last)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found =
        outbox_db_find(db, SQL_RECORD_NTH, "ii", outbox->tally.recount.position, rows);

    *last = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_RECORD_NTH, 0)
                                  : outbox->tally.numbers[TALLY_NEXT_SEQ] - 1;
    outbox_db_reset(db, SQL_RECORD_NTH);
    return found != OUTBOX_BROKEN;
}

static bool count_bytes(struct outbox *outbox, int64_t first, int64_t last)
{
    struct outbox_db *db = &outbox->db;
    struct tally_recount *recount = &outbox->tally.recount;
    enum outbox_found found = outbox_db_find(db, SQL_RECORD_HELD, "iii", first, last,
                                             outbox->tally.numbers[TALLY_PRUNED]);

    if (found == OUTBOX_FOUND) {
        int64_t dead = outbox_db_int(db, SQL_RECORD_HELD, 1);

        recount->waiting += outbox_db_int(db, SQL_RECORD_HELD, 0) - dead;
        recount->dead_bytes += dead;
    }
    outbox_db_reset(db, SQL_RECORD_HELD);
    return found == OUTBOX_FOUND;
}

/* Rows of SQL_RETRY_COUNT or SQL_DEAD_COUNT: a sink and how many it has. */
static bool count_rows(struct outbox *outbox, enum outbox_statement statement, int64_t first,
                       int64_t last, int64_t counts[static OUTBOX_SINKS_MAX])
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found = outbox_db_find(db, statement, "ii", first, last);

    while (found == OUTBOX_FOUND) {
        const struct tally_sink *sink =
            tally_sink_by_id(&outbox->tally, outbox_db_int(db, statement, 0));

        if (sink)
            counts[sink - outbox->tally.sinks] += outbox_db_int(db, statement, 1);
        found = outbox_db_next(db, statement);
    }
    outbox_db_reset(db, statement);
    return found == OUTBOX_NONE;
}

/* What a sink's cursor has not passed. */
static bool count_behind_cursor(struct outbox *outbox, size_t index, int64_t first, int64_t last)
{
    struct outbox_db *db = &outbox->db;
    const struct tally_sink *sink = &outbox->tally.sinks[index];

    if (first < sink->cursor)
        first = sink->cursor;
    if (!sink->configured && last > sink->until)
        last = sink->until;
    if (first >= last)
        return true;

    enum outbox_found found = outbox_db_find(db, SQL_RECORD_RANGE, "ii", first, last);

    if (found == OUTBOX_FOUND)
        outbox->tally.recount.pending[index] += outbox_db_int(db, SQL_RECORD_RANGE, 0);
    outbox_db_reset(db, SQL_RECORD_RANGE);
    return found == OUTBOX_FOUND;
}

static bool count_records(struct outbox *outbox, int64_t first, int64_t last)
{
    struct tally_recount *recount = &outbox->tally.recount;

    for (size_t i = 0; i < outbox->tally.sink_count; i++)
        if (!count_behind_cursor(outbox, i, first, last))
            return false;
    return count_bytes(outbox, first, last) &&
           count_rows(outbox, SQL_RETRY_COUNT, first, last, recount->pending) &&
           count_rows(outbox, SQL_DEAD_COUNT, first, last, recount->dead);
}

/* `*counter` must be `rows`. */
static void correct(struct outbox *outbox, const char *name, const char *sink, int64_t *counter,
                    int64_t rows)
{
    if (*counter == rows)
        return;
    LOG_EVENT(LOG_ERROR, "store_counter_corrected", LOG_STR("counter", str_from_c(name)),
              LOG_STR("sink", sink ? str_from_c(sink) : STR_NONE), LOG_INT("was", *counter),
              LOG_INT("rows", rows));
    *counter = rows;
    outbox->tally.numbers[TALLY_CORRECTIONS]++;
}

/* Records that are not there count as dropped, those too many as enqueued. */
static void balance(struct outbox *outbox, struct tally_sink *sink)
{
    int64_t missing = sink->enqueued - sink->delivered - sink->pending - sink->dead - sink->dropped;

    if (missing > 0)
        correct(outbox, "dropped", sink->name, &sink->dropped, sink->dropped + missing);
    else
        correct(outbox, "enqueued", sink->name, &sink->enqueued, sink->enqueued - missing);
}

static void correct_all(struct outbox *outbox)
{
    struct tally *tally = &outbox->tally;
    const struct tally_recount *recount = &tally->recount;

    correct(outbox, "waiting_bytes", NULL, &tally->numbers[TALLY_WAITING], recount->waiting);
    correct(outbox, "dead_bytes", NULL, &tally->numbers[TALLY_DEAD_BYTES], recount->dead_bytes);
    for (size_t i = 0; i < tally->sink_count; i++) {
        struct tally_sink *sink = &tally->sinks[i];

        correct(outbox, "pending", sink->name, &sink->pending, recount->pending[i]);
        correct(outbox, "dead", sink->name, &sink->dead, recount->dead[i]);
        balance(outbox, sink);
    }
}

/* At most `rows` refused events of the kind that is being counted; how many there were. */
static bool count_kind(struct outbox *outbox, int64_t rows, int64_t *count)
{
    struct outbox_db *db = &outbox->db;
    struct tally_recount *recount = &outbox->tally.recount;
    struct tally_kind *kind = &recount->kinds[recount->kind];
    enum outbox_found found = outbox_db_find(db, SQL_REFUSED_COUNT, "iii", (int64_t)recount->kind,
                                             recount->refused_position, rows);

    *count = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_REFUSED_COUNT, 0) : 0;
    if (*count > 0) {
        kind->rows += *count;
        kind->bytes += outbox_db_int(db, SQL_REFUSED_COUNT, 1);
        recount->refused_position = outbox_db_int(db, SQL_REFUSED_COUNT, 2);
    }
    outbox_db_reset(db, SQL_REFUSED_COUNT);
    return found == OUTBOX_FOUND;
}

static void correct_refused(struct outbox *outbox)
{
    struct tally *tally = &outbox->tally;
    struct tally_kind all = { 0 };

    for (size_t i = 0; i < TALLY_KINDS; i++) {
        struct tally_kind *kind = &tally->kinds[i];

        correct(outbox, "refused_kind_rows", NULL, &kind->rows, tally->recount.kinds[i].rows);
        correct(outbox, "refused_kind_bytes", NULL, &kind->bytes, tally->recount.kinds[i].bytes);
        all.rows += kind->rows;
        all.bytes += kind->bytes;
    }
    correct(outbox, "refused_rows", NULL, &tally->numbers[TALLY_REFUSED_ROWS], all.rows);
    correct(outbox, "refused_bytes", NULL, &tally->numbers[TALLY_REFUSED_BYTES], all.bytes);
}

static bool recount_refused(struct outbox *outbox, int64_t rows)
{
    struct tally_recount *recount = &outbox->tally.recount;

    while (rows > 0 && recount->kind < TALLY_KINDS) {
        int64_t count;

        if (!count_kind(outbox, rows, &count))
            return false;
        if (count < rows) {
            recount->kind++;
            recount->refused_position = 0;
        }
        rows -= count;
    }
    if (recount->kind == TALLY_KINDS) {
        correct_refused(outbox);
        *recount = (struct tally_recount){ .on = true,
                                           .part = RECOUNT_SEEN,
                                           .seen_position.bucket = INT64_MIN };
    }
    return true;
}

/* The row to which the next `rows` remembered events reach; `*found` says whether it is there. */
static bool find_seen(struct outbox *outbox, int64_t rows, struct recent_event *to, bool *is_there)
{
    struct outbox_db *db = &outbox->db;
    const struct recent_event *from = &outbox->tally.recount.seen_position;
    struct str identity = { (const char *)from->identity, sizeof(from->identity) };
    enum outbox_found found =
        outbox_db_find(db, SQL_SEEN_AFTER, "iibi", from->bucket, from->id_hash, identity, rows - 1);

    *is_there = found == OUTBOX_FOUND;
    if (*is_there) {
        *to = (struct recent_event){ .bucket = outbox_db_int(db, SQL_SEEN_AFTER, 0),
                                     .id_hash = outbox_db_int(db, SQL_SEEN_AFTER, 1) };
        identity = outbox_db_text(db, SQL_SEEN_AFTER, 2);
        if (identity.len == sizeof(to->identity))
            memcpy(to->identity, identity.ptr, identity.len);
    }
    outbox_db_reset(db, SQL_SEEN_AFTER);
    return found != OUTBOX_BROKEN;
}

/* All that come after the position. */
static bool count_rest_of_seen(struct outbox *outbox)
{
    struct outbox_db *db = &outbox->db;
    struct tally_recount *recount = &outbox->tally.recount;
    const struct recent_event *from = &recount->seen_position;
    struct str identity = { (const char *)from->identity, sizeof(from->identity) };
    enum outbox_found found =
        outbox_db_find(db, SQL_SEEN_COUNT_AFTER, "iib", from->bucket, from->id_hash, identity);

    if (found == OUTBOX_FOUND)
        recount->seen += outbox_db_int(db, SQL_SEEN_COUNT_AFTER, 0);
    outbox_db_reset(db, SQL_SEEN_COUNT_AFTER);
    return found == OUTBOX_FOUND;
}

static bool recount_seen(struct outbox *outbox, int64_t rows)
{
    struct tally_recount *recount = &outbox->tally.recount;
    struct recent_event to;
    bool is_there;

    if (!find_seen(outbox, rows, &to, &is_there))
        return false;
    if (is_there) {
        recount->seen += rows;
        recount->seen_position = to;
        return true;
    }
    if (!count_rest_of_seen(outbox))
        return false;
    correct(outbox, "seen_rows", NULL, &outbox->tally.numbers[TALLY_SEEN],
            recount->seen + (int64_t)recent_count(&outbox->recent));
    *recount = (struct tally_recount){ 0 };
    return true;
}

void outbox_recount_watch_seen(struct outbox *outbox)
{
    struct tally_recount *recount = &outbox->tally.recount;

    outbox->recent.mark = (struct recent_event){ .bucket = INT64_MIN };
    if (recount->part == RECOUNT_SEEN)
        outbox->recent.mark = recount->seen_position;
}

void outbox_recount_add_seen(struct outbox *outbox)
{
    outbox->tally.recount.seen += outbox->recent.below_mark;
    outbox->recent.below_mark = 0;
}

void outbox_recount_delete_seen(struct outbox *outbox, int64_t from, const struct recent_event *end,
                                int64_t rows)
{
    struct tally_recount *recount = &outbox->tally.recount;

    if (recount->part != RECOUNT_SEEN || recount->seen_position.bucket < from)
        return;
    recount->seen -= rows;
    if (recent_compare(&recount->seen_position, end) >= 0)
        return;
    recount->seen = 0; /* some were counted and some were not: once more from the beginning */
    recount->seen_position = (struct recent_event){ .bucket = INT64_MIN };
}

bool outbox_recount(struct outbox *outbox, int64_t rows)
{
    struct tally_recount *recount = &outbox->tally.recount;
    int64_t last;

    if (!recount->on)
        return true;
    if (recount->part == RECOUNT_REFUSED)
        return recount_refused(outbox, rows);
    if (recount->part == RECOUNT_SEEN)
        return recount_seen(outbox, rows);
    if (!find_end(outbox, rows, &last) || !count_records(outbox, recount->position, last))
        return false;
    recount->position = last;
    if (last < outbox->tally.numbers[TALLY_NEXT_SEQ] - 1)
        return true;
    correct_all(outbox);
    *recount = (struct tally_recount){ .on = true, .part = RECOUNT_REFUSED };
    return true;
}
