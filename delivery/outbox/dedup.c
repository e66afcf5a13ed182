/*
 * dedup.c - which events were accepted before (docs/decisions/012).
 *
 * Rows lie in buckets, so that inserts stay in a small part of the table and forgetting is the
 * deletion of a range. An event that comes within an hour of its own `time` (or before it) has the
 * second of that time as its bucket: its retries bring the same time. Any other has the day of its
 * arrival, and is looked for in all days of the window. Days and seconds since 1970 do not overlap.
 * The clock may have been ahead when an event came, so the days end with the latest one that was.
 */
#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/outbox_internal.h"

enum {
    DAY_SECONDS = 24 * 3600,
    FIRST_SECOND = 100000, /* a bucket below is a day (until 2243), any other a second */
};

static bool is_on(const struct outbox *outbox)
{
    return outbox->options.dedup_window_us > 0 && outbox->options.dedup_max_rows > 0;
}

/*
 * Does the event's own time name a bucket, when it may lie so far back? It may lie an hour more
 * than the window ahead: what is within an hour of now had a bucket of its second at any time in
 * the window.
 */
static bool has_second(const struct outbox *outbox, const struct outbox_item *item, int64_t back_us)
{
    return item->time_us >= FIRST_SECOND * (int64_t)US_PER_S &&
           item->time_us >= outbox->believed_us - back_us &&
           item->time_us <= outbox->believed_us + outbox->options.dedup_window_us + US_PER_HOUR;
}

static enum outbox_seen take(struct outbox *outbox, enum outbox_statement statement, int column,
                             int64_t *processed_us)
{
    *processed_us = outbox_db_int(&outbox->db, statement, column);
    outbox_db_reset(&outbox->db, statement);
    return OUTBOX_SEEN;
}

/* An id may have many contents: the first row tells in most cases, else it is asked for exactly. */
static enum outbox_seen look_in_table(struct outbox *outbox, const struct recent_event *wanted,
                                      int64_t *processed_us)
{
    struct outbox_db *db = &outbox->db;
    struct str identity = { (const char *)wanted->identity, OUTBOX_IDENTITY_SIZE };
    enum outbox_found found =
        outbox_db_find(db, SQL_SEEN_BY_ID, "ii", wanted->bucket, wanted->id_hash);

    if (found == OUTBOX_FOUND && str_equal(outbox_db_text(db, SQL_SEEN_BY_ID, 0), identity))
        return take(outbox, SQL_SEEN_BY_ID, 1, processed_us);
    outbox_db_reset(db, SQL_SEEN_BY_ID);
    if (found != OUTBOX_FOUND)
        return found == OUTBOX_NONE ? OUTBOX_NEW : OUTBOX_SEEN_BROKEN;
    found = outbox_db_find(db, SQL_SEEN_EXACT, "iib", wanted->bucket, wanted->id_hash, identity);
    if (found == OUTBOX_FOUND)
        return take(outbox, SQL_SEEN_EXACT, 0, processed_us);
    outbox_db_reset(db, SQL_SEEN_EXACT);
    return found == OUTBOX_NONE ? OUTBOX_ID_REUSED : OUTBOX_SEEN_BROKEN;
}

static struct recent_event row_of(const struct outbox_item *item, int64_t bucket)
{
    struct recent_event row = { .bucket = bucket,
                                .id_hash = item->id_hash,
                                .processed_us = item->processed_at_us };

    memcpy(row.identity, item->identity, sizeof(row.identity));
    return row;
}

static enum outbox_seen look_in(struct outbox *outbox, int64_t bucket,
                                const struct outbox_item *item, int64_t *processed_us)
{
    struct recent_event wanted = row_of(item, bucket);
    enum recent_found recent = recent_find(&outbox->recent, &wanted, processed_us);

    if (recent == RECENT_SAME)
        return OUTBOX_SEEN;

    enum outbox_seen seen = look_in_table(outbox, &wanted, processed_us);

    return seen == OUTBOX_NEW && recent != RECENT_NONE ? OUTBOX_ID_REUSED : seen;
}

/* Was the clock ahead of what it says now when events were remembered, as far as is known? */
static bool was_ahead(const struct outbox *outbox)
{
    return outbox->tally.numbers[TALLY_LATEST_US] > outbox->believed_us;
}

static int64_t latest_us(const struct outbox *outbox)
{
    return US_PER_MINUTE +
           (was_ahead(outbox) ? outbox->tally.numbers[TALLY_LATEST_US] : outbox->believed_us);
}

static enum outbox_seen look_in_days(struct outbox *outbox, const struct outbox_item *item,
                                     int64_t *processed_us)
{
    int64_t first = (outbox->believed_us - outbox->options.dedup_window_us) / US_PER_DAY;
    enum outbox_seen seen = OUTBOX_NEW;

    for (int64_t day = latest_us(outbox) / US_PER_DAY; day >= first; day--) {
        enum outbox_seen here = look_in(outbox, day, item, processed_us);

        if (here == OUTBOX_SEEN || here == OUTBOX_SEEN_BROKEN)
            return here;
        if (here == OUTBOX_ID_REUSED)
            seen = here;
    }
    return seen;
}

