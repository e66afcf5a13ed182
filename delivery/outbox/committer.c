/*
 * committer.c - see committer.h.
 */
#include "delivery/outbox/committer.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "delivery/outbox/capacity.h"
#include "delivery/outbox/transaction.h"
#include "delivery/outbox/upkeep.h"

enum {
    BATCH_EVENTS = 1024,               /* in one transaction */
    EVENT_BYTES = 8 * 1024,            /* of the log that an event may need beside its own bytes */
    REOPEN_FIRST_US = 100 * US_PER_MS, /* pause before the store is opened again; it doubles */
    REOPEN_LONGEST_US = 5 * US_PER_S,  /* up to this */
};

/* The mutex is held. Does a stall begin? The committer cannot log it: it waits for the disk. */
static bool note_stall(struct outbox_store *store)
{
    bool begins = !store->stall_logged && outbox_is_stalled(&store->outbox);

    store->stall_logged = store->stall_logged || begins;
    return begins;
}

bool committer_enqueue(struct outbox_store *store, struct work *work, struct error *err)
{
    struct outbox *outbox = &store->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);

    bool stalls = note_stall(store);
    const char *reason = outbox_why_not(outbox, work);

    if (!reason) {
        work_queue_push(&outbox->queue, work);
        (void)pthread_cond_signal(&store->work);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (stalls)
        LOG_EVENT(LOG_WARN, "store_stalled", LOG_STR("path", str_from_c(outbox->options.path)),
                  LOG_INT("after_ms", outbox->options.stall_us / US_PER_MS));
    return reason ? fail(err, ERR_UNAVAILABLE, "%s", reason) : true;
}

void committer_suspect(struct outbox_store *store)
{
    (void)pthread_mutex_lock(&store->outbox.mutex);
    store->suspected = true;
    (void)pthread_cond_signal(&store->work);
    (void)pthread_mutex_unlock(&store->outbox.mutex);
}

static bool is_sound(struct outbox_store *store, struct error *err)
{
    (void)pthread_mutex_lock(&store->outbox.mutex);

    bool suspected = store->suspected;

    (void)pthread_mutex_unlock(&store->outbox.mutex);
    return !suspected || fail(err, ERR_SYSTEM, "%s: damaged", store->outbox.options.path);
}

/* A task and the thread that waits for it. */
struct task {
    struct work work;
    outbox_task *run;
    void *arg;
    bool done;    /* under the mutex */
    bool refused; /* run() returned false, or nothing was written; `err` has the reason */
    struct error err;
};

static bool apply_task(struct outbox_store *store, struct work *work)
{
    struct task *task = CONTAINER_OF(work, struct task, work);

    task->refused = !task->run(store, task->arg, &task->err);
    return !task->refused || task->err.code != ERR_SYSTEM;
}

static void finish_task(struct outbox_store *store, struct work *work, const char *failure)
{
    struct task *task = CONTAINER_OF(work, struct task, work);

    (void)pthread_mutex_lock(&store->outbox.mutex);
    if (failure)
        task->refused = !fail(&task->err, ERR_UNAVAILABLE, "%s", failure);
    task->done = true;
    (void)pthread_cond_broadcast(&store->outbox.news);
    (void)pthread_mutex_unlock(&store->outbox.mutex);
}

bool committer_run(struct outbox *outbox, outbox_task *run, void *arg, struct error *err)
{
    static const struct work_operations operations = { apply_task, NULL, finish_task };
    struct task task = {
        .work = { .operations = &operations, .bytes = sizeof(task) },
        .run = run,
        .arg = arg,
    };

    if (!committer_enqueue(store_of(outbox), &task.work, err))
        return false;
    (void)pthread_mutex_lock(&outbox->mutex);
    while (!task.done)
        (void)pthread_cond_wait(&outbox->news, &outbox->mutex);
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (task.refused)
        *err = task.err;
    return !task.refused;
}

/* Recovery. */

static void set_failing(struct outbox_store *store, bool failing)
{
    (void)pthread_mutex_lock(&store->outbox.mutex);
    store->outbox.failing = failing;
    store->suspected = false;
    (void)pthread_mutex_unlock(&store->outbox.mutex);
    atomic_store(&store->outbox.state, failing ? OUTBOX_FAILING : OUTBOX_FINE);
}

static void fail_queue(struct outbox_store *store)
{
    struct list list;

    (void)pthread_mutex_lock(&store->outbox.mutex);
    work_queue_take(&store->outbox.queue, SIZE_MAX, SIZE_MAX, &list);
    (void)pthread_mutex_unlock(&store->outbox.mutex);
    for (struct work *work = work_pop(&list); work; work = work_pop(&list))
        work->operations->finish(store, work, "store failing");
}

/*
 * While a file does not have its name the store stays open: the file may be put back. If only the
 * log has lost its name, it is moved into the database, since nothing else can find it.
 */
static bool is_in_place(struct outbox_store *store, struct error *err)
{
    struct error why = { 0 };

    if (db_is_in_place(&store->db, err))
        return true;
    if (db_has_name(&store->db) && !db_checkpoint(&store->db, DB_CHECKPOINT_PASSIVE, &why))
        *err = why;
    return false;
}

/* After the store was closed, another database may have got its name. */
static bool is_same(struct outbox_store *store, struct error *err)
{
    char id[OUTBOX_NAME_SIZE];

    if (!store_read_id(store, id))
        return db_fail(&store->db, "store", err);
    return strcmp(id, store->outbox.id) == 0 || fail(err, ERR_SYSTEM, "it is another store now");
}

