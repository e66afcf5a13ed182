/*
 * sinks.c - which sinks there are.
 *
 * Records are deleted as a range from the low end, up to the lowest cursor. A sink that was removed
 * from the configuration would hold that back for ever: what it had left goes into retry rows of
 * its own, and its cursor moves on.
 */
#include <string.h>

#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"

enum { MOVE_AT_ONCE = 500 }; /* records in one statement */

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
    int64_t last = sink->until - sink->cursor > rows ? sink->cursor + rows : sink->until;

    if (!outbox_db_run(&outbox->db, SQL_RETRY_FROM_RECORDS, "iii", sink->cursor, last, sink->id))
        return false;
    sink->cursor = last;
    return true;
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
              LOG_INT("pending", sink->pending));
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
