/*
 * pending.c - the records in the store that a sink has still to get: backlog_take().
 *
 * New records lie behind the sink's cursor, others in its retry rows. The lanes take turns, so that
 * neither keeps the other waiting. The retry rows of a strictly ordered sink are what it had left
 * when it was removed from the configuration: they come before all new records.
 */
#include <assert.h>

#include "base/clock.h"
#include "delivery/outbox/batch.h"
#include "delivery/outbox/committer.h"

#define RETRY_PARKED INT64_MAX /* the time of a retry behind another one with its order key */

enum {
    SLACK_US = US_PER_S, /* a clock may be set back so far without retries being moved up */
    WINDOW_RECORDS = 32768,
};

static_assert(offsetof(struct store_backlog, backlog) == 0, "backlog_close() frees it");

static struct store_backlog *pending_of(struct backlog *backlog)
{
    return CONTAINER_OF(backlog, struct store_backlog, backlog);
}

bool store_backlog_open(struct backlog *backlog, struct error *err)
{
    struct store_backlog *pending = pending_of(backlog);

    if (!db_open(&pending->db, backlog->outbox->options.path, DB_READ, err))
        return false;
    number_set_init(&pending->retries);
    number_set_init(&pending->busy_keys);
    number_set_init(&pending->failing_keys);
    pending->has_unkeyed = true;
    pending->window.keeps_waiting = backlog->options.order == BACKLOG_BY_KEY;
    return true;
}

/* What a call takes. */
struct taking {
    struct store_backlog *pending;
    const struct tally_sink *sink;
    const struct backlog_bounds *bounds;
    struct arena *arena;
    struct backlog_batch **batch;
};

/* The row of a statement; its texts last until the next row. */
static struct backlog_record read_row(struct db *db, enum sql from)
{
    return (struct backlog_record){
        .seq = db_int(db, from, 0),
        .key = db_text(db, from, 1),
        .accepted_us = db_int(db, from, 2),
        .registry = db_text(db, from, 3),
        .schema = db_text(db, from, 4),
        .version = db_text(db, from, 5),
        .bytes = db_text(db, from, 6),
        .route = db_text(db, from, 7),
        .origin = db_text(db, from, 8),
        .attempts = db_int(db, from, 9),
    };
}

static void keep_text(struct arena *arena, struct str *text)
{
    if (text->ptr)
        *text = arena_copy(arena, *text);
}

enum taken { TAKEN, TAKEN_NOT_NOW, TAKEN_DECIDED, TAKEN_FULL, TAKEN_BROKEN };

/* Is there a retry with this order key of an earlier record? Some rows do not show it yet. */
static enum db_found find_earlier_retry(struct store_backlog *pending, int64_t sink,
                                        const struct backlog_record *record)
{
    int64_t one;

    if (number_set_has(&pending->failing_keys, record->order_hash))
        return DB_FOUND;
    return db_numbers(&pending->db, SQL_RETRY_BEFORE, &one, "iii", sink,
                      (int64_t)record->order_hash, record->seq);
}

/*
 * May the record be taken, for the sake of its order key? If an earlier record with its key is a
 * retry, it becomes one, too, and waits behind that.
 */
static enum taken check_order(struct taking *taking, const struct backlog_record *record)
{
    struct store_backlog *pending = taking->pending;
    enum db_found found;

    if (number_set_has(&pending->busy_keys, record->order_hash))
        return TAKEN_NOT_NOW;
    found = find_earlier_retry(pending, taking->sink->id, record);
    if (found == DB_NONE)
        return TAKEN;
    return found == DB_FOUND ? TAKEN_DECIDED : TAKEN_BROKEN;
}

/* The record before has most often the same text, which is kept already. */
static void share_text(struct arena *arena, struct str *text, struct str before)
{
    if (text->ptr && before.ptr && str_equal(*text, before))
        *text = before;
    else
        keep_text(arena, text);
}

