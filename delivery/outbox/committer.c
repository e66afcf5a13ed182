/*
 * committer.c - the committer's thread and its queue.
 *
 * There is no timer: who comes while the committer is at the disk forms the next batch, who comes
 * alone is written at once (docs/decisions/011).
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "delivery/outbox/outbox_internal.h"

enum {
    QUEUE_EVENTS = 20000,              /* waiting, unless the options say otherwise */
    QUEUE_BYTES = 64 * 1024 * 1024,    /* waiting */
    BATCH_EVENTS = 1024,               /* in one transaction */
    EVENT_BYTES = 8 * 1024,            /* of the log, that an event may cost beside its own */
    REOPEN_FIRST_US = 100 * US_PER_MS, /* pause before the store is opened again, doubling */
    REOPEN_LONGEST_US = 5 * US_PER_S,  /* up to this */
};

static size_t queue_events(const struct outbox *outbox)
{
    return outbox->options.max_queued ? outbox->options.max_queued : QUEUE_EVENTS;
}

/* Refused events may have half of the queue: they never keep good ones out. */
static bool has_room(const struct outbox *outbox, const struct outbox_work *work)
{
    size_t most = queue_events(outbox);

    if (outbox->queued_events == 0)
        return true;
    if (outbox->queued_events + work->events > most ||
        outbox->queued_bytes + work->bytes > QUEUE_BYTES)
        return false;
    return !work->is_refusal || (outbox->queued_refusals + work->events <= most / 2 &&
                                 outbox->queued_bytes + work->bytes <= QUEUE_BYTES / 2);
}

const char *outbox_why_not(const struct outbox *outbox, const struct outbox_work *work)
{
    if (!outbox->running || outbox->stopping)
        return "draining";
    if (outbox->failing)
        return "store failing";
    return has_room(outbox, work) ? NULL : "store queue full";
}

void outbox_push(struct outbox *outbox, struct outbox_work *work)
{
    work->next = NULL;
    *outbox->last = work;
    outbox->last = &work->next;
    outbox->queued_events += work->events;
    outbox->queued_bytes += work->bytes;
    outbox->queued_refusals += work->is_refusal ? work->events : 0;
}

bool outbox_is_stalled(const struct outbox *outbox)
{
    int64_t since_us = atomic_load(&outbox->busy_since_us);

    return outbox->options.stall_us > 0 && since_us != 0 &&
           clock_monotonic_us() - since_us > outbox->options.stall_us;
}

/* The mutex is held. The committer cannot say so itself: it is at the disk. */
static bool notes_stall(struct outbox *outbox)
{
    bool begins = !outbox->stall_logged && outbox_is_stalled(outbox);

    outbox->stall_logged = outbox->stall_logged || begins;
    return begins;
}

static void log_stall(const struct outbox *outbox)
{
    LOG_EVENT(LOG_WARN, "store_stalled", LOG_STR("path", str_from_c(outbox->options.path)),
              LOG_INT("after_ms", outbox->options.stall_us / US_PER_MS));
}

bool outbox_enqueue(struct outbox *outbox, struct outbox_work *work, struct error *err)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    bool stalls = notes_stall(outbox);

    const char *reason = outbox_why_not(outbox, work);

    if (!reason) {
        outbox_push(outbox, work);
        (void)pthread_cond_signal(&outbox->work);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (stalls)
        log_stall(outbox);
    return reason ? fail(err, ERR_UNAVAILABLE, "%s", reason) : true;
}

/* The mutex is held. Cut the next batch off the queue; NULL when that is empty. */
static struct outbox_work *take_batch(struct outbox *outbox)
{
    struct outbox_work *list = outbox->first;
    struct outbox_work *end = NULL;
    size_t events = 0;
    size_t bytes = 0;
    size_t most_bytes = outbox_batch_bytes(outbox);
    size_t most = most_bytes / EVENT_BYTES < BATCH_EVENTS ? most_bytes / EVENT_BYTES : BATCH_EVENTS;

    for (struct outbox_work *at = list; at; at = at->next) {
        if (end && (events + at->events > most || bytes + at->bytes > most_bytes))
            break;
        events += at->events;
        bytes += at->bytes;
        outbox->queued_refusals -= at->is_refusal ? at->events : 0;
        end = at;
    }
    if (!end)
        return NULL;
    outbox->first = end->next;
    if (!outbox->first)
        outbox->last = &outbox->first;
    end->next = NULL;
    outbox->queued_events -= events;
    outbox->queued_bytes -= bytes;
    return list;
}

