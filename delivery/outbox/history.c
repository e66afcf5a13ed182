/*
 * history.c - see history.h.
 *
 * A record is delivered again by way of a retry row that is due. So for a strictly ordered sink old
 * records come before all new ones. Records behind the sink's cursor are pending anyway.
 */
#include "delivery/outbox/history.h"

#include "delivery/outbox/capacity.h"
#include "delivery/outbox/recount.h"

enum {
    REPLAY_ROWS = 2000,   /* that one portion of a replay looks at */
    REPLAY_SIZE_PART = 2, /* no more is added while this part of max_size waits */
    KEEP_ALL = -1,
};

bool history_is_on(const struct outbox_store *store)
{
    return store->outbox.options.history_us > 0;
}

bool history_is_too_large(const struct outbox_store *store)
{
    return store->tally.numbers[TALLY_HISTORY_BYTES] >
           (int64_t)store->outbox.options.history_max_size;
}

/* Bytes of records in a range. */
struct held {
    int64_t all;
    int64_t dead;    /* that only dead rows need */
    int64_t history; /* that nothing needs but the history */
};

static bool sum_held(struct outbox_store *store, int64_t first, int64_t last, struct held *out)
{
    const int64_t *numbers = store->tally.numbers;
    int64_t row[3] = { 0 };
    enum db_found found = db_numbers(&store->db, SQL_RECORD_HELD, row, "iiii", first, last,
                                     numbers[TALLY_PRUNED], numbers[TALLY_HISTORY_FROM]);

    *out = (struct held){ row[0], row[1], row[2] };
    return found == DB_FOUND;
}

/* What is needed in a range that lies on one side of a recount has changed. */
static void count_change(struct outbox_store *store, int64_t last, const struct held *before,
                         const struct held *after)
{
    struct tally *tally = &store->tally;
    int64_t dead = after->dead - before->dead;
    int64_t history = after->history - before->history;

    tally_add_dead_bytes(tally, last, dead);
    tally_add_history(tally, last, history);
    tally_add_waiting(tally, last, after->all - before->all - dead - history);
}

/* The end of the next records to delete, at most `rows`; KEEP_ALL: none may go. */
static bool history_find_end(struct outbox_store *store, int64_t first, int64_t rows, int64_t *last)
{
    const int64_t *numbers = store->tally.numbers;
    int64_t kept_us = store->outbox.options.history_us;
    int64_t most = lesser(first + rows, numbers[TALLY_PRUNED]);
    int64_t excess = numbers[TALLY_HISTORY_BYTES] - (int64_t)store->outbox.options.history_max_size;
    int64_t young = 0;
    enum db_found found;

    *last = most;
    if (!history_is_on(store) || capacity_needs_room(store))
        return true;
    if (excess > 0) {
        int64_t each = numbers[TALLY_HISTORY_BYTES] / (numbers[TALLY_PRUNED] - first) + 1;

        *last = lesser(most, first + 1 + excess / each);
        return true;
    }
    *last = KEEP_ALL;
    if (!store->may_expire)
        return true;
    found = db_numbers(&store->db, SQL_RECORD_YOUNG, &young, "iii", first, most,
                       store->trusted_us - kept_us);
    if (found == DB_NONE)
        *last = most;
    else if (young - 1 > first)
        *last = young - 1;
    return found != DB_BROKEN;
}

bool history_prune(struct outbox_store *store, int64_t rows, bool *done)
{
    int64_t *from = &store->tally.numbers[TALLY_HISTORY_FROM];
    struct held before;
    struct held after;
    int64_t last;

    if (!history_is_on(store) && store->tally.numbers[TALLY_HISTORY_BYTES] == 0)
        *from = store->tally.numbers[TALLY_PRUNED]; /* there is none */
    *done = *from >= store->tally.numbers[TALLY_PRUNED];
    if (*done)
        return true;
    if (!history_find_end(store, *from, rows, &last))
        return false;
    *done = last == KEEP_ALL;
    if (*done)
        return true;
    last = recount_range_end(store, *from, last);
    if (!sum_held(store, *from, last, &before) ||
        !db_run(&store->db, SQL_RECORD_DELETE_RANGE, "ii", *from, last))
        return false;

    int64_t first = *from;

    *from = last;
    if (!sum_held(store, first, last, &after))
        return false;
    count_change(store, last, &before, &after);
    return true;
}

