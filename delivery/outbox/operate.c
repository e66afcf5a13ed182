/*
 * operate.c - what an operator may ask of a store: drop a sink, deliver a dead record again.
 */
#include <string.h>

#include "delivery/outbox/outbox_internal.h"

enum { DROP_ROWS = 500 }; /* of each kind in one transaction */

struct drop {
    const char *name;
    bool done;
};

/* Some of what lies behind its cursor; `*count` tells how much. */
static bool drop_behind_cursor(struct outbox *outbox, struct tally_sink *sink, int64_t *count)
{
    struct outbox_db *db = &outbox->db;
    int64_t rest = sink->until - sink->cursor;
    int64_t last = rest > DROP_ROWS ? sink->cursor + DROP_ROWS : sink->until;

    *count = 0;
    if (rest <= 0)
        return true;
    last = outbox_range_end(outbox, sink->cursor, last);

    enum outbox_found found = outbox_db_find(db, SQL_RECORD_RANGE, "ii", sink->cursor, last);

    if (found == OUTBOX_FOUND)
        *count = outbox_db_int(db, SQL_RECORD_RANGE, 0);
    outbox_db_reset(db, SQL_RECORD_RANGE);
    tally_add_pending(&outbox->tally, sink, last, -*count);
    sink->cursor = last; /* they are free to go */
    return found == OUTBOX_FOUND;
}

/* One of its retry rows or dead rows; `*gone` tells whether there was one. */
static bool drop_row(struct outbox *outbox, struct tally_sink *sink, bool dead, bool *gone)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_statement look = dead ? SQL_DEAD_FIRST : SQL_RETRY_FIRST;
    enum outbox_found found = outbox_db_find(db, look, "i", sink->id);
    int64_t first = found == OUTBOX_FOUND ? outbox_db_int(db, look, 0) : 0;
    int64_t seq = found == OUTBOX_FOUND && dead ? outbox_db_int(db, look, 1) : first;

    outbox_db_reset(db, look);
    *gone = found == OUTBOX_FOUND;
    if (found != OUTBOX_FOUND)
        return found == OUTBOX_NONE;
    return dead ? outbox_dead_delete(outbox, sink, first, seq)
                : outbox_retry_delete(outbox, sink, seq, gone);
}

static bool drop_rows(struct outbox *outbox, struct tally_sink *sink, bool dead, int64_t *count)
{
    bool gone = true;

    for (*count = 0; *count < DROP_ROWS && gone; *count += gone)
        if (!drop_row(outbox, sink, dead, &gone))
            return false;
    return true;
}

static bool forget(struct outbox *outbox, struct tally_sink *sink)
{
    struct tally *tally = &outbox->tally;
    size_t index = (size_t)(sink - tally->sinks);

    if (!outbox_db_run(&outbox->db, SQL_SINK_DELETE, "i", sink->id))
        return false;
    tally->sink_count--;
    memmove(sink, sink + 1, (tally->sink_count - index) * sizeof(*sink));
    tally->recount = (struct tally_recount){ 0 }; /* its indexes have moved */

    /* Its pumps know better soon. */
    (void)pthread_mutex_lock(&outbox->mutex);
    memset(outbox->oldest, 0, sizeof(outbox->oldest));
    (void)pthread_mutex_unlock(&outbox->mutex);
    return true;
}

/* Until all rows are gone the sink stays, so that an interrupted drop can be repeated. */
static bool drop_some(struct outbox *outbox, void *arg, struct error *err)
{
    struct drop *drop = arg;
    struct tally_sink *sink = tally_find_sink(&outbox->tally, drop->name);
    int64_t behind = 0;
    int64_t retries = 0;
    int64_t dead = 0;

    if (!sink)
        return fail(err, ERR_NOT_FOUND, "the store has no sink %s", drop->name);
    if (sink->configured)
        return fail(err, ERR_INVALID,
                    "sink %s is configured: remove it from the configuration first", drop->name);
    outbox->upkeep.pending = true;
    if (!drop_behind_cursor(outbox, sink, &behind) || !drop_rows(outbox, sink, false, &retries) ||
        !drop_rows(outbox, sink, true, &dead))
        return outbox_db_fail(&outbox->db, "store", err);
    sink->dropped += behind + retries + dead;
    drop->done = sink->cursor >= sink->until && retries < DROP_ROWS && dead < DROP_ROWS;
    if (drop->done && !forget(outbox, sink))
        return outbox_db_fail(&outbox->db, "store", err);
    return true;
}

bool outbox_drop_sink(struct outbox *outbox, const char *name, struct error *err)
{
    struct drop drop = { .name = name };

    while (!drop.done) {
        if (atomic_load(&outbox->hurried))
            return fail(err, ERR_UNAVAILABLE, "broken off: the server is about to end");
        if (!outbox_do(outbox, drop_some, &drop, err))
            return false;
    }
    return true;
}

void outbox_hurry(struct outbox *outbox)
{
    atomic_store(&outbox->hurried, true);
}

static bool revive(struct outbox *outbox, void *arg, struct error *err)
{
    const int64_t *id = arg;
    struct outbox_db *db = &outbox->db;
    struct tally *tally = &outbox->tally;
    enum outbox_found found = outbox_db_find(db, SQL_DEAD_FIND, "i", *id);
    struct tally_sink *sink =
        found == OUTBOX_FOUND ? tally_sink_by_id(tally, outbox_db_int(db, SQL_DEAD_FIND, 0)) : NULL;
    int64_t seq = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_FIND, 1) : 0;

    outbox_db_reset(db, SQL_DEAD_FIND);
    if (found != OUTBOX_BROKEN && !sink)
        return fail(err, ERR_NOT_FOUND, "there is no dead record %lld", (long long)*id);
    if (found == OUTBOX_BROKEN || !outbox_dead_to_retry(outbox, sink, *id, seq))
        return outbox_db_fail(db, "store", err);
    outbox->woken = true;
    return true;
}

bool outbox_revive(struct outbox *outbox, int64_t id, struct error *err)
{
    return outbox_do(outbox, revive, &id, err);
}
