/*
 * store.c - an outbox with a database: opened and closed.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/capacity.h"
#include "delivery/outbox/committer.h"
#include "delivery/outbox/sink_rows.h"
#include "delivery/outbox/transaction.h"

enum { LOG_TRIES = 10 }; /* each waits a little for readers to end */

const char *outbox_library_version(void)
{
    return sqlite3_libversion();
}

bool store_read_id(struct outbox_store *store, char out[static OUTBOX_NAME_SIZE])
{
    enum db_found found = db_find(&store->db, SQL_STATE_READ, "s", STR("store_id"));
    struct str id = found == DB_FOUND ? db_text(&store->db, SQL_STATE_READ, 0) : STR_NONE;

    (void)snprintf(out, OUTBOX_NAME_SIZE, "%.*s", STR_ARG(id));
    db_reset(&store->db, SQL_STATE_READ);
    return found == DB_FOUND;
}

/*
 * Move the whole log into the database before anything is added. If the disk is full even without
 * the ballast the log stays: nothing is lost, and a server that answers 503 is better than none.
 */
static bool empty_log(struct outbox_store *store, struct error *err)
{
    for (int i = 0; i < LOG_TRIES; i++) {
        if (db_checkpoint(&store->db, DB_CHECKPOINT_RESET, err)) {
            if (store->db.frames == 0)
                break;
        } else if (!db_is_full(&store->db)) {
            return false;
        } else if (!volume_drop_ballast(&store->volume)) {
            break;
        }
    }
    return true;
}

/* When was the store last in use? */
static bool read_clock(struct outbox_store *store)
{
    int64_t last_us = 0;
    enum db_found found =
        db_numbers(&store->db, SQL_STATE_READ, &last_us, "s", STR(STORE_CLOCK_STATE));

    trusted_time_init(&store->trusted_time, clock_now_us(), clock_monotonic_us(), last_us);
    return found != DB_BROKEN;
}

static bool read_store(struct outbox_store *store, struct error *err)
{
    if (!store_read_id(store, store->outbox.id) || !read_clock(store) ||
        !tally_read(&store->db, &store->before) || !recent_load(&store->recent, &store->db))
        return db_fail(&store->db, store->outbox.options.path, err);
    store->tally = store->before;
    transaction_skip_losses(store);
    return true;
}

struct configuring {
    const struct outbox_options *options;
    struct error err;
};

static bool configure(struct outbox_store *store, void *arg)
{
    struct configuring *configuring = arg;

    return sink_rows_configure(store, configuring->options, &configuring->err);
}

static bool configure_sinks(struct outbox_store *store, const struct outbox_options *options,
                            struct error *err)
{
    struct configuring configuring = { .options = options };

    if (transaction_run(store, configure, &configuring, err) == COMMIT_DURABLE)
        return true;
    if (configuring.err.code != ERR_NONE)
        *err = configuring.err;
    return fail_within(err, store->outbox.options.path);
}

static bool open_store(struct outbox_store *store, const struct outbox_options *options,
                       struct error *err)
{
    struct location *location = &store->location;

    if (!location_check(options->path, err) ||
        !location_lock(options->path, options->lock_patience_us, location, err))
        return false;
    volume_init(&store->volume, location->path, location->own, options->max_size);
    if (!db_open(&store->db, options->path, DB_WRITE, err) || !empty_log(store, err) ||
        !read_store(store, err) || !configure_sinks(store, options, err))
        return false;
    store->disk_full = !capacity_make_ballast(store);
    store->turned_away = capacity_is_full(store, 0);
    capacity_update(store);
    return true;
}

static void store_destroy(struct outbox *outbox)
{
    struct outbox_store *store = store_of(outbox);

    db_close(&store->db);
    volume_done(&store->volume);
    location_unlock(&store->location); /* last: now another process may open the store */
    (void)pthread_cond_destroy(&store->work);
    recent_done(&store->recent);
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        mem_free(store->routes[i]);
    outbox_done(outbox);
    mem_free(store);
}

static void store_show_size(const struct outbox *outbox, struct outbox_counters *out)
{
    const struct outbox_store *store = CONTAINER_OF(outbox, const struct outbox_store, outbox);

    out->bytes = tally_waiting(&outbox->published) + store->published_log_bytes;
    out->max_bytes = store->published_max_bytes;
}

static const struct outbox_operations store_operations = {
    .start = committer_start,
    .stop = committer_stop,
    .destroy = store_destroy,
    .submit = accept_submit,
    .run = committer_run,
    .add_sinks = sink_rows_add,
    .remove_sink = sink_rows_remove,
    .show_size = store_show_size,
    .backlog_size = sizeof(struct store_backlog),
    .open = store_backlog_open,
    .take = store_backlog_take,
    .settle = store_backlog_settle,
    .commit = store_backlog_commit,
    .close = store_backlog_close,
};

bool store_create(const struct outbox_options *options, struct outbox **out, struct error *err)
{
    struct outbox_store *store = mem_alloc(sizeof(*store));

    outbox_init(&store->outbox, &store_operations, options);
    clock_init_condition(&store->work);
    recent_init(&store->recent, options->dedup_max_rows);
    store->location = (struct location){ .beside = -1, .own = -1 };
    if (!open_store(store, options, err)) {
        store_destroy(&store->outbox);
        return false;
    }
    *out = &store->outbox;
    return true;
}

bool outbox_check(const char *path, struct error *err)
{
    struct db db;

    if (!location_check(path, err) || !location_check_log(path, err))
        return false;
    if (access(path, F_OK) != 0)
        return true; /* outbox_create() makes it */
    if (access(path, R_OK | W_OK) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (!db_open(&db, path, DB_CHECK, err))
        return false;
    db_close(&db);
    return true;
}