/* Which records a sink gets again. */
struct choice {
    struct tally_sink *sink;
    int64_t first; /* those behind this, */
    int64_t last;  /* and up to this */
    int64_t from_us;
    int64_t until_us;
    struct str routes; /* a JSON array of names: records of these, */
    int64_t mask;      /* and those that were for a sink of this mask */
};

/* Does so much wait that no more may be added? New events need the rest of max_size. */
static bool is_busy(const struct outbox_store *store)
{
    return tally_waiting(&store->tally) >
           (int64_t)(store->outbox.options.max_size / REPLAY_SIZE_PART);
}

/* The chosen records become due for the sink; `*count` is their number. */
static bool give(struct outbox_store *store, const struct choice *choice, int64_t *count)
{
    struct tally_sink *sink = choice->sink;
    struct held before;
    struct held after;

    if (!sum_held(store, choice->first, choice->last, &before) ||
        !db_run(&store->db, SQL_RETRY_FROM_HISTORY, "iiiiiiis", choice->first, choice->last,
                sink->id, choice->from_us, choice->until_us, choice->mask, sink->since,
                choice->routes))
        return false;
    *count = db_changes(&store->db);
    if (*count == 0)
        return true;
    if (!sum_held(store, choice->first, choice->last, &after))
        return false;
    count_change(store, choice->last, &before, &after);
    sink->enqueued += *count;
    sink->unkeyed += *count;
    tally_add_pending(&store->tally, sink, choice->last, *count);
    store->has_news = true;
    return true;
}

bool history_fill(struct outbox_store *store, int64_t rows, bool *done)
{
    struct tally *tally = &store->tally;

    *done = true;
    for (size_t i = 0; i < tally->sink_count && *done; i++) {
        struct tally_sink *sink = &tally->sinks[i];
        const char *text = sink->slot >= 0 ? store->routes[sink->slot] : NULL;
        struct choice choice = {
            .sink = sink, .first = sink->fill, .until_us = INT64_MAX, .routes = str_from_c(text)
        };
        int64_t count;

        if (!text || sink->fill >= sink->fill_until || is_busy(store))
            continue;
        choice.last =
            recount_range_end(store, sink->fill, lesser(sink->fill + rows, sink->fill_until));
        if (!give(store, &choice, &count))
            return false;
        sink->fill = choice.last;
        *done = sink->fill == sink->fill_until;
    }
    return true;
}

/* A replay, as an operator asks. */

static bool count_chosen(struct outbox_store *store, const struct choice *choice, int64_t *count)
{
    return db_numbers(&store->db, SQL_RETRY_COUNT_HISTORY, count, "iiiiiiis", choice->first,
                      choice->last, choice->sink->id, choice->from_us, choice->until_us,
                      choice->mask, choice->sink->since, choice->routes) == DB_FOUND;
}

static bool replay_portion(struct outbox_store *store, struct tally_sink *sink,
                           struct outbox_replay *replay)
{
    int64_t last = lesser(replay->position + REPLAY_ROWS, replay->end);
    const struct choice choice = {
        .sink = sink,
        .first = replay->position,
        .last = recount_range_end(store, replay->position, last),
        .from_us = replay->from_us,
        .until_us = replay->until_us,
        .routes = str_from_c(replay->routes),
        .mask = replay->only_routes ? 0 : tally_mask(sink),
    };

    replay->position = choice.last;
    replay->done = choice.last >= replay->end;
    return replay->dry_run ? count_chosen(store, &choice, &replay->count)
                           : give(store, &choice, &replay->count);
}

static bool replay_some(struct outbox_store *store, void *arg, struct error *err)
{
    struct outbox_replay *replay = arg;
    struct tally_sink *sink = tally_find_sink(&store->tally, replay->sink);

    if (!sink || !sink->configured)
        return fail(err, ERR_NOT_FOUND, "the store has no configured sink %s", replay->sink);
    if (replay->end == 0)
        replay->end = sink->cursor;
    replay->position = greater(replay->position, store->tally.numbers[TALLY_HISTORY_FROM]);
    replay->count = 0;
    replay->waits = !replay->dry_run && is_busy(store);
    replay->done = replay->position >= replay->end;
    if (replay->waits || replay->done)
        return true;
    return replay_portion(store, sink, replay) || db_fail(&store->db, "store", err);
}

bool outbox_replay(struct outbox *outbox, struct outbox_replay *replay, struct error *err)
{
    struct outbox_replay portion = *replay;

    if (!outbox_run(outbox, replay_some, &portion, err))
        return false;
    *replay = portion;
    return true;
}
