/*
 * upkeep.c - maintenance, in portions too small to be noticed (docs/decisions/013).
 *
 * Every batch deletes about as much as it adds, in its own transaction. What is left is done when
 * nothing has come for a while, one step at a time. The write-ahead log is moved into the database
 * when nothing comes, or when it has grown too long; both by the one connection that writes, since
 * SQLite before 3.51.3 can lose commits when several connections write and checkpoint. Who comes
 * meanwhile waits, so how long the log may grow depends on how long it took to move it last time.
 */
#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"
#include "delivery/outbox/reader.h"

enum {
    LEAST_ROWS = 64,                /* that a batch may delete */
    IDLE_ROWS = 500,                /* that one portion may delete between batches */
    IDLE_US = 5 * US_PER_MS,        /* nothing came for so long: time for a portion */
    DEAD_ROWS = 500,                /* dead records that a batch may drop */
    RECOUNT_ROWS = 2000,            /* that one portion may count between batches */
    RECOUNT_MINUTES = 60,           /* how often to count all rows */
    CLOCK_US = US_PER_MINUTE,       /* how often to write down the time */
    TICK_US = 10 * US_PER_S,        /* how often to look for what has become too old */
    PROBE_US = US_PER_S,            /* how often to try a disk that was full */
    LOG_PAUSE_US = 200 * US_PER_MS, /* between checkpoints of one and the same log */
    RESET_PAUSE_US = US_PER_S,      /* between waits for readers to leave the log */
    HELD_US = US_PER_S,             /* a reader that holds the log for so long is named, */
    HELD_LOG_US = US_PER_MINUTE,    /* so often */
    TIGHT_PART = 4,                 /* times the reserve: with less free the log is moved at once */
    LOG_FRAMES = 1000,              /* worth a checkpoint when nothing comes */
    LOG_FIRST = 16 * 1024 * 1024,   /* bytes worth one in any case, to begin with; */
    LOG_LEAST = 4 * 1024 * 1024,    /* from here */
    LOG_MOST = 128 * 1024 * 1024,   /* up to here, or outbox_longest_log() */
    LOG_MOVE_US = 10 * US_PER_MS,   /* that a checkpoint may take, about */
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
    if (now_us >= upkeep->recount_us && !outbox_recount_is_on(outbox)) {
        upkeep->recount_us = now_us + RECOUNT_MINUTES * INT64_C(60000000);
        outbox_recount_begin(outbox);
    }
    return upkeep->pending || outbox_dead_is_too_much(outbox) ||
           outbox->tally.numbers[TALLY_SEEN] > outbox->options.dedup_max_rows;
}

/* Now and then, with what is written anyway. */
static bool write_clock(struct outbox *outbox)
{
    int64_t now_us = clock_monotonic_us();

    if (now_us < outbox->upkeep.clock_us)
        return true;
    outbox->upkeep.clock_us = now_us + CLOCK_US;
    return outbox_db_run(&outbox->db, SQL_STATE_WRITE, "si", STR(OUTBOX_CLOCK_STATE),
                         outbox->believed_us);
}

bool outbox_upkeep_in_batch(struct outbox *outbox, size_t events)
{
    int64_t rows = 2 * (int64_t)events > LEAST_ROWS ? 2 * (int64_t)events : LEAST_ROWS;
    bool done = false;
    bool dead_done = false;

    if (events > 0 && !write_clock(outbox))
        return false;
    if (!outbox_seen_move(outbox, (size_t)rows))
        return false;

    bool ok =
        is_due(outbox) ? prune(outbox, rows, &done) : outbox_records_prune(outbox, rows, &done);

    outbox->upkeep.pending = !done;
    return ok && outbox_dead_prune(outbox, DEAD_ROWS, &dead_done) && outbox_recount(outbox, rows);
}

static bool prune_some(struct outbox *outbox, void *arg)
{
    return prune(outbox, IDLE_ROWS, arg);
}

static bool recount_some(struct outbox *outbox, void *arg)
{
    (void)arg;
    return outbox_recount(outbox, RECOUNT_ROWS);
}

/* On a full disk the log stays where it is: it holds what was acknowledged, and is as good there.
 */
static bool move_log(struct outbox *outbox, enum outbox_checkpoint how, struct error *err)
{
    if (outbox_db_checkpoint(&outbox->db, how, err))
        return true;
    if (!outbox_db_is_full(&outbox->db))
        return false;
    return !outbox_note_full_disk(outbox) || outbox_db_checkpoint(&outbox->db, how, err) ||
           outbox_db_is_full(&outbox->db);
}

static void log_held(const struct outbox *outbox, int64_t held_us)
{
    struct outbox_reader reader;
    bool found = outbox_reader_find(outbox->place.path, &reader);

    LOG_EVENT(LOG_WARN, "store_log_held",
              LOG_STR("reader", found ? str_from_c(reader.command) : STR("unknown")),
              LOG_INT("pid", reader.pid), LOG_INT("seconds", held_us / US_PER_S),
              LOG_INT("log_bytes", outbox_db_log_bytes(&outbox->db)));
}

/* A reader that keeps part of the log from being moved is named, again and again. */
static void note_held(struct outbox *outbox)
{
    struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t now_us = clock_monotonic_us();

    if (outbox->db.frames == 0) {
        if (upkeep->held_log_us != 0)
            LOG_EVENT(LOG_INFO, "store_log_released",
                      LOG_INT("seconds", (now_us - upkeep->held_since_us) / US_PER_S));
        upkeep->held_since_us = upkeep->held_log_us = 0;
    } else if (upkeep->held_since_us == 0) {
        upkeep->held_since_us = now_us;
    } else if (now_us - upkeep->held_since_us >= HELD_US && now_us >= upkeep->held_log_us) {
        upkeep->held_log_us = now_us + HELD_LOG_US;
        log_held(outbox, now_us - upkeep->held_since_us);
    }
}