enum outbox_seen outbox_seen_find(struct outbox *outbox, const struct outbox_item *item,
                                  int64_t *processed_us)
{
    enum outbox_seen seen = OUTBOX_NEW;

    if (!item->id.ptr || !is_on(outbox))
        return OUTBOX_NEW;
    if (has_second(outbox, item, outbox->options.dedup_window_us + US_PER_HOUR))
        seen = look_in(outbox, item->time_us / US_PER_S, item, processed_us);
    if (seen == OUTBOX_SEEN || seen == OUTBOX_SEEN_BROKEN)
        return seen;

    /* Of this hour: if it came before, then with its second as its bucket. */
    if (!was_ahead(outbox) && has_second(outbox, item, US_PER_HOUR - 2 * US_PER_MINUTE) &&
        item->time_us <= outbox->believed_us + US_PER_HOUR)
        return seen;

    enum outbox_seen in_days = look_in_days(outbox, item, processed_us);

    return in_days == OUTBOX_NEW ? seen : in_days;
}

bool outbox_seen_add(struct outbox *outbox, const struct outbox_item *item)
{
    struct recent_event row =
        row_of(item, has_second(outbox, item, US_PER_HOUR) ? item->time_us / US_PER_S
                                                           : outbox->believed_us / US_PER_DAY);

    if (!item->id.ptr || !is_on(outbox))
        return true;
    outbox->tally.numbers[TALLY_SEEN]++;
    if (outbox->believed_us > outbox->tally.numbers[TALLY_LATEST_US] + US_PER_MINUTE)
        outbox->tally.numbers[TALLY_LATEST_US] = outbox->believed_us;
    return recent_add(&outbox->recent, &outbox->db, &row);
}

bool outbox_seen_move(struct outbox *outbox, size_t rows)
{
    outbox_recount_watch_seen(outbox);
    if (!recent_move(&outbox->recent, &outbox->db, rows))
        return false;
    outbox->tally.numbers[TALLY_SEEN] -= outbox->recent.merged;
    outbox->recent.merged = 0;
    outbox_recount_add_seen(outbox);
    return true;
}

/* The lowest bucket from `from` on and below `end`; INT64_MAX when there is none. */
static bool find_oldest(struct outbox *outbox, int64_t from, int64_t end, int64_t *bucket)
{
    enum outbox_found found = outbox_db_find(&outbox->db, SQL_SEEN_OLDEST, "i", from);

    *bucket = INT64_MAX;
    if (found == OUTBOX_FOUND && outbox_db_int(&outbox->db, SQL_SEEN_OLDEST, 0) < end)
        *bucket = outbox_db_int(&outbox->db, SQL_SEEN_OLDEST, 0);
    outbox_db_reset(&outbox->db, SQL_SEEN_OLDEST);
    return found != OUTBOX_BROKEN;
}

/* Delete the first rows in the buckets from `from` on and below `end`, at most `rows` of them. */
static bool delete_first(struct outbox *outbox, int64_t from, int64_t end, int64_t rows)
{
    struct outbox_db *db = &outbox->db;
    struct recent_event stop = { .bucket = end, .id_hash = INT64_MIN };
    enum outbox_found found = outbox_db_find(db, SQL_SEEN_NTH, "ii", from, rows);

    if (found == OUTBOX_FOUND && outbox_db_int(db, SQL_SEEN_NTH, 0) < end) {
        stop.bucket = outbox_db_int(db, SQL_SEEN_NTH, 0);
        stop.id_hash = outbox_db_int(db, SQL_SEEN_NTH, 1);
        memcpy(stop.identity, outbox_db_text(db, SQL_SEEN_NTH, 2).ptr, sizeof(stop.identity));
    }
    outbox_db_reset(db, SQL_SEEN_NTH);

    struct str identity = { (const char *)stop.identity, sizeof(stop.identity) };

    if (found == OUTBOX_BROKEN || !outbox_db_run(db, SQL_SEEN_DELETE_BELOW, "iiib", from,
                                                 stop.bucket, stop.id_hash, identity))
        return false;
    outbox->tally.numbers[TALLY_SEEN] -= outbox_db_changes(db);
    outbox_recount_delete_seen(outbox, from, &stop, outbox_db_changes(db));
    return true;
}

bool outbox_seen_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    int64_t window_us = outbox->options.dedup_window_us;
    int64_t last_second = (outbox->believed_us - window_us - US_PER_HOUR) / US_PER_S;
    int64_t last_day = (outbox->believed_us - window_us) / US_PER_DAY;
    int64_t excess = outbox->tally.numbers[TALLY_SEEN] - outbox->options.dedup_max_rows;
    int64_t second;
    int64_t day;

    if (!find_oldest(outbox, FIRST_SECOND, INT64_MAX, &second) ||
        !find_oldest(outbox, 0, FIRST_SECOND, &day))
        return false;
    *done = false;
    if (second < last_second && outbox->may_forget)
        return delete_first(outbox, FIRST_SECOND, last_second, rows);
    if (day < last_day && outbox->may_forget)
        return delete_first(outbox, 0, last_day, rows);
    *done = excess <= 0 || (second == INT64_MAX && day == INT64_MAX);
    if (*done)
        return true;
    rows = excess < rows ? excess : rows;
    if (day != INT64_MAX && (second == INT64_MAX || day * DAY_SECONDS <= second))
        return delete_first(outbox, 0, FIRST_SECOND, rows);
    return delete_first(outbox, FIRST_SECOND, INT64_MAX, rows);
}
