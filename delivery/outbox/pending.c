/*
 * pending.c - the records in the store that a sink has still to get: backlog_next().
 *
 * New records lie behind the sink's cursor, others in its retry rows. The lanes take turns, so that
 * neither keeps the other waiting. The retry rows of an ordered sink are what it had left when it
 * was removed from the configuration: they come before all new records.
 */
#include <assert.h>

#include "base/clock.h"
#include "delivery/outbox/committer.h"

enum { SLACK_US = US_PER_S }; /* a clock may be set back so far without retries being moved up */

static_assert(offsetof(struct store_backlog, backlog) == 0, "backlog_close() frees it");

static struct store_backlog *pending_of(struct backlog *backlog)
{
    return CONTAINER_OF(backlog, struct store_backlog, backlog);
}

bool store_backlog_open(struct backlog *backlog, struct error *err)
{
    const char *path = backlog->outbox->options.path;

    return db_open(&pending_of(backlog)->db, path, DB_READ, err);
}

void store_backlog_close(struct backlog *backlog)
{
    db_close(&pending_of(backlog)->db);
}

static struct str pending_copy_text(struct store_backlog *pending, enum sql from, int column)
{
    struct str text = db_text(&pending->db, from, column);

    return text.ptr ? arena_copy(pending->backlog.arena, text) : STR_NONE;
}

static struct backlog_record copy_row(struct store_backlog *pending, enum sql from)
{
    return (struct backlog_record){
        .seq = db_int(&pending->db, from, 0),
        .key = pending_copy_text(pending, from, 1),
        .accepted_us = db_int(&pending->db, from, 2),
        .registry = pending_copy_text(pending, from, 3),
        .schema = pending_copy_text(pending, from, 4),
        .version = pending_copy_text(pending, from, 5),
        .bytes = pending_copy_text(pending, from, 6),
        .attempts = db_int(&pending->db, from, 7),
    };
}

static bool is_over(const struct backlog_bounds *bounds, size_t bytes, size_t key_bytes)
{
    return bytes > bounds->bytes || (bounds->key_bytes > 0 && key_bytes > bounds->key_bytes);
}

/* Take rows within the bounds. `found` is the statement's first step. */
static bool take_rows(struct store_backlog *pending, enum sql from, enum db_found found,
                      const struct backlog_bounds *bounds)
{
    struct backlog *backlog = &pending->backlog;
    size_t bytes = 0;
    size_t key_bytes = 0;

    while (found == DB_FOUND && backlog->count < bounds->records) {
        bytes += db_text(&pending->db, from, 6).len;
        key_bytes += db_text(&pending->db, from, 1).len;
        if (backlog->count > 0 && is_over(bounds, bytes, key_bytes))
            break;
        backlog->records[backlog->count++] = copy_row(pending, from);
        found = db_next(&pending->db, from);
    }
    db_reset(&pending->db, from);
    return found != DB_BROKEN;
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

static bool look_at_retries(struct store_backlog *pending, const struct tally_sink *sink,
                            const struct backlog_bounds *bounds)
{
    struct backlog *backlog = &pending->backlog;
    struct backlog_bounds own = *bounds;
    enum sql from = backlog->ordered ? SQL_RETRY_IN_ORDER : SQL_RETRY_DUE;

    if (bounds->retries > 0)
        own.records = bounds->retries;

    enum db_found found =
        db_find(&pending->db, from, "iii", sink->id, clock_now_us(), (int64_t)own.records);

    if (!take_rows(pending, from, found, &own))
        return false;
    backlog->lane = backlog->count > 0 ? BACKLOG_RETRIES : BACKLOG_NEW;
    return true;
}

static bool look_behind_cursor(struct store_backlog *pending, const struct tally_sink *sink,
                               const struct backlog_bounds *bounds)
{
    struct backlog *backlog = &pending->backlog;

    if (sink->head_next_us > clock_now_us() && !is_too_far(bounds, sink->head_next_us)) {
        if (sink->head_next_us < backlog->retry_due_us)
            backlog->retry_due_us = sink->head_next_us;
        return true;
    }

    enum db_found found =
        db_find(&pending->db, SQL_RECORDS_AFTER, "ii", sink->cursor, (int64_t)bounds->records);

    if (!take_rows(pending, SQL_RECORDS_AFTER, found, bounds))
        return false;
    if (backlog->count > 0)
        backlog->records[0].attempts = sink->head_attempts;
    backlog->lane = BACKLOG_NEW;
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

/* Note when the oldest pending record was accepted, and when the next retry is due. */
static bool look_ahead(struct store_backlog *pending, const struct tally_sink *sink)
{
    int64_t retry_us;
    int64_t record_us;

    if (!look_up(pending, SQL_RETRY_OLDEST, sink->id, &retry_us) ||
        !look_up(pending, SQL_RECORD_TIME, sink->cursor, &record_us) ||
        !look_up(pending, SQL_RETRY_NEXT_TIME, sink->id, &pending->backlog.retry_due_us))
        return false;
    if (record_us < retry_us)
        retry_us = record_us;
    note_oldest(&pending->backlog, retry_us == INT64_MAX ? 0 : retry_us);
    return true;
}

static bool pending_look(struct store_backlog *pending, const struct tally_sink *sink,
                         const struct backlog_bounds *bounds)
{
    struct backlog *backlog = &pending->backlog;
    bool has_retries = backlog->retry_due_us != INT64_MAX;
    bool new_ones_first = pending->retries_were_last && !backlog->ordered;

    if (bounds->lane == BACKLOG_NEW)
        return look_behind_cursor(pending, sink, bounds);
    if (bounds->lane == BACKLOG_RETRIES)
        return look_at_retries(pending, sink, bounds);
    if (new_ones_first && !look_behind_cursor(pending, sink, bounds))
        return false;
    if (backlog->count == 0 && has_retries && !look_at_retries(pending, sink, bounds))
        return false;
    if (backlog->count == 0 && !new_ones_first && !(backlog->ordered && has_retries))
        return look_behind_cursor(pending, sink, bounds);
    return true;
}

bool store_backlog_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                        struct error *err)
{
    struct store_backlog *pending = pending_of(backlog);
    struct outbox *outbox = backlog->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    backlog->round = outbox->round;

    const struct tally_sink *row = tally_find_sink(&outbox->published, backlog->sink);
    struct tally_sink sink = row ? *row : (struct tally_sink){ 0 };

    (void)pthread_mutex_unlock(&outbox->mutex);
    arena_reset(backlog->arena);
    backlog->records = arena_alloc(backlog->arena,
                                   (bounds->records + bounds->retries) * sizeof(*backlog->records));
    backlog->count = 0;
    pending->retries_were_last = backlog->lane == BACKLOG_RETRIES;
    if (!correct_retries(pending, &sink, bounds, err))
        return false;
    if (!look_ahead(pending, &sink) || !pending_look(pending, &sink, bounds)) {
        backlog->count = 0;
        return fail_look(pending, err);
    }
    return true;
}