/*
 * Close, open, recover. The whole log goes into the database before anything new is written: a page
 * that the disk refused may be missing on the disk although a read finds it in the system's memory,
 * and all that follows such a page in the log would be lost with it (docs/decisions/014).
 */
static bool reopen(struct outbox_store *store, struct error *err)
{
    struct db *db = &store->db;
    struct tally tally;

    if (!is_in_place(store, err))
        return false;
    db_close(db);
    if (!db_open(db, store->outbox.options.path, DB_WRITE, err) || !is_same(store, err) ||
        !db_checkpoint(db, DB_CHECKPOINT_RESET, err))
        return false;
    if (db->frames > 0)
        return fail(err, ERR_SYSTEM, "readers hold the log");
    if (!tally_read(db, &tally) || !recent_load(&store->recent, db))
        return db_fail(db, "store", err);
    tally_keep_slots(&tally, &store->before);
    store->tally = tally;
    store->before = tally;
    return true;
}

/* Wait, whatever is queued meanwhile; true: the outbox stops. */
static bool pause_or_stop(struct outbox_store *store, int64_t us)
{
    struct outbox *outbox = &store->outbox;
    const struct timespec until = clock_timespec(clock_monotonic_us() + us);

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!outbox->stopping)
        if (pthread_cond_timedwait(&store->work, &outbox->mutex, &until) == ETIMEDOUT)
            break;

    bool stopping = outbox->stopping;

    (void)pthread_mutex_unlock(&outbox->mutex);
    return stopping;
}

/* The disk failed: accept nothing until the store was opened again. */
static void recover(struct outbox_store *store, const struct error *why)
{
    int64_t pause_us = REOPEN_FIRST_US;
    struct error err = { 0 };

    LOG_EVENT(LOG_ERROR, "store_failing", LOG_STR("reason", str_from_c(why->text)));
    set_failing(store, true);
    fail_queue(store);
    while (!pause_or_stop(store, pause_us)) {
        if (reopen(store, &err)) {
            set_failing(store, false);
            LOG_EVENT(LOG_WARN, "store_recovered",
                      LOG_STR("path", str_from_c(store->outbox.options.path)));
            return;
        }
        LOG_EVENT(LOG_ERROR, "store_failing", LOG_STR("reason", str_from_c(err.text)));
        pause_us = pause_us * 2 < REOPEN_LONGEST_US ? pause_us * 2 : REOPEN_LONGEST_US;
    }
}

/* The thread. */

/* The mutex is held. */
static void take_batch(struct outbox_store *store, struct list *out)
{
    size_t bytes = capacity_batch_bytes(store);
    size_t events = bytes / EVENT_BYTES < BATCH_EVENTS ? bytes / EVENT_BYTES : BATCH_EVENTS;

    work_queue_take(&store->outbox.queue, events, bytes, out);
}

/* The mutex is held. False: maintenance comes first, or a suspicion. */
static bool wait_for_work(struct outbox_store *store, int64_t until_us)
{
    struct outbox *outbox = &store->outbox;
    const struct timespec until = clock_timespec(until_us);

    while (list_is_empty(&outbox->queue.list) && !outbox->stopping && !store->suspected)
        if (pthread_cond_timedwait(&store->work, &outbox->mutex, &until) == ETIMEDOUT)
            break;
    return !list_is_empty(&outbox->queue.list) || outbox->stopping;
}

static void end_stall(struct outbox_store *store, int64_t begun_us)
{
    int64_t took_us = clock_monotonic_us() - begun_us;

    (void)pthread_mutex_lock(&store->outbox.mutex);

    bool was_logged = store->stall_logged;

    store->stall_logged = false;
    (void)pthread_mutex_unlock(&store->outbox.mutex);
    if (was_logged)
        LOG_EVENT(LOG_WARN, "store_stall_ended", LOG_INT("duration_ms", took_us / US_PER_MS));
}

/* Commit a batch and move the log; if `list` is empty, do maintenance. The mutex is not held. */
static void use_disk(struct outbox_store *store, struct list *list)
{
    int64_t begun_us = clock_monotonic_us();
    struct error err = { 0 };
    bool ok;

    atomic_store(&store->outbox.busy_since_us, begun_us);
    if (!list_is_empty(list))
        ok = transaction_commit_batch(store, list, &err) && is_sound(store, &err) &&
             upkeep_after_batch(store, &err);
    else
        ok = is_sound(store, &err) && upkeep_idle(store, &err);
    if (!ok)
        recover(store, &err);
    atomic_store(&store->outbox.busy_since_us, 0);
    end_stall(store, begun_us);
}

static void *commit_batches(void *self)
{
    struct outbox_store *store = self;
    struct outbox *outbox = &store->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!list_is_empty(&outbox->queue.list) || !outbox->stopping) {
        struct list list;

        take_batch(store, &list);

        bool has_work = !list_is_empty(&list);
        bool is_idle = !has_work && !wait_for_work(store, upkeep_next_us(store));

        (void)pthread_mutex_unlock(&outbox->mutex);
        if (has_work || is_idle)
            use_disk(store, &list);
        (void)pthread_mutex_lock(&outbox->mutex);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    return NULL;
}

bool committer_start(struct outbox *outbox, struct error *err)
{
    struct outbox_store *store = store_of(outbox);

    return thread_start(&store->committer, "committer", commit_batches, store, err);
}

void committer_stop(struct outbox *outbox)
{
    struct outbox_store *store = store_of(outbox);

    (void)pthread_mutex_lock(&outbox->mutex);
    (void)pthread_cond_signal(&store->work);
    (void)pthread_mutex_unlock(&outbox->mutex);
    (void)pthread_join(store->committer, NULL);
}