/* The mutex is held. False: the time came first, or a doubt. */
static bool wait_for_work(struct outbox *outbox, int64_t until_us)
{
    const struct timespec until = clock_timespec(until_us);

    while (!outbox->first && !outbox->stopping && !outbox->doubted)
        if (pthread_cond_timedwait(&outbox->work, &outbox->mutex, &until) == ETIMEDOUT)
            break;
    return outbox->first || outbox->stopping;
}

void outbox_doubt(struct outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->mutex);
    outbox->doubted = true;
    (void)pthread_cond_signal(&outbox->work);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

static bool is_believed(struct outbox *outbox, struct error *err)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    bool doubted = outbox->doubted;

    (void)pthread_mutex_unlock(&outbox->mutex);
    return !doubted || fail(err, ERR_SYSTEM, "%s: damaged", outbox->options.path);
}

static void set_failing(struct outbox *outbox, bool failing)
{
    (void)pthread_mutex_lock(&outbox->mutex);
    outbox->failing = failing;
    outbox->doubted = false;
    (void)pthread_mutex_unlock(&outbox->mutex);
    atomic_store(&outbox->trouble, failing ? OUTBOX_FAILING : OUTBOX_FINE);
}

static void fail_queue(struct outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    struct outbox_work *work = outbox->first;

    outbox->first = NULL;
    outbox->last = &outbox->first;
    outbox->queued_events = 0;
    outbox->queued_bytes = 0;
    outbox->queued_refusals = 0;
    (void)pthread_mutex_unlock(&outbox->mutex);
    while (work) {
        struct outbox_work *next = work->next;

        work->finish(outbox, work, "store failing");
        work = next;
    }
}

/*
 * While its files do not have their names any more the store stays open: they may be put back. A
 * log that nobody else can find is moved into the database as long as that is there.
 */
static bool is_in_place(struct outbox *outbox, struct error *err)
{
    struct error why = { 0 };

    if (outbox_db_is_in_place(&outbox->db, err))
        return true;
    if (outbox_db_has_name(&outbox->db) &&
        !outbox_db_checkpoint(&outbox->db, OUTBOX_CHECKPOINT_PASSIVE, &why))
        *err = why;
    return false;
}

/* What came to be at the store's name after it was closed may be another one. */
static bool is_same(struct outbox *outbox, struct error *err)
{
    char id[OUTBOX_NAME_SIZE];

    if (!outbox_read_id(outbox, id))
        return outbox_db_fail(&outbox->db, "store", err);
    return strcmp(id, outbox->store_id) == 0 || fail(err, ERR_SYSTEM, "it is another store now");
}

/*
 * Close, open, recover. The whole log goes into the database before anything new is written: what
 * the disk refused once may be missing on it although a read finds it in the system's memory, and
 * what came after such a hole in the log would be lost with it (docs/decisions/014).
 */
static bool reopen(struct outbox *outbox, struct error *err)
{
    struct tally tally;

    if (!is_in_place(outbox, err))
        return false;
    outbox_db_close(&outbox->db);
    if (!outbox_db_open(&outbox->db, outbox->options.path, OUTBOX_WRITE, err) ||
        !is_same(outbox, err) || !outbox_db_checkpoint(&outbox->db, OUTBOX_CHECKPOINT_RESET, err))
        return false;
    if (outbox->db.frames > 0)
        return fail(err, ERR_SYSTEM, "readers hold the log");
    if (!tally_read(&outbox->db, &tally) || !recent_load(&outbox->recent, &outbox->db))
        return outbox_db_fail(&outbox->db, "store", err);
    outbox->tally = tally;
    outbox->before = tally;
    return true;
}

/* Wait, whatever is queued meanwhile; true: it is to end. */
static bool pause_or_stop(struct outbox *outbox, int64_t us)
{
    const struct timespec until = clock_timespec(clock_monotonic_us() + us);

    (void)pthread_mutex_lock(&outbox->mutex);
    while (!outbox->stopping)
        if (pthread_cond_timedwait(&outbox->work, &outbox->mutex, &until) == ETIMEDOUT)
            break;

    bool stopping = outbox->stopping;

    (void)pthread_mutex_unlock(&outbox->mutex);
    return stopping;
}

