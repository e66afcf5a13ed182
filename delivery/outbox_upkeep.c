/*
 * outbox_upkeep.c - maintenance, in portions too small to be noticed (docs/decisions/013).
 *
 * Every batch deletes about as much as it adds, in its own transaction. What is left is done when
 * nothing has come for a while. The write-ahead log is moved into the database when nothing comes,
 * or when it has grown too long; both by the one connection that writes, since SQLite before 3.51.3
 * can lose commits when several connections write and checkpoint.
 */
#include "base/clock.h"
#include "delivery/outbox_internal.h"

enum {
    LEAST_ROWS = 64,               /* that a batch may delete */
    IDLE_ROWS = 500,               /* that one portion may delete between batches */
    IDLE_US = 5000,                /* nothing came for so long: time for a portion */
    TICK_US = 10 * 1000000,        /* how often to look for what has become too old */
    PROBE_US = 1000000,            /* how often to try a disk that was full */
    LOG_PAUSE_US = 200 * 1000,     /* between checkpoints of one and the same log */
    LOG_FRAMES = 1000,             /* worth a checkpoint when nothing comes */
    LOG_BYTES = 128 * 1024 * 1024, /* worth one in any case, */
    LOG_PART = 8,                  /* or this part of max_size */
};

static bool prune(struct outbox *outbox, int64_t rows, bool *done)
{
    static bool (*const parts[])(struct outbox *, int64_t, bool *) = {
        outbox_records_prune, outbox_seen_prune,   outbox_refused_prune,
        outbox_dead_prune,    outbox_removed_move,
    };

    *done = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        bool part_done = true;

        if (!parts[i](outbox, rows, &part_done))
            return false;
        *done = *done && part_done;
    }
    return true;
}

/* Is it time, or is there too much already? */
static bool is_due(struct outbox *outbox)
{
    struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t now_us = clock_monotonic_us();

    if (now_us >= upkeep->tick_us) {
        upkeep->tick_us = now_us + TICK_US;
        upkeep->pending = true;
        upkeep->log_wanted = true;
    }
    return upkeep->pending || outbox->tally.numbers[TALLY_SEEN] > outbox->options.dedup_max_rows;
}

bool outbox_upkeep_in_batch(struct outbox *outbox, size_t events)
{
    int64_t rows = 2 * (int64_t)events > LEAST_ROWS ? 2 * (int64_t)events : LEAST_ROWS;
    bool done = false;

    if (!recent_move(&outbox->recent, &outbox->db, (size_t)rows))
        return false;

    bool ok =
        is_due(outbox) ? prune(outbox, rows, &done) : outbox_records_prune(outbox, rows, &done);

    outbox->upkeep.pending = !done;
    return ok;
}

static bool prune_some(struct outbox *outbox, void *arg)
{
    return prune(outbox, IDLE_ROWS, arg);
}

/* Something that must be written, and that nobody reads. */
static bool probe(struct outbox *outbox, void *arg)
{
    (void)arg;
    return outbox_db_run(&outbox->db, SQL_STATE_WRITE, "si", STR("probed_us"), outbox->now_us);
}

/* On a full disk the log stays where it is: it holds what was acknowledged, and is as good there.
 */
static bool checkpoint(struct outbox *outbox, enum outbox_checkpoint how, struct error *err)
{
    if (!outbox_db_checkpoint(&outbox->db, how, err)) {
        if (!outbox_db_is_full(&outbox->db))
            return false;
        outbox->disk_full = true;
        atomic_store(&outbox->trouble, OUTBOX_FULL);
    }
    outbox->upkeep.log_us = clock_monotonic_us() + LOG_PAUSE_US;
    outbox->upkeep.log_wanted = false;
    (void)pthread_mutex_lock(&outbox->mutex);
    outbox->published_log_bytes = outbox_db_log_bytes(&outbox->db);
    (void)pthread_mutex_unlock(&outbox->mutex);
    return true;
}

static bool is_full(const struct outbox *outbox)
{
    return atomic_load(&outbox->trouble) == OUTBOX_FULL;
}

bool outbox_upkeep_idle(struct outbox *outbox, struct error *err)
{
    struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t now_us = clock_monotonic_us();
    enum outbox_end end = OUTBOX_DURABLE;
    bool done = true;

    if (is_due(outbox)) {
        end = outbox_transact(outbox, prune_some, &done, err);
        upkeep->pending = end != OUTBOX_DURABLE || !done;
    }
    if (end == OUTBOX_DURABLE && is_full(outbox) && now_us >= upkeep->probe_us) {
        upkeep->probe_us = now_us + PROBE_US;
        end = outbox_transact(outbox, probe, NULL, err);
    }
    if (end == OUTBOX_BROKEN_OFF)
        return false;
    if (outbox->db.frames >= (upkeep->log_wanted ? 1 : LOG_FRAMES) && now_us >= upkeep->log_us)
        return checkpoint(outbox, OUTBOX_CHECKPOINT_PASSIVE, err);
    return true;
}

bool outbox_upkeep_log(struct outbox *outbox, struct error *err)
{
    int64_t part = (int64_t)(outbox->options.max_size / LOG_PART);
    int64_t most = part < LOG_BYTES ? part : LOG_BYTES;

    /* A checkpoint ends the log only once no reader is in it any more: again in a while. */
    if (!outbox->db.begun_anew && clock_monotonic_us() < outbox->upkeep.log_us)
        return true;

    if (outbox_db_log_bytes(&outbox->db) > most &&
        !checkpoint(outbox, OUTBOX_CHECKPOINT_PASSIVE, err))
        return false;
    if (outbox_db_log_bytes(&outbox->db) > 2 * most)
        return checkpoint(outbox, OUTBOX_CHECKPOINT_RESET, err);
    return true;
}

int64_t outbox_upkeep_next_us(const struct outbox *outbox)
{
    const struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t soon_us = clock_monotonic_us() + IDLE_US;
    int64_t next_us = upkeep->tick_us;

    if (upkeep->pending)
        next_us = soon_us;
    if (is_full(outbox) && upkeep->probe_us < next_us)
        next_us = upkeep->probe_us;
    if (outbox->db.frames >= LOG_FRAMES && upkeep->log_us < next_us)
        next_us = upkeep->log_us;
    return next_us > soon_us ? next_us : soon_us;
}
