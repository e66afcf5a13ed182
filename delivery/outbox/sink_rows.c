/*
 * sink_rows.c - see sink_rows.h.
 *
 * Records are deleted as a range from the low end, up to the lowest cursor. The cursor of a removed
 * sink would hold that back for ever, so its records go into retry rows of its own, and its cursor
 * moves on.
 */
#include "delivery/outbox/sink_rows.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "delivery/outbox/records.h"
#include "delivery/outbox/recount.h"

enum {
    MOVE_ROWS = 500, /* in one statement */
    DROP_ROWS = 500, /* of each table in one transaction */
};

static bool is_named(const struct outbox_options *options, const char *name)
{
    for (size_t i = 0; i < options->sink_count; i++)
        if (strcmp(options->sinks[i], name) == 0)
            return true;
    return false;
}

/* The number of the last record so far. */
static int64_t newest(const struct tally *tally)
{
    return tally->numbers[TALLY_NEXT_SEQ] - 1;
}

/* The first record in (first, last] that is for the sink; INT64_MAX: there is none. */
static bool find_first(struct outbox_store *store, const struct tally_sink *sink, int64_t last,
                       int64_t *seq)
{
    enum db_found found = db_numbers(&store->db, SQL_RECORD_FIRST_FOR, seq, "iii", sink->cursor,
                                     last, tally_mask(sink));

    if (found == DB_NONE)
        *seq = INT64_MAX;
    return found != DB_BROKEN;
}

/* Are there records behind the cursor that are not for the sink? */
static bool has_others(const struct tally *tally, const struct tally_sink *sink)
{
    return sink->configured && newest(tally) - sink->cursor > sink->behind;
}

bool sink_rows_pass(struct outbox_store *store, int64_t rows, bool *done)
{
    struct tally *tally = &store->tally;

    *done = true;
    for (size_t i = 0; i < tally->sink_count; i++) {
        struct tally_sink *sink = &tally->sinks[i];
        int64_t last = lesser(sink->cursor + rows, newest(tally));
        int64_t first;

        if (!has_others(tally, sink))
            continue;
        if (!find_first(store, sink, last, &first))
            return false;
        sink->cursor = lesser(first - 1, last);
        *done = *done && (first != INT64_MAX || last == newest(tally));
    }
    return true;
}

/* Put the records among the next `rows` up to `until` that are for the sink into retry rows. */
static bool move(struct outbox_store *store, struct tally_sink *sink, int64_t rows, int64_t until)
{
    int64_t last = lesser(sink->cursor + rows, until);

    last = recount_range_end(store, sink->cursor, last);
    if (!db_run(&store->db, SQL_RETRY_FROM_RECORDS, "iiii", sink->cursor, last, sink->id,
                tally_mask(sink)))
        return false;
    tally_add_behind(&store->tally, sink, last, -db_changes(&store->db));
    sink->cursor = last;
    return true;
}

bool sink_rows_move_removed(struct outbox_store *store, int64_t rows, bool *done)
{
    for (size_t i = 0; i < store->tally.sink_count; i++) {
        struct tally_sink *sink = &store->tally.sinks[i];

        *done = sink->configured || sink->cursor >= sink->until;
        if (!*done)
            return move(store, sink, rows, sink->until);
    }
    *done = true;
    return true;
}

/* Does the sink come back, and have not all its old records been moved into retry rows? */
static bool must_move(const struct tally_sink *sink)
{
    return sink && !sink->configured && sink->cursor < sink->until;
}

/* Its old records are in retry rows; it does not get those accepted meanwhile. */
static void restore(struct outbox_store *store, struct tally_sink *sink)
{
    sink->configured = 1;
    records_skip(sink, newest(&store->tally));
}

static void remove_sink(struct outbox_store *store, struct tally_sink *sink)
{
    sink->configured = 0;
    sink->slot = -1;
    sink->until = newest(&store->tally);
    LOG_EVENT(LOG_WARN, "sink_removed", LOG_STR("sink", str_from_c(sink->name)),
              LOG_INT("pending", sink->pending));
}

