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
        .attempts = db_int(db, from, 7),
    };
}

static void keep_text(struct arena *arena, struct str *text)
{
    if (text->ptr)
        *text = arena_copy(arena, *text);
}

/* Add the record, if it fits. False: it does not. */
static bool take_record(struct taking *taking, struct backlog_record record)
{
    struct backlog *backlog = &taking->pending->backlog;

    if (!batch_fits(backlog, taking->bounds, *taking->batch, &record))
        return false;
    keep_text(taking->arena, &record.key);
    keep_text(taking->arena, &record.registry);
    keep_text(taking->arena, &record.schema);
    keep_text(taking->arena, &record.version);
    keep_text(taking->arena, &record.bytes);
    batch_add(backlog, taking->bounds, taking->arena, taking->batch, &record);
    return true;
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
    int64_t from_us;
};

/* In the committer. */
static bool move_retries_up(struct outbox_store *store, void *arg, struct error *err)
{
    const struct move_up *move = arg;

    return db_run(&store->db, SQL_RETRY_HASTEN, "iii", move->sink, move->from_us, store->now_us) ||
           db_fail(&store->db, "store", err);
}

/* Retries whose time is too far away are due now. */
static bool correct_retries(struct store_backlog *pending, const struct tally_sink *sink,
                            const struct backlog_bounds *bounds, struct error *err)
{
    struct move_up move = { sink->id, clock_now_us() + bounds->longest_us };
    int64_t last_us = 0;

    if (!look_up(pending, SQL_RETRY_LAST_TIME, sink->id, &last_us))
        return fail_look(pending, err);
    if (last_us == INT64_MAX || !is_too_far(bounds, last_us))
        return true;
    return committer_run(pending->backlog.outbox, move_retries_up, &move, err);
}

static bool take_retries(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct db *db = &pending->db;
    bool strict = pending->backlog.order == BACKLOG_STRICT;
    enum sql from = strict ? SQL_RETRY_IN_ORDER : SQL_RETRY_DUE;
    enum db_found found = db_find(db, from, "iii", taking->sink->id, clock_now_us(), INT64_C(-1));

    pending->backlog.lane = BACKLOG_RETRIES;
    for (; found == DB_FOUND; found = db_next(db, from)) {
        struct backlog_record record = read_row(db, from);

        if (number_set_has(&pending->retries, (uint64_t)record.seq))
            continue;
        if (!take_record(taking, record))
            break;
        number_set_add(&pending->retries, (uint64_t)record.seq);
    }
    db_reset(db, from);
    return found != DB_BROKEN;
}

/* Take records again that were given back, while there is room. */
static bool take_given_back(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct window *window = &pending->window;
    struct db *db = &pending->db;
    struct window_entry *entry = window_next_waiting(window, 0);
    int64_t mask = tally_mask(taking->sink);

    for (; entry; entry = window_next_waiting(window, entry->change.seq)) {
        int64_t seq = entry->change.seq;
        enum db_found found = db_find(db, SQL_RECORDS_AFTER, "iii", seq - 1, INT64_C(1), mask);
        struct backlog_record record = { 0 };
        bool took = false;

        if (found == DB_FOUND)
            record = read_row(db, SQL_RECORDS_AFTER);
        if (found == DB_BROKEN)
            return false;
        if (record.seq == seq)
            took = take_record(taking, record);
        db_reset(db, SQL_RECORDS_AFTER);
        if (record.seq != seq) /* an operator deleted it */
            window_decide(window, (struct change){ .seq = seq, .verdict = BACKLOG_UNTRIED });
        else if (!took)
            return true;
        else
            window_take(window, entry);
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

static bool take_behind_window(struct taking *taking)
{
    struct store_backlog *pending = taking->pending;
    struct window *window = &pending->window;
    struct db *db = &pending->db;
    enum db_found found =
        db_find(db, SQL_RECORDS_AFTER, "iii", window->taken, INT64_C(-1), tally_mask(taking->sink));

    for (; found == DB_FOUND; found = db_next(db, SQL_RECORDS_AFTER)) {
        struct backlog_record record = read_row(db, SQL_RECORDS_AFTER);

        if (window_count(window) == 0 && is_at_cursor(taking))
            record.attempts = taking->sink->head_attempts;
        if (!take_record(taking, record))
            break;
        window_add(window, record.seq);
    }
    db_reset(db, SQL_RECORDS_AFTER);
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

    if (head_next_us > clock_now_us() && !is_too_far(taking->bounds, head_next_us)) {
        if (head_next_us < backlog->retry_due_us)
            backlog->retry_due_us = head_next_us;
        return true;
    }
    backlog->lane = BACKLOG_NEW;
    if (!take_given_back(taking))
        return false;
    if (!is_full(taking) && window_count(&taking->pending->window) < WINDOW_RECORDS)
        return take_behind_window(taking);
    return true;
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
        !look_up_record(pending, sink, &record_us) ||
        !look_up(pending, SQL_RETRY_NEXT_TIME, sink->id, &pending->backlog.retry_due_us))
        return false;
    if (record_us < retry_us)
        retry_us = record_us;
    note_oldest(&pending->backlog, retry_us == INT64_MAX ? 0 : retry_us);
    return true;
}

static bool take_from_lanes(struct taking *taking, enum backlog_lane lane)
{
    struct backlog *backlog = &taking->pending->backlog;
    bool strict = backlog->order == BACKLOG_STRICT;
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

bool store_backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds,
                        struct arena *arena, struct backlog_batch **batch, struct error *err)
{
    struct store_backlog *pending = pending_of(backlog);
    struct outbox *outbox = backlog->outbox;
    enum backlog_lane lane = *batch ? (*batch)->lane : bounds->lane;
    bool is_new = !*batch;

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->round = outbox->round;

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);
    struct tally_sink sink = row ? *row : (struct tally_sink){ 0 };
    struct taking taking = { pending, &sink, bounds, arena, batch };

    (void)pthread_mutex_unlock(&outbox->mutex);
    window_pass(&pending->window, sink.cursor);
    if (!correct_retries(pending, &sink, bounds, err))
        return false;
    if (look_ahead(pending, &sink) && (sink.paused || take_from_lanes(&taking, lane))) {
        if (sink.paused)
            backlog->retry_due_us = INT64_MAX;
        return true;
    }
    if (is_new && *batch) {
        batch_remove(backlog, *batch);
        store_backlog_settle(backlog, *batch, NULL);
        *batch = NULL;
    }
    return fail_look(pending, err);
}
