/*
 * dedup.c - see dedup.h; docs/decisions/012.
 *
 * Rows are in buckets, so that inserts touch a small part of the table and expired rows are deleted
 * as a range. The bucket of an event that comes within an hour of its own `time` (or before it) is
 * the second of that time: its retries have the same time. The bucket of any other event is the day
 * of its arrival, and it is looked for in all days of the window. Days and seconds since 1970 do
 * not overlap. The clock may have been ahead when an event came, so the days end with the latest
 * one on which any event came.
 */
#include "delivery/outbox/dedup.h"

#include <string.h>

#include "base/clock.h"
#include "delivery/outbox/recount.h"

enum {
    DAY_SECONDS = 24 * 3600,
    FIRST_SECOND = 100000, /* a bucket below is a day (until 2243), any other a second */
};

static bool dedup_is_on(const struct outbox_store *store)
{
    return store->outbox.options.dedup_window_us > 0 && store->outbox.options.dedup_max_rows > 0;
}

/*
 * Does the event's own time name a bucket, if it may lie so far back? It may lie the window and an
 * hour ahead: an event within an hour of now had the bucket of its second at any time in the
 * window.
 */
static bool has_second(const struct outbox_store *store, const struct job_item *item,
                       int64_t back_us)
{
    return item->time_us >= FIRST_SECOND * (int64_t)US_PER_S &&
           item->time_us >= store->trusted_us - back_us &&
           item->time_us <= store->trusted_us + store->outbox.options.dedup_window_us + US_PER_HOUR;
}

static enum dedup take(struct outbox_store *store, enum sql statement, int column,
                       int64_t *processed_us)
{
    *processed_us = db_int(&store->db, statement, column);
    db_reset(&store->db, statement);
    return DEDUP_SEEN;
}

/* An id may have many contents. The first row is enough in most cases; else look exactly. */
static enum dedup look_in_table(struct outbox_store *store, const struct recent_event *wanted,
                                int64_t *processed_us)
{
    struct db *db = &store->db;
    struct str identity = { (const char *)wanted->identity, RECENT_IDENTITY_SIZE };
    enum db_found found = db_find(db, SQL_SEEN_BY_ID, "ii", wanted->bucket, wanted->id_hash);

    if (found == DB_FOUND && str_equal(db_text(db, SQL_SEEN_BY_ID, 0), identity))
        return take(store, SQL_SEEN_BY_ID, 1, processed_us);
    db_reset(db, SQL_SEEN_BY_ID);
    if (found != DB_FOUND)
        return found == DB_NONE ? DEDUP_NEW : DEDUP_BROKEN;
    found = db_find(db, SQL_SEEN_EXACT, "iib", wanted->bucket, wanted->id_hash, identity);
    if (found == DB_FOUND)
        return take(store, SQL_SEEN_EXACT, 0, processed_us);
    db_reset(db, SQL_SEEN_EXACT);
    return found == DB_NONE ? DEDUP_ID_REUSED : DEDUP_BROKEN;
}

static struct recent_event row_of(const struct job_item *item, int64_t bucket)
{
    struct recent_event row = { .bucket = bucket,
                                .id_hash = item->id_hash,
                                .processed_us = item->processed_at_us };

    memcpy(row.identity, item->identity, sizeof(row.identity));
    return row;
}

static enum dedup look_in(struct outbox_store *store, int64_t bucket, const struct job_item *item,
                          int64_t *processed_us)
{
    struct recent_event wanted = row_of(item, bucket);
    enum recent_found recent = recent_find(&store->recent, &wanted, processed_us);

    if (recent == RECENT_SAME)
        return DEDUP_SEEN;

    enum dedup seen = DEDUP_NEW;

    if (recent_may_be_moved(&store->recent, &wanted))
        seen = look_in_table(store, &wanted, processed_us);

    return seen == DEDUP_NEW && recent != RECENT_NONE ? DEDUP_ID_REUSED : seen;
}

/* Was the clock ahead of the present time when events were remembered? */
static bool was_ahead(const struct outbox_store *store)
{
    return store->tally.numbers[TALLY_LATEST_US] > store->trusted_us;
}

static int64_t latest_us(const struct outbox_store *store)
{
    return US_PER_MINUTE +
           (was_ahead(store) ? store->tally.numbers[TALLY_LATEST_US] : store->trusted_us);
}

static enum dedup look_in_days(struct outbox_store *store, const struct job_item *item,
                               int64_t *processed_us)
{
    int64_t first = (store->trusted_us - store->outbox.options.dedup_window_us) / US_PER_DAY;
    enum dedup seen = DEDUP_NEW;

    for (int64_t day = latest_us(store) / US_PER_DAY; day >= first; day--) {
        enum dedup here = look_in(store, day, item, processed_us);

        if (here == DEDUP_SEEN || here == DEDUP_BROKEN)
            return here;
        if (here == DEDUP_ID_REUSED)
            seen = here;
    }
    return seen;
}