/* The disk let us down: nothing is taken until the store was opened again. */
static void recover(struct outbox *outbox, const struct error *why)
{
    int64_t pause_us = REOPEN_FIRST_US;
    struct error err = { 0 };

    LOG_EVENT(LOG_ERROR, "store_failing", LOG_STR("reason", str_from_c(why->text)));
    set_failing(outbox, true);
    fail_queue(outbox);
    while (!pause_or_stop(outbox, pause_us)) {
        if (reopen(outbox, &err)) {
            set_failing(outbox, false);
            LOG_EVENT(LOG_WARN, "store_recovered",
                      LOG_STR("path", str_from_c(outbox->options.path)));
            return;
        }
        LOG_EVENT(LOG_ERROR, "store_failing", LOG_STR("reason", str_from_c(err.text)));
        pause_us = pause_us * 2 < REOPEN_LONGEST_US ? pause_us * 2 : REOPEN_LONGEST_US;
    }
}

/* What is to be done between batches; the mutex is not held. */
static void keep_up(struct outbox *outbox)
{
    struct error err = { 0 };

    if (!is_believed(outbox, &err) || !outbox_upkeep_idle(outbox, &err))
        recover(outbox, &err);
}

static void work_off(struct outbox *outbox, struct outbox_work *list)
{
    struct error err = { 0 };

    if (!outbox_batch(outbox, list, &err) || !is_believed(outbox, &err) ||
        !outbox_upkeep_log(outbox, &err))
        recover(outbox, &err);
}

/* The disk has answered; the mutex is not held. */
static void end_stall(struct outbox *outbox, int64_t begun_us)
{
    int64_t took_us = clock_monotonic_us() - begun_us;

    (void)pthread_mutex_lock(&outbox->mutex);

    bool was_logged = outbox->stall_logged;

    outbox->stall_logged = false;
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (was_logged)
        LOG_EVENT(LOG_WARN, "store_stall_ended", LOG_INT("duration_ms", took_us / US_PER_MS));
}

static void work_at_disk(struct outbox *outbox, struct outbox_work *list)
{
    int64_t begun_us = clock_monotonic_us();

    atomic_store(&outbox->busy_since_us, begun_us);
    if (list)
        work_off(outbox, list);
    else
        keep_up(outbox);
    atomic_store(&outbox->busy_since_us, 0);
    end_stall(outbox, begun_us);
}

static void *commit(void *self)
{
    struct outbox *outbox = self;

    (void)pthread_mutex_lock(&outbox->mutex);
    while (outbox->first || !outbox->stopping) {
        struct outbox_work *list = take_batch(outbox);
        bool idle = !list && !wait_for_work(outbox, outbox_upkeep_next_us(outbox));

        (void)pthread_mutex_unlock(&outbox->mutex);
        if (list || idle)
            work_at_disk(outbox, list);
        (void)pthread_mutex_lock(&outbox->mutex);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    return NULL;
}

bool outbox_start(struct outbox *outbox, struct error *err)
{
    outbox->running = true;
    if (outbox_is_in_memory(outbox))
        return true;

    if (thread_start(&outbox->committer, "committer", commit, outbox, err))
        return true;
    outbox->running = false;
    return false;
}

void outbox_stop(struct outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    bool running = outbox->running && !outbox->stopping;

    outbox->stopping = true;
    outbox->round++;
    (void)pthread_cond_signal(&outbox->work);
    (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (outbox_is_in_memory(outbox))
        outbox_memory_stop(outbox);
    else if (running)
        (void)pthread_join(outbox->committer, NULL);
}

static bool apply_task(struct outbox *outbox, struct outbox_work *work)
{
    struct outbox_task *task = (struct outbox_task *)work;

    task->refused = !task->run(outbox, task->arg, &task->err);
    return !task->refused || task->err.code != ERR_SYSTEM;
}

static void finish_task(struct outbox *outbox, struct outbox_work *work, const char *failure)
{
    struct outbox_task *task = (struct outbox_task *)work;

    (void)pthread_mutex_lock(&outbox->mutex);
    if (failure)
        task->refused = !fail(&task->err, ERR_UNAVAILABLE, "%s", failure);
    task->done = true;
    (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

bool outbox_do(struct outbox *outbox,
               bool (*run)(struct outbox *outbox, void *arg, struct error *err), void *arg,
               struct error *err)
{
    struct outbox_task task = {
        .work = { .bytes = sizeof(task), .apply = apply_task, .finish = finish_task },
        .run = run,
        .arg = arg,
    };

    if (outbox_is_in_memory(outbox))
        return fail(err, ERR_CONFIG, "there is no store");
    if (!outbox_enqueue(outbox, &task.work, err))
        return false;
    (void)pthread_mutex_lock(&outbox->mutex);
    while (!task.done)
        (void)pthread_cond_wait(&outbox->news, &outbox->mutex);
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (task.refused)
        *err = task.err;
    return !task.refused;
}
