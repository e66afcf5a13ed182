/*
 * room.c - whether there is room for more records, by max_size and on the volume.
 *
 * The write-ahead log counts against max_size up to its share only, which it is kept to unless a
 * reader holds it: the log alone never makes a store full. On the volume, a record needs room in
 * the log and in the database, which has free pages where records were delivered. A part of the
 * volume is kept free and another holds the ballast (space.h).
 */
#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/outbox_internal.h"

enum {
    RESERVE_PART = 16,            /* of max_size, kept for cursors, deletes and retry rows */
    LOG_PART = 8,                 /* of max_size, that the log may have */
    LOG_VOLUME_PART = 4,          /* of what the volume has left, likewise */
    LOG_MOST = 128 * 1024 * 1024, /* bytes of log at all */
    LOG_LEAST = 256 * 1024,       /* even on a full volume */
    BATCH_MOST = 8 * 1024 * 1024, /* bytes in one transaction */
    BATCH_VOLUME_PART = 4,        /* of what the volume has left, */
    BATCH_LEAST = 64 * 1024,      /* even on a full volume */
};

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t bytes_used(const struct outbox *outbox)
{
    int64_t share = (int64_t)(outbox->options.max_size / LOG_PART);

    return tally_waiting(&outbox->tally) + lesser(outbox_db_log_bytes(&outbox->db), share);
}

static int64_t room_in_size(const struct outbox *outbox)
{
    int64_t most = (int64_t)(outbox->options.max_size - outbox->options.max_size / RESERVE_PART);

    return most - bytes_used(outbox);
}

/* What the volume has left once the log is in the database and half of the reserve is kept. */
static int64_t volume_left(const struct outbox *outbox)
{
    const struct outbox_space *space = &outbox->space;

    return space->free - space->reserve / 2 - outbox_db_growth(&outbox->db);
}

static int64_t room_on_volume(const struct outbox *outbox)
{
    int64_t left = volume_left(outbox);

    return lesser(left, left - outbox->space.reserve / 2 + outbox_db_free_bytes(&outbox->db));
}

/* Bytes that the transaction under way adds: each is written to the log and to the database. */
static int64_t bytes_added(const struct outbox *outbox)
{
    const int64_t *now = outbox->tally.numbers;
    const int64_t *before = outbox->before.numbers;

    return 2 * (greater(tally_waiting(&outbox->tally) - tally_waiting(&outbox->before), 0) +
                greater(now[TALLY_REFUSED_BYTES] - before[TALLY_REFUSED_BYTES], 0));
}

bool outbox_is_full(const struct outbox *outbox, size_t more)
{
    return outbox->disk_full || room_in_size(outbox) < (int64_t)more ||
           room_on_volume(outbox) - bytes_added(outbox) < (int64_t)more;
}

bool outbox_can_keep(const struct outbox *outbox, size_t more)
{
    int64_t room = greater(volume_left(outbox), outbox_db_free_bytes(&outbox->db));

    return room - bytes_added(outbox) >= (int64_t)more;
}

size_t outbox_batch_bytes(const struct outbox *outbox)
{
    int64_t most = lesser(volume_left(outbox) / BATCH_VOLUME_PART, outbox->space.reserve / 2);

    return (size_t)greater(BATCH_LEAST, lesser(most, BATCH_MOST));
}

bool outbox_has_grown(const struct outbox *outbox)
{
    return outbox_db_growth(&outbox->db) > outbox->space.reserve / 2;
}

int64_t outbox_longest_log(const struct outbox *outbox)
{
    int64_t left = outbox->space.free - outbox->space.reserve + outbox->db.log_length;
    int64_t part = (int64_t)(outbox->options.max_size / LOG_PART);

    return lesser(lesser(part, LOG_MOST), greater(LOG_LEAST, left / LOG_VOLUME_PART));
}

static void publish(struct outbox *outbox)
{
    int64_t used = bytes_used(outbox);
    int64_t room = volume_left(outbox) > 0 ? room_on_volume(outbox) : 0;
    int64_t most = outbox->disk_full ? used : used + greater(room, 0);

    (void)pthread_mutex_lock(&outbox->mutex);
    outbox->published_log_bytes = used - tally_waiting(&outbox->tally);
    outbox->published_max_bytes = lesser(most, (int64_t)outbox->options.max_size);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

static void log_full(const struct outbox *outbox)
{
    bool by_disk = outbox->disk_full || room_on_volume(outbox) < room_in_size(outbox);

    LOG_EVENT(LOG_WARN, "store_full", LOG_STR("cause", by_disk ? STR("disk") : STR("max_size")),
              LOG_INT("bytes", tally_waiting(&outbox->tally)),
              LOG_INT("max_bytes", outbox->published_max_bytes),
              LOG_INT("disk_free", outbox->space.free));
}

static void set_full(struct outbox *outbox)
{
    if (atomic_exchange(&outbox->trouble, OUTBOX_FULL) == OUTBOX_FULL)
        return;
    outbox->full_since_us = clock_monotonic_us();
    log_full(outbox);
}

static void set_fine(struct outbox *outbox)
{
    atomic_store(&outbox->trouble, OUTBOX_FINE);
    LOG_EVENT(LOG_INFO, "store_has_room",
              LOG_INT("full_seconds", (clock_monotonic_us() - outbox->full_since_us) / US_PER_S),
              LOG_INT("disk_free", outbox->space.free));
}

/* Once full, it takes some room until it is not. */
void outbox_judge_room(struct outbox *outbox)
{
    int64_t enough = (int64_t)(outbox->options.max_size / RESERVE_PART);

    outbox_space_look(&outbox->space);
    publish(outbox);
    if (outbox->disk_full || outbox->turned_away)
        set_full(outbox);
    else if (atomic_load(&outbox->trouble) == OUTBOX_FULL && room_in_size(outbox) >= enough &&
             room_on_volume(outbox) >= lesser(enough, outbox->space.reserve / 4))
        set_fine(outbox);
}

bool outbox_note_full_disk(struct outbox *outbox)
{
    bool dropped = outbox_space_drop_ballast(&outbox->space);

    outbox->disk_full = true;
    outbox_judge_room(outbox);
    return dropped;
}

/* Something that must be written, and that nobody reads. */
static bool probe(struct outbox *outbox, void *arg)
{
    (void)arg;
    return outbox_db_run(&outbox->db, SQL_STATE_WRITE, "si", STR("probed_us"), outbox->now_us);
}

bool outbox_make_ballast(struct outbox *outbox)
{
    struct outbox_space *space = &outbox->space;
    int64_t growth = outbox_db_growth(&outbox->db);

    if (outbox_space_make_ballast(space, growth))
        return true;
    if (outbox_db_free_bytes(&outbox->db) > space->reserve)
        outbox_space_shrink_reserve(space, growth);
    return false;
}

bool outbox_try_room(struct outbox *outbox, struct error *err)
{
    enum outbox_end end = OUTBOX_DURABLE;

    outbox->turned_away = false;
    if (outbox->disk_full && outbox_make_ballast(outbox)) {
        outbox->disk_full = false;
        end = outbox_transact(outbox, probe, NULL, err);
    } else {
        outbox_judge_room(outbox);
    }
    return end != OUTBOX_BROKEN_OFF;
}