enum dedup dedup_find(struct outbox_store *store, const struct job_item *item,
                      int64_t *processed_us)
{
    enum dedup seen = DEDUP_NEW;

    if (!item->id.ptr || !dedup_is_on(store))
        return DEDUP_NEW;
    if (has_second(store, item, store->outbox.options.dedup_window_us + US_PER_HOUR))
        seen = look_in(store, item->time_us / US_PER_S, item, processed_us);
    if (seen == DEDUP_SEEN || seen == DEDUP_BROKEN)
        return seen;

    /* Its time is in this hour: if it came before, its bucket was its second. */
    if (!was_ahead(store) && has_second(store, item, US_PER_HOUR - 2 * (int64_t)US_PER_MINUTE) &&
        item->time_us <= store->trusted_us + US_PER_HOUR)
        return seen;

    enum dedup in_days = look_in_days(store, item, processed_us);

    return in_days == DEDUP_NEW ? seen : in_days;
}

bool dedup_add(struct outbox_store *store, const struct job_item *item)
{
    struct recent_event row =
        row_of(item, has_second(store, item, US_PER_HOUR) ? item->time_us / US_PER_S
                                                          : store->trusted_us / US_PER_DAY);

    if (!item->id.ptr || !dedup_is_on(store))
        return true;
    store->tally.numbers[TALLY_SEEN]++;
    if (store->trusted_us > store->tally.numbers[TALLY_LATEST_US] + US_PER_MINUTE)
        store->tally.numbers[TALLY_LATEST_US] = store->trusted_us;
    recent_add(&store->recent, &row);
    return true;
}

bool dedup_move(struct outbox_store *store, size_t rows)
{
    recount_before_seen(store);
    if (!recent_move(&store->recent, &store->db, rows))
        return false;
    store->tally.numbers[TALLY_SEEN] -= store->recent.merged;
    store->recent.merged = 0;
    recount_after_seen(store);
    return true;
}

/* The lowest bucket from `from` on and below `end`; INT64_MAX: there is none. */
static bool dedup_find_oldest(struct outbox_store *store, int64_t from, int64_t end,
                              int64_t *bucket)
{
    enum db_found found = db_numbers(&store->db, SQL_SEEN_OLDEST, bucket, "i", from);

    if (found != DB_FOUND || *bucket >= end)
        *bucket = INT64_MAX;
    return found != DB_BROKEN;
}

/* Delete the first rows in the buckets from `from` on and below `end`, at most `rows` of them. */
static bool delete_first(struct outbox_store *store, int64_t from, int64_t end, int64_t rows)
{
    struct db *db = &store->db;
    struct recent_event stop = { .bucket = end, .id_hash = INT64_MIN };
    enum db_found found = db_find(db, SQL_SEEN_NTH, "ii", from, rows);

    if (found == DB_FOUND && db_int(db, SQL_SEEN_NTH, 0) < end) {
        stop.bucket = db_int(db, SQL_SEEN_NTH, 0);
        stop.id_hash = db_int(db, SQL_SEEN_NTH, 1);
        memcpy(stop.identity, db_text(db, SQL_SEEN_NTH, 2).ptr, sizeof(stop.identity));
    }
    db_reset(db, SQL_SEEN_NTH);

    struct str identity = { (const char *)stop.identity, sizeof(stop.identity) };

    if (found == DB_BROKEN ||
        !db_run(db, SQL_SEEN_DELETE_BELOW, "iiib", from, stop.bucket, stop.id_hash, identity))
        return false;
    store->tally.numbers[TALLY_SEEN] -= db_changes(db);
    recount_delete_seen(store, from, &stop, db_changes(db));
    return true;
}

bool dedup_prune(struct outbox_store *store, int64_t rows, bool *done)
{
    int64_t window_us = store->outbox.options.dedup_window_us;
    int64_t last_second = (store->trusted_us - window_us - US_PER_HOUR) / US_PER_S;
    int64_t last_day = (store->trusted_us - window_us) / US_PER_DAY;
    int64_t excess = store->tally.numbers[TALLY_SEEN] - store->outbox.options.dedup_max_rows;
    int64_t second;
    int64_t day;

    if (!dedup_find_oldest(store, FIRST_SECOND, INT64_MAX, &second) ||
        !dedup_find_oldest(store, 0, FIRST_SECOND, &day))
        return false;
    *done = false;
    if (second < last_second && store->may_expire)
        return delete_first(store, FIRST_SECOND, last_second, rows);
    if (day < last_day && store->may_expire)
        return delete_first(store, 0, last_day, rows);
    *done = excess <= 0 || (second == INT64_MAX && day == INT64_MAX);
    if (*done)
        return true;
    rows = excess < rows ? excess : rows;
    if (day != INT64_MAX && (second == INT64_MAX || day * DAY_SECONDS <= second))
        return delete_first(store, 0, FIRST_SECOND, rows);
    return delete_first(store, FIRST_SECOND, INT64_MAX, rows);
}