static bool checkpoint(struct outbox *outbox, enum outbox_checkpoint how, struct error *err)
{
    if (!move_log(outbox, how, err))
        return false;
    note_held(outbox);
    outbox->upkeep.log_us = clock_monotonic_us() + LOG_PAUSE_US;
    outbox->upkeep.log_wanted = false;
    outbox_judge_room(outbox);
    return true;
}

static bool is_full(const struct outbox *outbox)
{
    return atomic_load(&outbox->trouble) == OUTBOX_FULL;
}

/* Now and then, while the store is full. */
static bool try_room(struct outbox *outbox, struct error *err)
{
    int64_t now_us = clock_monotonic_us();

    if (!is_full(outbox) || now_us < outbox->upkeep.probe_us)
        return true;
    outbox->upkeep.probe_us = now_us + PROBE_US;
    return outbox_try_room(outbox, err);
}

static bool wants_checkpoint(const struct outbox *outbox)
{
    const struct outbox_upkeep *upkeep = &outbox->upkeep;

    return outbox->db.frames >= (upkeep->log_wanted ? 1 : LOG_FRAMES) &&
           clock_monotonic_us() >= upkeep->log_us;
}

/* One step, so that who comes meanwhile does not wait for two. */
bool outbox_upkeep_idle(struct outbox *outbox, struct error *err)
{
    struct outbox_upkeep *upkeep = &outbox->upkeep;
    enum outbox_end end = OUTBOX_DURABLE;
    bool due = is_due(outbox);
    bool done = true;

    if (wants_checkpoint(outbox))
        return checkpoint(outbox, OUTBOX_CHECKPOINT_PASSIVE, err);
    if (due) {
        end = outbox_transact(outbox, prune_some, &done, err);
        upkeep->pending = end != OUTBOX_DURABLE || !done;
    } else if (outbox_recount_is_on(outbox)) {
        end = outbox_transact(outbox, recount_some, NULL, err);
    }
    return end != OUTBOX_BROKEN_OFF && try_room(outbox, err);
}

/* The log of the next time, after it took that long to move this one. */
static int64_t next_log(int64_t bytes, int64_t took_us)
{
    if (took_us > LOG_MOVE_US)
        return bytes / 2 > LOG_LEAST ? bytes / 2 : LOG_LEAST;
    if (took_us < LOG_MOVE_US / 2)
        return bytes * 2 < LOG_MOST ? bytes * 2 : LOG_MOST;
    return bytes;
}

static bool checkpoint_in_time(struct outbox *outbox, struct error *err)
{
    int64_t begun_us = clock_monotonic_us();

    if (!checkpoint(outbox, OUTBOX_CHECKPOINT_PASSIVE, err))
        return false;
    outbox->upkeep.log_bytes = next_log(outbox->upkeep.log_bytes, clock_monotonic_us() - begun_us);
    return true;
}

/* It grew in spite of all, or its file takes what the volume needs: wait for readers to leave it.
 */
static bool wants_reset(const struct outbox *outbox, int64_t longest)
{
    const struct outbox_upkeep *upkeep = &outbox->upkeep;

    return (outbox_db_log_bytes(&outbox->db) > 2 * longest ||
            outbox->db.log_length > 3 * longest) &&
           upkeep->held_since_us == 0 && clock_monotonic_us() >= upkeep->reset_us;
}

static bool is_long(const struct outbox *outbox, int64_t longest)
{
    const struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t most = upkeep->log_bytes < longest ? upkeep->log_bytes : longest;

    return outbox_db_log_bytes(&outbox->db) > most;
}

bool outbox_upkeep_log(struct outbox *outbox, struct error *err)
{
    struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t longest = outbox_longest_log(outbox);

    if (!try_room(outbox, err))
        return false;
    if (upkeep->log_bytes == 0)
        upkeep->log_bytes = LOG_FIRST;
    if (wants_reset(outbox, longest)) {
        upkeep->reset_us = clock_monotonic_us() + RESET_PAUSE_US;
        return checkpoint(outbox, OUTBOX_CHECKPOINT_RESET, err);
    }

    /* A checkpoint ends the log only once no reader is in it any more: again in a while. */
    bool tight = outbox->space.free < TIGHT_PART * outbox->space.reserve;
    bool may_be_moved = tight || outbox->db.begun_anew || clock_monotonic_us() >= upkeep->log_us;

    if (outbox_has_grown(outbox) || (may_be_moved && is_long(outbox, longest)))
        return checkpoint_in_time(outbox, err);
    return true;
}

int64_t outbox_upkeep_next_us(const struct outbox *outbox)
{
    const struct outbox_upkeep *upkeep = &outbox->upkeep;
    int64_t soon_us = clock_monotonic_us() + IDLE_US;
    int64_t next_us = upkeep->tick_us;

    if (upkeep->recount_us < next_us)
        next_us = upkeep->recount_us;
    if (upkeep->pending || outbox_recount_is_on(outbox))
        next_us = soon_us;
    if (is_full(outbox) && upkeep->probe_us < next_us)
        next_us = upkeep->probe_us;
    if (outbox->db.frames >= LOG_FRAMES && upkeep->log_us < next_us)
        next_us = upkeep->log_us;
    return next_us > soon_us ? next_us : soon_us;
}