static void keep_record(struct taking *taking, struct backlog_record record)
{
    const struct backlog_batch *batch = *taking->batch;
    struct backlog_record before =
        batch ? batch->records[batch->count - 1] : (struct backlog_record){ 0 };
    bool has_own_key = record.order_key.ptr != record.key.ptr; /* in the arena already */

    keep_text(taking->arena, &record.key);
    share_text(taking->arena, &record.registry, before.registry);
    share_text(taking->arena, &record.schema, before.schema);
    share_text(taking->arena, &record.version, before.version);
    keep_text(taking->arena, &record.bytes);
    share_text(taking->arena, &record.route, before.route);
    keep_text(taking->arena, &record.origin);
    if (!has_own_key)
        record.order_key = record.key;
    batch_add(&taking->pending->backlog, taking->bounds, taking->arena, taking->batch, &record);
    if (record.order_hash > 0)
        number_set_add(&taking->pending->busy_keys, record.order_hash);
}

/* Add the record, if its order allows it and it fits. It may point to the row of a statement. */
static enum taken take_record(struct taking *taking, struct backlog_record *record)
{
    struct backlog *backlog = &taking->pending->backlog;
    enum taken taken = TAKEN;

    batch_find_order_key(backlog, taking->arena, record);
    if (record->order_hash > 0)
        taken = check_order(taking, record);
    if (taken != TAKEN)
        return taken;
    if (!batch_fits(backlog, taking->bounds, *taking->batch, record))
        return TAKEN_FULL;
    keep_record(taking, *record);
    return TAKEN;
}

/* The record waits behind an earlier one of its order key. */
static void park(struct store_backlog *pending, const struct backlog_record *record,
                 enum backlog_lane lane)
{
    const struct backlog_result result = {
        .seq = record->seq,
        .verdict = BACKLOG_DELAYED,
        .next_at_us = clock_now_us(),
    };

    store_backlog_decide(pending, change_make(record, lane, &result));
}

/* One number of one row; INT64_MAX if there is none. */
static bool look_up(struct store_backlog *pending, enum sql statement, int64_t key, int64_t *out)
{
    enum db_found found = db_numbers(&pending->db, statement, out, "i", key);

    if (found == DB_NONE)
        *out = INT64_MAX;
    return found != DB_BROKEN;
}

/* Reading failed; returns false. If the file is not a database, the store must be opened again. */
static bool fail_look(struct store_backlog *pending, struct error *err)
{
    if (db_is_none(&pending->db))
        committer_suspect(store_of(pending->backlog.outbox));
    return db_fail(&pending->db, "store", err);
}

/* No retry waits longer than this, so the clock was set back after its time was set. */
static bool is_too_far(const struct backlog_bounds *bounds, int64_t next_us)
{
    return bounds->longest_us > 0 && next_us > clock_now_us() + bounds->longest_us + SLACK_US;
}

struct move_up {
    int64_t sink;
    int64_t from_us; /* times after this, */
    int64_t to_us;   /* and up to this */
};

/* In the committer. */
static bool move_retries_up(struct outbox_store *store, void *arg, struct error *err)
{
    const struct move_up *move = arg;

    return db_run(&store->db, SQL_RETRY_HASTEN, "iiii", move->sink, move->from_us, store->now_us,
                  move->to_us) ||
           db_fail(&store->db, "store", err);
}

/* Retries whose time is too far away are due now. */
static bool correct_retries(struct store_backlog *pending, const struct tally_sink *sink,
                            const struct backlog_bounds *bounds, struct error *err)
{
    bool by_key = pending->backlog.options.order == BACKLOG_BY_KEY;
    struct move_up move = {
        .sink = sink->id,
        .from_us = clock_now_us() + bounds->longest_us,
        .to_us = by_key ? RETRY_PARKED - 1 : RETRY_PARKED,
    };
    int64_t last_us = 0;
    enum db_found found =
        db_numbers(&pending->db, SQL_RETRY_LAST_TIME, &last_us, "ii", sink->id, move.to_us);

    if (found == DB_BROKEN)
        return fail_look(pending, err);
    if (found == DB_NONE || !is_too_far(bounds, last_us))
        return true;
    return committer_run(pending->backlog.outbox, move_retries_up, &move, err);
}