/* A new sink starts at now, or history_fill() gives it the history. */
static void add_sink(struct outbox_store *store, const struct outbox_sink *sink)
{
    struct tally *tally = &store->tally;
    struct tally_sink *row = tally_add_sink(tally, sink->name, sink->slot);

    if (!sink->routes)
        return;
    row->fill = tally->numbers[TALLY_HISTORY_FROM];
    row->fill_until = row->cursor;
}

/* The sink gets records from now on. */
static void use_sink(struct outbox_store *store, const struct outbox_sink *sink)
{
    struct tally_sink *row = tally_find_sink(&store->tally, sink->name);

    mem_free(store->routes[sink->slot]);
    store->routes[sink->slot] = sink->routes ? mem_copy_string(sink->routes) : NULL;
    if (!row) {
        add_sink(store, sink);
        return;
    }
    if (!row->configured)
        restore(store, row);
    row->slot = (int64_t)sink->slot;
}

struct addition {
    const struct outbox_sink *sinks;
    size_t count;
    bool done;
};

/* Old records of sinks that come back are moved first, a portion in each transaction. */
static bool add_some(struct outbox_store *store, void *arg, struct error *err)
{
    struct addition *addition = arg;
    struct tally *tally = &store->tally;

    if (!tally_has_room(tally, addition->sinks, addition->count, err))
        return false;
    for (size_t i = 0; i < addition->count; i++) {
        struct tally_sink *row = tally_find_sink(tally, addition->sinks[i].name);

        if (must_move(row))
            return move(store, row, MOVE_ROWS, row->until) || db_fail(&store->db, "store", err);
    }
    for (size_t i = 0; i < addition->count; i++)
        use_sink(store, &addition->sinks[i]);
    store->upkeep.pending = true;
    addition->done = true;
    return true;
}

bool sink_rows_add(struct outbox *outbox, const struct outbox_sink *sinks, size_t count,
                   struct error *err)
{
    struct addition addition = { sinks, count, false };

    while (!addition.done)
        if (!outbox_run(outbox, add_some, &addition, err))
            return false;
    return true;
}

static bool remove_one(struct outbox_store *store, void *arg, struct error *err)
{
    struct tally_sink *sink = tally_find_sink(&store->tally, arg);

    (void)err;
    if (sink && sink->configured)
        remove_sink(store, sink);
    store->upkeep.pending = true;
    return true;
}

bool sink_rows_remove(struct outbox *outbox, const char *name, struct error *err)
{
    return outbox_run(outbox, remove_one, (void *)name, err);
}

bool sink_rows_configure(struct outbox_store *store, const struct outbox_options *options,
                         struct error *err)
{
    struct outbox_sink *sinks = outbox_list_sinks(options);
    struct addition addition = { sinks, options->sink_count, false };
    struct tally *tally = &store->tally;
    bool ok = true;

    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].configured && !is_named(options, tally->sinks[i].name))
            remove_sink(store, &tally->sinks[i]);
    while (ok && !addition.done)
        ok = add_some(store, &addition, err);
    mem_free(sinks);
    return ok;
}

/* Dropping a sink, as an operator asks. */

struct drop {
    const char *name;
    bool done;
};

/* Pass some of the records behind its cursor; `*count` is set to their number. */
static bool drop_behind_cursor(struct outbox_store *store, struct tally_sink *sink, int64_t *count)
{
    int64_t last = sink->until - sink->cursor > DROP_ROWS ? sink->cursor + DROP_ROWS : sink->until;

    *count = 0;
    if (sink->cursor >= sink->until)
        return true;
    last = recount_range_end(store, sink->cursor, last);
    if (db_numbers(&store->db, SQL_RECORD_COUNT_FOR, count, "iii", sink->cursor, last,
                   tally_mask(sink)) != DB_FOUND)
        return false;
    tally_add_behind(&store->tally, sink, last, -*count);
    tally_add_pending(&store->tally, sink, last, -*count);
    sink->cursor = last; /* so that they can be deleted */
    return true;
}

