/*
 * outbox_operate.c - what an operator may ask of a store: drop a sink, deliver a dead record again.
 */
#include <string.h>

#include "delivery/outbox_internal.h"

enum { DROP_ROWS = 500 }; /* in one transaction */

struct drop {
    const char *name;
    bool done;
};

/* Delete up to DROP_ROWS of the sink's rows in one of its two tables. */
static bool drop_rows(struct outbox *outbox, struct tally_sink *sink, bool dead, int64_t *count)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_statement look = dead ? SQL_DEAD_SOME : SQL_RETRY_SOME;
    enum outbox_found found = outbox_db_find(db, look, "ii", sink->id, (int64_t)DROP_ROWS);
    int64_t last = found == OUTBOX_FOUND ? outbox_db_int(db, look, 0) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, look, 2) : 0;

    *count = found == OUTBOX_FOUND ? outbox_db_int(db, look, 1) : 0;
    outbox_db_reset(db, look);
    if (found != OUTBOX_FOUND)
        return false;
    outbox->tally.numbers[TALLY_WAITING] -= size;
    if (dead)
        outbox->tally.numbers[TALLY_DEAD_BYTES] -= size;
    return outbox_db_run(db, dead ? SQL_DEAD_DELETE_UPTO : SQL_RETRY_DELETE_UPTO, "ii", sink->id,
                         last);
}

static bool forget(struct outbox *outbox, struct tally_sink *sink)
{
    struct tally *tally = &outbox->tally;
    size_t index = (size_t)(sink - tally->sinks);

    if (!outbox_db_run(&outbox->db, SQL_SINK_DELETE, "i", sink->id))
        return false;
    tally->sink_count--;
    memmove(sink, sink + 1, (tally->sink_count - index) * sizeof(*sink));

    /* Its pumps know better soon. */
    (void)pthread_mutex_lock(&outbox->mutex);
    memset(outbox->oldest_us, 0, sizeof(outbox->oldest_us));
    (void)pthread_mutex_unlock(&outbox->mutex);
    return true;
}

/* Until all rows are gone the sink stays, so that an interrupted drop can be repeated. */
static bool drop_some(struct outbox *outbox, void *arg, struct error *err)
{
    struct drop *drop = arg;
    struct tally_sink *sink = tally_find_sink(&outbox->tally, drop->name);
    int64_t retries = 0;
    int64_t dead = 0;

    if (!sink)
        return fail(err, ERR_CONFIG, "the store has no sink %s", drop->name);
    if (sink->configured)
        return fail(err, ERR_CONFIG,
                    "sink %s is configured: remove it from the configuration first", drop->name);
    sink->cursor = sink->until; /* its records are free to go */
    outbox->upkeep.pending = true;
    if (!drop_rows(outbox, sink, false, &retries) || !drop_rows(outbox, sink, true, &dead))
        return outbox_db_fail(&outbox->db, "store", err);
    sink->dead -= dead;
    sink->dropped += dead + retries;
    drop->done = retries < DROP_ROWS && dead < DROP_ROWS;
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
    int64_t sink = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_FIND, 0) : 0;
    int64_t size = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_DEAD_FIND, 1) : 0;

    outbox_db_reset(db, SQL_DEAD_FIND);
    if (found == OUTBOX_NONE)
        return fail(err, ERR_CONFIG, "there is no dead record %lld", (long long)*id);
    if (found == OUTBOX_BROKEN || !outbox_db_run(db, SQL_RETRY_FROM_DEAD, "i", *id) ||
        !outbox_db_run(db, SQL_DEAD_DELETE, "i", *id))
        return outbox_db_fail(db, "store", err);
    tally->numbers[TALLY_DEAD_BYTES] -= size;
    for (size_t i = 0; i < tally->sink_count; i++)
        if (tally->sinks[i].id == sink)
            tally->sinks[i].dead--;
    outbox->woken = true;
    return true;
}

bool outbox_revive(struct outbox *outbox, int64_t id, struct error *err)
{
    return outbox_do(outbox, revive, &id, err);
}