/* False: no more of them, or reading failed. */
static bool take_retry(struct taking *taking, enum sql from, enum db_found *found)
{
    struct store_backlog *pending = taking->pending;
    struct backlog_record record = read_row(&pending->db, from);
    enum taken taken;

    if (number_set_has(&pending->retries, (uint64_t)record.seq))
        return true;
    taken = take_record(taking, &record);
    if (taken == TAKEN || taken == TAKEN_DECIDED)
        number_set_add(&pending->retries, (uint64_t)record.seq);
    if (taken == TAKEN_DECIDED)
        park(pending, &record, BACKLOG_RETRIES);
    if (taken == TAKEN_BROKEN)
        *found = DB_BROKEN;
    return taken != TAKEN_FULL && taken != TAKEN_BROKEN;
}

static bool take_retries(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct db *db = &pending->db;
    bool strict = pending->backlog.options.order == BACKLOG_STRICT;
    enum sql from = strict ? SQL_RETRY_IN_ORDER : SQL_RETRY_DUE;
    enum db_found found = db_find(db, from, "iii", taking->sink->id, clock_now_us(), INT64_C(-1));

    pending->backlog.lane = BACKLOG_RETRIES;
    while (found == DB_FOUND && take_retry(taking, from, &found))
        found = db_next(db, from);
    db_reset(db, from);
    return found != DB_BROKEN;
}

/* What became of a record that was taken again, or may not be. False: no more, or broken. */
static bool note_given_back(struct store_backlog *pending, struct window_entry *entry,
                            const struct backlog_record *record, enum taken taken)
{
    if (taken == TAKEN)
        window_take(&pending->window, entry);
    else if (taken == TAKEN_DECIDED)
        park(pending, record, BACKLOG_NEW);
    return taken != TAKEN_FULL && taken != TAKEN_BROKEN;
}

/* Read a record again that was given back, and take it. */
static enum taken take_again(struct taking *taking, int64_t seq, struct backlog_record *record)
{
    struct store_backlog *pending = taking->pending;
    struct db *db = &pending->db;
    int64_t mask = tally_mask(taking->sink);
    enum db_found found = db_find(db, SQL_RECORDS_AFTER, "iii", seq - 1, INT64_C(1), mask);
    enum taken taken = found == DB_BROKEN ? TAKEN_BROKEN : TAKEN_NOT_NOW;

    if (found == DB_FOUND)
        *record = read_row(db, SQL_RECORDS_AFTER);
    if (record->seq == seq)
        taken = take_record(taking, record);
    else if (found != DB_BROKEN) /* an operator deleted it */
        window_decide(&pending->window, (struct change){ .seq = seq, .verdict = BACKLOG_UNTRIED });
    db_reset(db, SQL_RECORDS_AFTER);
    return taken;
}

/* Take records again that were given back, while there is room. */
static bool take_given_back(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct window *window = &pending->window;
    struct window_entry *entry = window_next_waiting(window, 0);

    while (entry) {
        struct backlog_record record = { 0 };
        int64_t seq = entry->change.seq;
        enum taken taken = TAKEN_NOT_NOW;

        if (!number_set_has(&pending->busy_keys, entry->change.order_hash))
            taken = take_again(taking, seq, &record);
        if (!note_given_back(pending, entry, &record, taken))
            return taken == TAKEN_FULL;
        entry = window_next_waiting(window, seq);
    }
    return true;
}

/* Is nothing for the sink between its cursor and what was taken last? */
static bool is_at_cursor(const struct taking *taking)
{
    const struct store_backlog *pending = taking->pending;

    return pending->window.taken == taking->sink->cursor ||
           (pending->settled.count == 0 && pending->commit.changes.count == 0);
}

