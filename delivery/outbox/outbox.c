/*
 * outbox.c - a store's life: opened, shown, closed. See outbox.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/outbox_internal.h"

enum { LOG_TRIES = 10 }; /* each waits a little for readers to end */

const char *outbox_library_version(void)
{
    return sqlite3_libversion();
}

static void copy_options(struct outbox *outbox, const struct outbox_options *options)
{
    const char **sinks = mem_alloc_array(options->sink_count + 1, sizeof(*sinks));

    outbox->options = *options;
    outbox->options.path = mem_copy_string(options->path);
    for (size_t i = 0; i < options->sink_count; i++)
        sinks[i] = mem_copy_string(options->sinks[i]);
    outbox->options.sinks = sinks;
}

static void free_options(struct outbox_options *options)
{
    for (size_t i = 0; i < options->sink_count; i++)
        mem_free((void *)options->sinks[i]);
    mem_free((void *)options->sinks);
    mem_free((void *)options->path);
}

bool outbox_read_id(struct outbox *outbox, char out[static OUTBOX_NAME_SIZE])
{
    enum outbox_found found = outbox_db_find(&outbox->db, SQL_STATE_READ, "s", STR("store_id"));
    struct str id =
        found == OUTBOX_FOUND ? outbox_db_text(&outbox->db, SQL_STATE_READ, 0) : STR_NONE;

    (void)snprintf(out, OUTBOX_NAME_SIZE, "%.*s", STR_ARG(id));
    outbox_db_reset(&outbox->db, SQL_STATE_READ);
    return found == OUTBOX_FOUND;
}

struct configuring {
    struct error err;
};

static bool configure(struct outbox *outbox, void *arg)
{
    struct configuring *configuring = arg;

    return outbox_sinks_configure(outbox, &configuring->err);
}

/*
 * What is in the log goes into the database, before anything is added to it. When the disk is full
 * even without the ballast, it stays where it is: nothing is lost, and 503 is a better answer than
 * none.
 */
static bool empty_log(struct outbox *outbox, struct error *err)
{
    for (int i = 0; i < LOG_TRIES; i++) {
        if (outbox_db_checkpoint(&outbox->db, OUTBOX_CHECKPOINT_RESET, err)) {
            if (outbox->db.frames == 0)
                break;
        } else if (!outbox_db_is_full(&outbox->db)) {
            return false;
        } else if (!outbox_space_drop_ballast(&outbox->space)) {
            break;
        }
    }
    return true;
}

/* When the store was last in use, as far as it was written down. */
static bool read_clock(struct outbox *outbox)
{
    struct outbox_db *db = &outbox->db;
    enum outbox_found found = outbox_db_find(db, SQL_STATE_READ, "s", STR(OUTBOX_CLOCK_STATE));
    int64_t last_us = found == OUTBOX_FOUND ? outbox_db_int(db, SQL_STATE_READ, 0) : 0;

    outbox_db_reset(db, SQL_STATE_READ);
    outbox_clock_init(&outbox->clock, clock_now_us(), clock_monotonic_us(), last_us);
    return found != OUTBOX_BROKEN;
}

static bool read_store(struct outbox *outbox, struct error *err)
{
    if (!outbox_read_id(outbox, outbox->store_id) || !read_clock(outbox) ||
        !tally_read(&outbox->db, &outbox->before) || !recent_load(&outbox->recent, &outbox->db))
        return outbox_db_fail(&outbox->db, outbox->options.path, err);
    outbox->tally = outbox->before;
    outbox_notices_begin(outbox);
    return true;
}

static bool configure_sinks(struct outbox *outbox, struct error *err)
{
    struct configuring configuring = { 0 };

    if (outbox_transact(outbox, configure, &configuring, err) == OUTBOX_DURABLE)
        return true;
    if (configuring.err.code != ERR_NONE)
        *err = configuring.err;
    return fail_within(err, outbox->options.path);
}

