/*
 * dead.c - what an operator does with single records: set one aside as dead, deliver a dead one
 * again.
 */
#include "base/log.h"
#include "delivery/outbox/discard.h"
#include "delivery/outbox/records.h"

struct set_aside {
    const char *sink; /* NULL: the one sink that waits for it */
    int64_t seq;
};

/* A record that a sink may wait for. */
struct waiting {
    int64_t seq;
    bool is_retry; /* else it is the first one behind the cursor */
    int64_t attempts;
};

/* Is the record the first row of this statement, which was run to it? */
static bool dead_take_row(struct db *db, enum sql from, enum db_found found,
                          struct waiting *waiting)
{
    bool is_it = found == DB_FOUND && db_int(db, from, 0) == waiting->seq;

    if (is_it)
        waiting->attempts = db_int(db, from, 7);
    db_reset(db, from);
    return is_it;
}

static bool find_retry(struct db *db, const struct tally_sink *sink, struct waiting *waiting)
{
    waiting->is_retry = true;
    return dead_take_row(db, SQL_RETRY_FIND,
                         db_find(db, SQL_RETRY_FIND, "ii", sink->id, waiting->seq), waiting);
}

static bool find_head(struct db *db, const struct tally_sink *sink, struct waiting *waiting)
{
    waiting->is_retry = false;
    return dead_take_row(
        db, SQL_RECORDS_AFTER,
        db_find(db, SQL_RECORDS_AFTER, "iii", sink->cursor, INT64_C(1), tally_mask(sink)), waiting);
}

/* Does the sink wait for the record? Without a named sink, its first record must have failed. */
static bool waits_for(struct outbox_store *store, const struct tally_sink *sink,
                      const struct set_aside *order, struct waiting *out)
{
    bool may_be_head = sink->configured && (order->sink || sink->head_next_us > 0);

    out->seq = order->seq;
    return find_retry(&store->db, sink, out) || (may_be_head && find_head(&store->db, sink, out));
}

static bool set_aside_for(struct outbox_store *store, struct tally_sink *sink,
                          const struct set_aside *order, struct error *err)
{
    struct waiting waiting;

    if (!waits_for(store, sink, order, &waiting))
        return fail(err, ERR_NOT_FOUND, "sink %s does not wait for record %lld", sink->name,
                    (long long)order->seq);

    const struct records_death death = { order->seq, waiting.attempts + 1,
                                         STR("moved by an operator"), STR_NONE };

    if (!(waiting.is_retry ? records_bury_retry(store, sink, &death)
                           : records_bury_head(store, sink, &death)))
        return db_fail(&store->db, "store", err);
    store->has_news = true;
    store->upkeep.pending = true;
    LOG_EVENT(LOG_WARN, "sink_record_moved", LOG_STR("sink", str_from_c(sink->name)),
              LOG_INT("sequence", order->seq));
    return true;
}

static bool set_aside(struct outbox_store *store, void *arg, struct error *err)
{
    const struct set_aside *order = arg;
    struct tally *tally = &store->tally;
    struct tally_sink *sink = order->sink ? tally_find_sink(tally, order->sink) : NULL;
    struct waiting waiting;

    if (order->sink && !sink)
        return fail(err, ERR_NOT_FOUND, "the store has no sink %s", order->sink);
    for (size_t i = 0; !order->sink && i < tally->sink_count; i++) {
        if (!waits_for(store, &tally->sinks[i], order, &waiting))
            continue;
        if (sink)
            return fail(err, ERR_INVALID, "several sinks wait for record %lld: say which",
                        (long long)order->seq);
        sink = &tally->sinks[i];
    }
    return sink ? set_aside_for(store, sink, order, err)
                : fail(err, ERR_NOT_FOUND, "no sink waits for record %lld", (long long)order->seq);
}

bool outbox_set_aside(struct outbox *outbox, const char *sink, int64_t seq, struct error *err)
{
    struct set_aside order = { sink, seq };

    return outbox_run(outbox, set_aside, &order, err);
}

/*
 * A replay of the history may have made the record wait for the sink again, or a second dead row
 * of it. It waits once: the other one is dropped.
 */
static bool revive_once(struct outbox_store *store, struct tally_sink *sink, int64_t id,
                        int64_t seq)
{
    struct waiting waiting = { .seq = seq };

    if (!find_retry(&store->db, sink, &waiting))
        return records_revive(store, sink, id, seq);
    sink->dropped++;
    return records_delete_dead(store, sink, id, seq);
}

static bool revive(struct outbox_store *store, void *arg, struct error *err)
{
    const int64_t *id = arg;
    int64_t row[2] = { 0 }; /* sink, sequence */
    enum db_found found = db_numbers(&store->db, SQL_DEAD_FIND, row, "i", *id);
    struct tally_sink *sink = tally_sink_by_id(&store->tally, row[0]); /* ids begin at 1 */

    if (found != DB_BROKEN && !sink)
        return fail(err, ERR_NOT_FOUND, "there is no dead record %lld", (long long)*id);
    if (found == DB_BROKEN || !revive_once(store, sink, *id, row[1]))
        return db_fail(&store->db, "store", err);
    store->has_news = true;
    return true;
}

bool outbox_revive(struct outbox *outbox, int64_t id, struct error *err)
{
    return outbox_run(outbox, revive, &id, err);
}

/* Give up dead records. */

static bool discard_dead_row(struct outbox_store *store, int64_t id, bool *is_gone)
{
    int64_t row[2] = { 0 }; /* sink, sequence */
    enum db_found found = db_numbers(&store->db, SQL_DEAD_FIND, row, "i", id);
    struct tally_sink *sink = tally_sink_by_id(&store->tally, row[0]);

    if (found != DB_FOUND)
        return found != DB_BROKEN;
    if (sink)
        sink->dropped++;
    *is_gone = true;
    return records_delete_dead(store, sink, id, row[1]);
}

bool outbox_discard_dead(struct outbox *outbox, const int64_t *ids, size_t count, size_t *gone,
                         struct error *err)
{
    struct discard order = { .row = discard_dead_row, .ids = ids, .count = count };
    bool ok = discard_rows(outbox, &order, err);

    *gone = order.gone;
    return ok;
}