/* The window has a bound, or one batch. */
static bool window_has_room(const struct taking *taking)
{
    size_t count = window_count(&taking->pending->window);

    return count < WINDOW_RECORDS || (*taking->batch && (*taking->batch)->count == count);
}

/* Take the record of a row behind the window. False: no more, or reading failed. */
static bool take_next_row(struct taking *taking, enum db_found *found)
{
    struct store_backlog *pending = taking->pending;
    struct window *window = &pending->window;
    struct backlog_record record = read_row(&pending->db, SQL_RECORDS_AFTER);
    enum taken taken;

    if (window_count(window) == 0 && is_at_cursor(taking))
        record.attempts = taking->sink->head_attempts;
    taken = take_record(taking, &record);
    if (taken == TAKEN_BROKEN)
        *found = DB_BROKEN;
    if (taken == TAKEN_FULL || taken == TAKEN_BROKEN)
        return false;
    window_add(window, record.seq, record.order_hash);
    if (taken == TAKEN_NOT_NOW)
        window_give_back(window, record.seq, false);
    if (taken == TAKEN_DECIDED)
        park(pending, &record, BACKLOG_NEW);
    return window_has_room(taking);
}

static bool take_behind_window(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct db *db = &pending->db;
    enum db_found found = db_find(db, SQL_RECORDS_AFTER, "iii", pending->window.taken, INT64_C(-1),
                                  tally_mask(taking->sink));

    while (found == DB_FOUND && take_next_row(taking, &found))
        found = db_next(db, SQL_RECORDS_AFTER);
    db_reset(db, SQL_RECORDS_AFTER);
    window_shift(&pending->window, &pending->settled);
    return found != DB_BROKEN;
}

/* Until retries without an order key are gone, no new record may pass them. */
static bool waits_for_unkeyed(struct taking *taking, bool *waits)
{
    struct store_backlog *pending = taking->pending;
    bool by_key = pending->backlog.options.order == BACKLOG_BY_KEY;
    enum db_found found = DB_NONE;
    int64_t one;

    if (pending->unkeyed != taking->sink->unkeyed)
        pending->has_unkeyed = true;
    if (by_key && pending->has_unkeyed)
        found = db_numbers(&pending->db, SQL_RETRY_UNKEYED, &one, "i", taking->sink->id);
    pending->unkeyed = taking->sink->unkeyed;
    pending->has_unkeyed = *waits = found == DB_FOUND;
    return found != DB_BROKEN;
}

static bool is_full(const struct taking *taking)
{
    return *taking->batch && (*taking->batch)->is_full;
}

static bool take_new(struct taking *taking)
{
    struct backlog *backlog = &taking->pending->backlog;
    int64_t head_next_us = taking->sink->head_next_us;
    bool waits = false;

    if (!waits_for_unkeyed(taking, &waits) || waits)
        return waits;
    if (head_next_us > clock_now_us() && !is_too_far(taking->bounds, head_next_us)) {
        if (head_next_us < backlog->retry_due_us)
            backlog->retry_due_us = head_next_us;
        return true;
    }
    backlog->lane = BACKLOG_NEW;
    if (!take_given_back(taking))
        return false;
    if (!is_full(taking) && window_has_room(taking) && !take_behind_window(taking))
        return false;
    if (*taking->batch && !window_has_room(taking))
        (*taking->batch)->is_full = true;
    return true;
}

/* When is the first retry due after `after_us`? */
static bool find_next_retry(struct store_backlog *pending, const struct tally_sink *sink,
                            int64_t after_us)
{
    int64_t *due_us = &pending->backlog.retry_due_us;
    enum db_found found =
        db_numbers(&pending->db, SQL_RETRY_NEXT_TIME, due_us, "ii", sink->id, after_us);

    if (found == DB_NONE)
        *due_us = INT64_MAX;
    return found != DB_BROKEN;
}