/* Everything that was left by whoever had it last is made whole before anything is added. */
static bool open_store(struct outbox *outbox, struct error *err)
{
    const struct outbox_options *options = &outbox->options;

    if (!outbox_place_check(options->path, err) ||
        !outbox_place_take(options->path, options->lock_patience_us, &outbox->place, err))
        return false;
    outbox_space_init(&outbox->space, outbox->place.path, outbox->place.own, options->max_size);
    if (!outbox_db_open(&outbox->db, options->path, OUTBOX_WRITE, err) || !empty_log(outbox, err) ||
        !read_store(outbox, err) || !configure_sinks(outbox, err))
        return false;
    outbox->disk_full = !outbox_make_ballast(outbox);
    outbox->turned_away = outbox_is_full(outbox, 0);
    outbox_judge_room(outbox);
    return true;
}

bool outbox_create(const struct outbox_options *options, struct outbox **out, struct error *err)
{
    struct outbox *outbox = mem_alloc(sizeof(*outbox));

    copy_options(outbox, options);
    recent_init(&outbox->recent, options->dedup_max_rows);
    outbox->place = (struct outbox_place){ .beside = -1, .own = -1 };
    outbox->last = &outbox->first;
    (void)pthread_mutex_init(&outbox->mutex, NULL);
    clock_init_condition(&outbox->work);
    clock_init_condition(&outbox->news);
    atomic_init(&outbox->trouble, OUTBOX_FINE);
    atomic_init(&outbox->busy_since_us, 0);
    atomic_init(&outbox->hurried, false);
    if (!(outbox_is_in_memory(outbox) ? outbox_memory_open(outbox, err)
                                      : open_store(outbox, err))) {
        outbox_destroy(outbox);
        return false;
    }
    *out = outbox;
    return true;
}

void outbox_destroy(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_stop(outbox);
    outbox_db_close(&outbox->db);
    outbox_space_done(&outbox->space);
    outbox_place_leave(&outbox->place); /* last: now a successor may have it */
    (void)pthread_cond_destroy(&outbox->news);
    (void)pthread_cond_destroy(&outbox->work);
    (void)pthread_mutex_destroy(&outbox->mutex);
    recent_done(&outbox->recent);
    free_options(&outbox->options);
    mem_free(outbox);
}

bool outbox_check(const char *path, struct error *err)
{
    struct outbox_db db;

    if (!outbox_place_check(path, err) || !outbox_place_check_log(path, err))
        return false;
    if (access(path, F_OK) != 0)
        return true; /* it will be made */
    if (access(path, R_OK | W_OK) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);
    if (!outbox_db_open(&db, path, OUTBOX_LOOK, err))
        return false;
    outbox_db_close(&db);
    return true;
}

const char *outbox_trouble(const struct outbox *outbox)
{
    static const char *const words[] = {
        [OUTBOX_FINE] = NULL,
        [OUTBOX_FULL] = "full",
        [OUTBOX_FAILING] = "failing",
    };

    int trouble = atomic_load(&outbox->trouble);

    return trouble != OUTBOX_FAILING && outbox_is_stalled(outbox) ? "stalled" : words[trouble];
}

void outbox_note_oldest(struct outbox *outbox, size_t sink, int64_t accepted_us)
{
    struct outbox_oldest *oldest = &outbox->oldest[sink];
    int64_t age_us = clock_now_us() - accepted_us;

    if (oldest->accepted_us == accepted_us)
        return;
    oldest->accepted_us = accepted_us;
    oldest->since_us = clock_monotonic_us() - (age_us > 0 ? age_us : 0);
}

void outbox_counters(struct outbox *outbox, struct outbox_counters *out)
{
    *out = (struct outbox_counters){ .max_bytes = (int64_t)outbox->options.max_size };
    (void)pthread_mutex_lock(&outbox->mutex);
    tally_show(&outbox->published, out);
    if (outbox_is_in_memory(outbox))
        out->bytes = outbox->published.numbers[TALLY_WAITING];
    else
        out->max_bytes = outbox->published_max_bytes;
    out->bytes += outbox->published_log_bytes;
    for (size_t i = 0; i < out->sink_count; i++)
        if (out->sinks[i].pending > 0 && outbox->oldest[i].accepted_us > 0) {
            out->sinks[i].oldest_us = outbox->oldest[i].accepted_us;
            out->sinks[i].oldest_age_us = clock_monotonic_us() - outbox->oldest[i].since_us;
        }
    out->commit_us = outbox->commit_us;
    out->batch_events = outbox->batch_events;
    (void)pthread_mutex_unlock(&outbox->mutex);
}
