/*
 * capacity.c - see capacity.h.
 *
 * The write-ahead log counts against max_size only up to its share; it stays below that unless a
 * reader holds it, so the log alone never makes a store full. On the volume, a record needs room in
 * the log and in the database, which has free pages where records were delivered. A part of the
 * volume is kept free, and another part holds the ballast (volume.h).
 */
#include "delivery/outbox/capacity.h"

#include "base/clock.h"
#include "base/log.h"
#include "delivery/outbox/transaction.h"

enum {
    RESERVE_PART = 16,            /* of max_size, kept for cursors, deletes and retry rows */
    LOG_PART = 8,                 /* of max_size, that the log may have */
    LOG_VOLUME_PART = 4,          /* the same, of what the volume has left */
    LOG_MOST = 128 * 1024 * 1024, /* bytes of log in any case */
    LOG_LEAST = 256 * 1024,       /* even on a full volume */
    BATCH_MOST = 8 * 1024 * 1024, /* bytes in one transaction */
    BATCH_VOLUME_PART = 4,        /* of what the volume has left, */
    BATCH_LEAST = 64 * 1024,      /* even on a full volume */
};

static int64_t bytes_used(const struct outbox_store *store)
{
    int64_t share = (int64_t)(store->outbox.options.max_size / LOG_PART);

    return tally_waiting(&store->tally) + lesser(db_log_bytes(&store->db), share);
}

static int64_t room_in_size(const struct outbox_store *store)
{
    int64_t most =
        (int64_t)(store->outbox.options.max_size - store->outbox.options.max_size / RESERVE_PART);

    return most - bytes_used(store);
}

/* What the volume has left after the log is moved, if half of the reserve is kept. */
static int64_t volume_left(const struct outbox_store *store)
{
    const struct volume *volume = &store->volume;

    return volume->free - volume->reserve / 2 - db_growth(&store->db);
}

static int64_t room_on_volume(const struct outbox_store *store)
{
    int64_t left = volume_left(store);

    return lesser(left, left - store->volume.reserve / 2 + db_free_bytes(&store->db));
}

/* What the transaction under way adds: each byte is written to the log and to the database. */
static int64_t bytes_added(const struct outbox_store *store)
{
    const int64_t *now = store->tally.numbers;
    const int64_t *before = store->before.numbers;

    return 2 * (greater(tally_waiting(&store->tally) - tally_waiting(&store->before), 0) +
                greater(now[TALLY_REFUSED_BYTES] - before[TALLY_REFUSED_BYTES], 0));
}

bool capacity_is_full(const struct outbox_store *store, size_t more)
{
    return store->disk_full || room_in_size(store) < (int64_t)more ||
           room_on_volume(store) - bytes_added(store) < (int64_t)more;
}

bool capacity_can_keep(const struct outbox_store *store, size_t more)
{
    int64_t room = greater(volume_left(store), db_free_bytes(&store->db));

    return room - bytes_added(store) >= (int64_t)more;
}

bool capacity_needs_room(const struct outbox_store *store)
{
    return store->disk_full || room_on_volume(store) < store->volume.reserve / 4;
}

size_t capacity_batch_bytes(const struct outbox_store *store)
{
    int64_t most = lesser(volume_left(store) / BATCH_VOLUME_PART, store->volume.reserve / 2);

    return (size_t)greater(BATCH_LEAST, lesser(most, BATCH_MOST));
}

bool capacity_has_grown(const struct outbox_store *store)
{
    return db_growth(&store->db) > store->volume.reserve / 2;
}

int64_t capacity_longest_log(const struct outbox_store *store)
{
    int64_t left = store->volume.free - store->volume.reserve + store->db.log_length;
    int64_t part = (int64_t)(store->outbox.options.max_size / LOG_PART);

    return lesser(lesser(part, LOG_MOST), greater(LOG_LEAST, left / LOG_VOLUME_PART));
}

static void capacity_publish(struct outbox_store *store)
{
    int64_t used = bytes_used(store);
    int64_t room = volume_left(store) > 0 ? room_on_volume(store) : 0;
    int64_t most = store->disk_full ? used : used + greater(room, 0);

    (void)pthread_mutex_lock(&store->outbox.mutex);
    store->published_log_bytes = used - tally_waiting(&store->tally);
    store->published_max_bytes = lesser(most, (int64_t)store->outbox.options.max_size);
    (void)pthread_mutex_unlock(&store->outbox.mutex);
}

static void log_full(const struct outbox_store *store)
{
    bool by_disk = store->disk_full || room_on_volume(store) < room_in_size(store);

    LOG_EVENT(LOG_WARN, "store_full", LOG_STR("cause", by_disk ? STR("disk") : STR("max_size")),
              LOG_INT("bytes", tally_waiting(&store->tally)),
              LOG_INT("max_bytes", store->published_max_bytes),
              LOG_INT("disk_free", store->volume.free));
}

static void set_full(struct outbox_store *store)
{
    if (atomic_exchange(&store->outbox.state, OUTBOX_FULL) == OUTBOX_FULL)
        return;
    store->full_since_us = clock_monotonic_us();
    log_full(store);
}

static void set_fine(struct outbox_store *store)
{
    atomic_store(&store->outbox.state, OUTBOX_FINE);
    LOG_EVENT(LOG_INFO, "store_has_room",
              LOG_INT("full_seconds", (clock_monotonic_us() - store->full_since_us) / US_PER_S),
              LOG_INT("disk_free", store->volume.free));
}

/* A full store needs some room before it accepts events again. */
void capacity_update(struct outbox_store *store)
{
    int64_t enough = (int64_t)(store->outbox.options.max_size / RESERVE_PART);

    volume_refresh(&store->volume);
    capacity_publish(store);
    if (store->disk_full || store->turned_away)
        set_full(store);
    else if (atomic_load(&store->outbox.state) == OUTBOX_FULL && room_in_size(store) >= enough &&
             room_on_volume(store) >= lesser(enough, store->volume.reserve / 4))
        set_fine(store);
}

bool capacity_disk_full(struct outbox_store *store)
{
    bool dropped = volume_drop_ballast(&store->volume);

    store->disk_full = true;
    capacity_update(store);
    return dropped;
}

/* A write that nothing reads. */
static bool probe(struct outbox_store *store, void *arg)
{
    (void)arg;
    return db_run(&store->db, SQL_STATE_WRITE, "si", STR("probed_us"), store->now_us);
}

bool capacity_make_ballast(struct outbox_store *store)
{
    struct volume *volume = &store->volume;
    int64_t growth = db_growth(&store->db);

    if (volume_make_ballast(volume, growth))
        return true;
    if (db_free_bytes(&store->db) > volume->reserve)
        volume_shrink_reserve(volume, growth);
    return false;
}

bool capacity_retry(struct outbox_store *store, struct error *err)
{
    enum commit end = COMMIT_DURABLE;

    store->turned_away = false;
    if (store->disk_full && capacity_make_ballast(store)) {
        store->disk_full = false;
        end = transaction_run(store, probe, NULL, err);
    } else {
        capacity_update(store);
    }
    return end != COMMIT_FAILED;
}