static void note_oldest(struct backlog *backlog, int64_t accepted_us)
{
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);

    if (row)
        outbox_note_oldest(outbox, (size_t)(row - outbox->published.sinks), accepted_us);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

/* When the first record behind the cursor was accepted; INT64_MAX: there is none. */
static bool look_up_record(struct store_backlog *pending, const struct tally_sink *sink,
                           int64_t *out)
{
    enum db_found found =
        db_numbers(&pending->db, SQL_RECORD_TIME, out, "ii", sink->cursor, tally_mask(sink));

    if (found == DB_NONE)
        *out = INT64_MAX;
    return found != DB_BROKEN;
}

/* Note when the oldest pending record was accepted, and when the next retry is due. */
static bool look_ahead(struct store_backlog *pending, const struct tally_sink *sink)
{
    int64_t retry_us;
    int64_t record_us;

    if (!look_up(pending, SQL_RETRY_OLDEST, sink->id, &retry_us) ||
        !look_up_record(pending, sink, &record_us) || !find_next_retry(pending, sink, INT64_MIN))
        return false;
    if (record_us < retry_us)
        retry_us = record_us;
    note_oldest(&pending->backlog, retry_us == INT64_MAX ? 0 : retry_us);
    return true;
}

static bool take_from_lanes(struct taking *taking, enum backlog_lane lane)
{
    struct backlog *backlog = &taking->pending->backlog;
    bool strict = backlog->options.order == BACKLOG_STRICT;
    bool has_retries = backlog->retry_due_us != INT64_MAX;
    bool new_ones_first = backlog->lane == BACKLOG_RETRIES && !strict;

    if (lane == BACKLOG_NEW)
        return take_new(taking);
    if (lane == BACKLOG_RETRIES)
        return take_retries(taking);
    if (new_ones_first && !take_new(taking))
        return false;
    if (!*taking->batch && has_retries && !take_retries(taking))
        return false;
    if (!*taking->batch && !new_ones_first && !(strict && has_retries))
        return take_new(taking);
    return true;
}

/* Nothing can be taken: retries that are due are under way. */
static bool note_idle(struct store_backlog *pending, const struct tally_sink *sink, int64_t now_us)
{
    int64_t head_us = sink->head_next_us > now_us ? sink->head_next_us : INT64_MAX;

    if (!find_next_retry(pending, sink, now_us))
        return false;
    if (head_us < pending->backlog.retry_due_us)
        pending->backlog.retry_due_us = head_us;
    return true;
}

static void give_back(struct backlog *backlog, struct backlog_batch **batch)
{
    if (!*batch)
        return;
    batch_remove(backlog, *batch);
    store_backlog_settle(backlog, *batch, NULL);
    *batch = NULL;
}

bool store_backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds,
                        struct arena *arena, struct backlog_batch **batch, struct error *err)
{
    struct store_backlog *pending = pending_of(backlog);
    struct outbox *outbox = backlog->outbox;
    enum backlog_lane lane = *batch ? (*batch)->lane : bounds->lane;
    size_t before = *batch ? (*batch)->count : 0;
    int64_t now_us = clock_now_us();

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->round = outbox->round;

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);
    struct tally_sink sink = row ? *row : (struct tally_sink){ 0 };
    struct taking taking = { pending, &sink, bounds, arena, batch };

    (void)pthread_mutex_unlock(&outbox->mutex);
    window_pass(&pending->window, sink.cursor);
    if (!correct_retries(pending, &sink, bounds, err))
        return false;
    if (look_ahead(pending, &sink)) {
        if (sink.paused) {
            give_back(backlog, batch);
            backlog->retry_due_us = INT64_MAX;
            return true;
        }
        if (take_from_lanes(&taking, lane) &&
            ((*batch && (*batch)->count > before) || note_idle(pending, &sink, now_us)))
            return true;
    }
    if (before == 0)
        give_back(backlog, batch);
    return fail_look(pending, err);
}