/* Delete one of its retry rows or dead rows; `*gone`: there was one. */
static bool drop_row(struct outbox_store *store, struct tally_sink *sink, bool dead, bool *gone)
{
    int64_t row[2] = { 0 }; /* dead: id and sequence; else the sequence */
    enum db_found found =
        db_numbers(&store->db, dead ? SQL_DEAD_FIRST : SQL_RETRY_FIRST, row, "i", sink->id);

    *gone = found == DB_FOUND;
    if (!*gone)
        return found == DB_NONE;
    return dead ? records_delete_dead(store, sink, row[0], row[1])
                : records_delete_retry(store, sink, row[0], gone);
}

static bool drop_rows(struct outbox_store *store, struct tally_sink *sink, bool dead,
                      int64_t *count)
{
    bool gone = true;

    for (*count = 0; *count < DROP_ROWS && gone; *count += gone)
        if (!drop_row(store, sink, dead, &gone))
            return false;
    return true;
}

static bool forget(struct outbox_store *store, struct tally_sink *sink)
{
    if (!db_run(&store->db, SQL_SINK_DELETE, "i", sink->id))
        return false;
    tally_forget_sink(&store->tally, sink);

    /* The indexes of `oldest` have moved too; each backlog_take() sets its own again. */
    (void)pthread_mutex_lock(&store->outbox.mutex);
    memset(store->outbox.oldest, 0, sizeof(store->outbox.oldest));
    (void)pthread_mutex_unlock(&store->outbox.mutex);
    return true;
}

/* The sink stays until all rows are deleted, so that a broken-off drop can be repeated. */
static bool drop_some(struct outbox_store *store, void *arg, struct error *err)
{
    struct drop *drop = arg;
    struct tally_sink *sink = tally_find_sink(&store->tally, drop->name);
    int64_t behind = 0;
    int64_t retries = 0;
    int64_t dead = 0;

    if (!sink)
        return fail(err, ERR_NOT_FOUND, "the store has no sink %s", drop->name);
    if (sink->configured)
        return fail(err, ERR_INVALID,
                    "sink %s is configured: remove it from the configuration first", drop->name);
    store->upkeep.pending = true;
    if (!drop_behind_cursor(store, sink, &behind) || !drop_rows(store, sink, false, &retries) ||
        !drop_rows(store, sink, true, &dead))
        return db_fail(&store->db, "store", err);
    sink->dropped += behind + retries + dead;
    drop->done = sink->cursor >= sink->until && retries < DROP_ROWS && dead < DROP_ROWS;
    if (drop->done && !forget(store, sink))
        return db_fail(&store->db, "store", err);
    return true;
}

bool outbox_drop_sink(struct outbox *outbox, const char *name, struct error *err)
{
    struct drop drop = { .name = name };

    while (!drop.done) {
        if (atomic_load(&outbox->hurried))
            return fail(err, ERR_UNAVAILABLE, "broken off: the server is about to end");
        if (!outbox_run(outbox, drop_some, &drop, err))
            return false;
    }
    return true;
}

struct pause {
    const char *name;
    bool paused;
};

static bool pause_sink(struct outbox_store *store, void *arg, struct error *err)
{
    const struct pause *pause = arg;
    struct tally_sink *sink = tally_find_sink(&store->tally, pause->name);

    if (!sink)
        return fail(err, ERR_NOT_FOUND, "the store has no sink %s", pause->name);
    sink->paused = pause->paused;
    store->has_news = true;
    LOG_EVENT(LOG_WARN, pause->paused ? "sink_paused" : "sink_resumed",
              LOG_STR("sink", str_from_c(sink->name)), LOG_INT("pending", sink->pending));
    return true;
}

bool outbox_pause_sink(struct outbox *outbox, const char *name, bool paused, struct error *err)
{
    struct pause pause = { name, paused };

    return outbox_run(outbox, pause_sink, &pause, err);
}
