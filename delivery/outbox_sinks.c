/*
 * outbox_sinks.c - which sinks there are, and letting go of what none of them needs.
 *
 * Records are deleted as a range from the low end, up to the lowest cursor. A sink that was removed
 * from the configuration would hold that back for ever: what it had left goes into retry rows of
 * its own, and its cursor moves on.
 */
#include <string.h>

#include "base/log.h"
#include "delivery/outbox_internal.h"

enum {
    DEAD_PART = 4,     /* of max_size, which dead records may fill */
    MOVE_AT_ONCE = 500 /* records in one statement */
};

static bool is_named(const struct outbox_options *options, const char *name)
{
    for (size_t i = 0; i < options->sink_count; i++)
        if (strcmp(options->sinks[i], name) == 0)
            return true;
    return false;
}

/* Put at most `rows` of what a removed sink has left into retry rows. */
static bool move(struct outbox *outbox, struct tally_sink *sink, int64_t rows)
{
    struct outbox_db *db = &outbox->db;

    if (!outbox_db_run(db, SQL_RETRY_FROM_RECORDS, "iiii", sink->id, sink->cursor, sink->until,
                       rows))
        return false;

    bool last = outbox_db_changes(db) < rows;
    enum outbox_found found =
        outbox_db_find(db, SQL_RETRY_MOVED, "iii", sink->id, sink->cursor, sink->until);

    if (found == OUTBOX_FOUND) {
        outbox->tally.numbers[TALLY_WAITING] += outbox_db_int(db, SQL_RETRY_MOVED, 1);
        sink->cursor = last ? sink->until : outbox_db_int(db, SQL_RETRY_MOVED, 0);
    }
    outbox_db_reset(db, SQL_RETRY_MOVED);
    return found == OUTBOX_FOUND;
}

bool outbox_removed_move(struct outbox *outbox, int64_t rows, bool *done)
{
    for (size_t i = 0; i < outbox->tally.sink_count; i++) {
        struct tally_sink *sink = &outbox->tally.sinks[i];

        *done = sink->configured || sink->cursor >= sink->until;
        if (!*done)
            return move(outbox, sink, rows);
    }
    *done = true;
    return true;
}

/* It is back: what it had left is in retry rows, what came meanwhile was never for it. */
static bool welcome_back(struct outbox *outbox, struct tally_sink *sink)
{
    while (sink->cursor < sink->until)
        if (!move(outbox, sink, MOVE_AT_ONCE))
            return false;
    sink->configured = 1;
    sink->cursor = outbox->tally.numbers[TALLY_NEXT_SEQ] - 1;
    sink->head_attempts = 0;
    sink->head_next_us = 0;
    return true;
}

static void dismiss(struct outbox *outbox, struct tally_sink *sink)
{
    sink->configured = 0;
    sink->until = outbox->tally.numbers[TALLY_NEXT_SEQ] - 1;
    LOG_EVENT(LOG_WARN, "sink_removed", LOG_STR("sink", str_from_c(sink->name)),
              LOG_INT("pending", tally_pending(sink)));
}

static bool add(struct outbox *outbox, const char *name, struct error *err)
{
    struct tally *tally = &outbox->tally;
    struct tally_sink *sink = &tally->sinks[tally->sink_count];
    int64_t id = 1;

    if (tally->sink_count == OUTBOX_SINKS_MAX)
        return fail(err, ERR_CONFIG,
                    "the store has rows of %d sinks already: drop some with `outbox drop-sink`",
                    OUTBOX_SINKS_MAX);
    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].id >= id)
            id = tally->sinks[i].id + 1;
    *sink = (struct tally_sink){ .id = id,
                                 .configured = 1,
                                 .cursor = tally->numbers[TALLY_NEXT_SEQ] - 1 };
    memcpy(sink->name, name, strnlen(name, OUTBOX_NAME_SIZE - 1));
    tally->sink_count++;
    return true;
}

bool outbox_sinks_configure(struct outbox *outbox, struct error *err)
{
    const struct outbox_options *options = &outbox->options;
    struct tally *tally = &outbox->tally;

    for (size_t i = 0; i < tally->sink_count; i++) {
        struct tally_sink *sink = &tally->sinks[i];
        bool named = is_named(options, sink->name);

        if (sink->configured && !named)
            dismiss(outbox, sink);
        else if (!sink->configured && named && !welcome_back(outbox, sink))
            return outbox_db_fail(&outbox->db, "store", err);
    }
    for (size_t i = 0; i < options->sink_count; i++)
        if (!tally_find_sink(tally, options->sinks[i]) && !add(outbox, options->sinks[i], err))
            return false;
    return true;
}

static bool find_first(struct outbox *outbox, int64_t *first)
{
    enum outbox_found found = outbox_db_find(&outbox->db, SQL_RECORD_FIRST, "");

    *first = found == OUTBOX_FOUND ? outbox_db_int(&outbox->db, SQL_RECORD_FIRST, 0) : INT64_MAX;
    outbox_db_reset(&outbox->db, SQL_RECORD_FIRST);
    return found != OUTBOX_BROKEN;
}

static bool delete_records(struct outbox *outbox, int64_t first, int64_t last)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found = outbox_db_find(db, SQL_RECORD_SIZE, "ii", first, last);
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_RECORD_SIZE, 0) : 0;

    outbox_db_reset(db, SQL_RECORD_SIZE);
    outbox->tally.numbers[TALLY_WAITING] -= size;
    return found == OUTBOX_FOUND && outbox_db_run(db, SQL_RECORD_DELETE, "ii", first, last);
}

bool outbox_records_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    int64_t floor = tally_floor(&outbox->tally);
    int64_t first = INT64_MAX;

    if (outbox->tally.numbers[TALLY_WAITING] > 0 && !find_first(outbox, &first))
        return false;
    *done = first > floor || floor - first < rows;
    if (first > floor)
        return true;
    return delete_records(outbox, first, *done ? floor : first + rows - 1);
}

/* The oldest dead record goes. */
static bool bury(struct outbox *outbox)
{
    struct outbox_db *db = &outbox->db;
    struct tally *tally = &outbox->tally;
    enum outbox_found found = outbox_db_find(db, SQL_DEAD_OLDEST, "");
    int64_t row = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_OLDEST, 0) : 0;
    int64_t sink = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_OLDEST, 1) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_OLDEST, 2) : 0;

    outbox_db_reset(db, SQL_DEAD_OLDEST);
    if (found != OUTBOX_FOUND)
        return found == OUTBOX_NONE;
    tally->numbers[TALLY_WAITING] -= size;
    tally->numbers[TALLY_DEAD_BYTES] -= size;
    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].id == sink) {
            tally->sinks[i].dead--;
            tally->sinks[i].dropped++;
        }
    return outbox_db_run(db, SQL_DEAD_DELETE, "i", row);
}

bool outbox_dead_prune(struct outbox *outbox, int64_t rows, bool *done)
{
    int64_t most = (int64_t)(outbox->options.max_size / DEAD_PART);
    int64_t i = 0;

    while (i < rows && outbox->tally.numbers[TALLY_DEAD_BYTES] > most) {
        if (!bury(outbox))
            return false;
        i++;
    }
    *done = outbox->tally.numbers[TALLY_DEAD_BYTES] <= most;
    return true;
}
