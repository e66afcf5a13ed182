/*
 * memory.c - an outbox without a store: records wait in memory, and their senders with them
 * (docs/decisions/028).
 *
 * A record's way to a sink is a leg: it waits, is under way, or has ended. A job stays in the queue
 * until all its legs have ended. It is decided when every record has arrived at every sink or was
 * given up by one. When its sender gives up, the legs that wait end.
 *
 * Everything is guarded by the outbox's mutex. Wakers are called without it, since they take other
 * mutexes.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "delivery/outbox/batch.h"
#include "delivery/outbox/number_set.h"

struct outbox_memory {
    struct outbox outbox;
    struct recent recent;                      /* contents of ids, for the keys */
    struct list_link *start[OUTBOX_SINKS_MAX]; /* by slot: no job before it waits; NULL: none */
    atomic_size_t slots;                       /* all that were ever in use are below this */
};

enum stage { STAGE_WAITING, STAGE_UNDERWAY, STAGE_ENDED };

/** One record's way to one sink. */
struct leg {
    enum stage stage;
    bool is_suspect;     /* it failed: nothing else may fail with it */
    uint64_t order_hash; /* as the record's; 0: not known yet */
    int64_t attempts;
    int64_t next_at_us; /* time of day */
};

struct progress {
    bool decided;
    size_t open; /* legs that have not ended */
};

struct memory_job {
    struct outbox_job job;
    struct outbox_memory *memory;
    struct progress *progress; /* [count], in the job's block, */
    struct leg *legs;          /* as these: one for each item and slot */
    size_t slots;
    int64_t first_seq; /* of its first item; the others follow */
    int64_t accepted_us;
    size_t undecided; /* items */
    size_t open;      /* legs that have not ended */
    bool given_up;
    struct memory_job *to_wake; /* the next of those that were decided together */
};

static_assert(offsetof(struct memory_job, job) == 0, "a job is freed at its own address");

/** An item of a job. */
struct spot {
    struct memory_job *job;
    size_t index;
};

static struct outbox_memory *memory_of(struct outbox *outbox)
{
    return CONTAINER_OF(outbox, struct outbox_memory, outbox);
}

static struct memory_job *job_of(struct list_link *link)
{
    return CONTAINER_OF(link, struct memory_job, job.work.link);
}

static struct leg *leg_of(struct spot spot, size_t slot)
{
    return &spot.job->legs[spot.index * spot.job->slots + slot];
}

/* The mutex is held. There may be something to deliver. */
static void wake_sinks(struct outbox *outbox)
{
    outbox->round++;
    (void)pthread_cond_broadcast(&outbox->news);
}

/* The mutex is held. The sinks that start at `from` start at `to`. */
static void move_starts(struct outbox_memory *memory, const struct list_link *from,
                        struct list_link *to)
{
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        if (memory->start[i] == from)
            memory->start[i] = to;
}

/* A leg for each sink that gets the record. */
static void open_legs(struct spot spot)
{
    struct memory_job *job = spot.job;
    struct tally *tally = &job->memory->outbox.published;
    uint64_t sinks = job->job.items[spot.index].sinks;

    for (size_t slot = 0; slot < job->slots; slot++) {
        struct tally_sink *sink = sinks >> slot & 1 ? tally_sink_by_slot(tally, slot) : NULL;

        leg_of(spot, slot)->stage = sink ? STAGE_WAITING : STAGE_ENDED;
        if (!sink)
            continue;
        job->progress[spot.index].open++;
        job->open++;
        sink->enqueued++;
        sink->pending++;
    }
    assert(job->progress[spot.index].open > 0);
}

static void count_job(struct outbox_memory *memory, struct memory_job *job)
{
    struct tally *tally = &memory->outbox.published;
    size_t count = job->job.count;

    job->first_seq = tally->numbers[TALLY_NEXT_SEQ];
    job->accepted_us = clock_now_us();
    job->undecided = count;
    job->open = 0;
    for (size_t i = 0; i < count; i++) {
        struct job_item *item = &job->job.items[i];
        struct recent_event event = { .id_hash = item->id_hash };

        assert(!item->outcome);
        open_legs((struct spot){ job, i });
        if (item->output > 0) {
            job_follow(item);
            continue;
        }
        memcpy(event.identity, item->identity, sizeof(event.identity));
        item->reused = item->id.ptr && !recent_is_first(&memory->recent, &event);
    }
    tally->numbers[TALLY_NEXT_SEQ] += (int64_t)count;
    tally->numbers[TALLY_WAITING] += (int64_t)job->job.work.bytes;
}

static bool memory_is_full(const struct outbox *outbox, const struct work *work)
{
    return (uint64_t)outbox->published.numbers[TALLY_WAITING] + work->bytes >
           outbox->options.max_size;
}

static bool memory_enqueue(struct outbox_memory *memory, struct memory_job *job, struct error *err)
{
    struct outbox *outbox = &memory->outbox;
    struct work *work = &job->job.work;

    (void)pthread_mutex_lock(&outbox->mutex);

    const char *reason = outbox_why_not(outbox, work);

    if (!reason && memory_is_full(outbox, work)) {
        reason = "store full";
        if (!list_is_empty(&outbox->queue.list)) /* else the job alone is too large */
            atomic_store(&outbox->state, OUTBOX_FULL);
    }
    if (!reason) {
        count_job(memory, job);
        work_queue_push(&outbox->queue, work);
        move_starts(memory, NULL, &work->link);
        wake_sinks(outbox);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    return reason ? fail(err, ERR_UNAVAILABLE, "%s", reason) : true;
}

/* From here on the mutex is held, except where a comment says otherwise. */

static void remove_job(struct memory_job *job)
{
    struct outbox_memory *memory = job->memory;
    struct work *work = &job->job.work;

    move_starts(memory, &work->link, list_next(&memory->outbox.queue.list, &work->link));
    work_queue_remove(&memory->outbox.queue, work);
    memory->outbox.published.numbers[TALLY_WAITING] -= (int64_t)work->bytes;
    atomic_store(&memory->outbox.state, OUTBOX_FINE);
    job_unref(&job->job);
}

/* `reason` NULL: it has arrived everywhere. A job that is decided goes to `to_wake`, if given. */
static void decide(struct spot spot, const char *reason, struct memory_job **to_wake)
{
    struct memory_job *job = spot.job;
    struct progress *progress = &job->progress[spot.index];

    if (progress->decided)
        return;
    progress->decided = true;
    job->job.results[spot.index] = (struct outbox_result){
        reason ? OUTBOX_UNAVAILABLE : OUTBOX_ACCEPTED,
        .processed_at_us = job->job.items[spot.index].processed_at_us,
        .reason = reason,
    };
    if (job->job.items[spot.index].output == 0)
        job->memory->outbox.published.numbers[TALLY_ACCEPTED] += !reason;
    if (--job->undecided > 0)
        return;
    job_decide(&job->job);
    if (!to_wake)
        return;
    job_hold(&job->job);
    job->to_wake = *to_wake;
    *to_wake = job;
}

/* The mutex is not held. */
static void wake_all(struct memory_job *to_wake)
{
    while (to_wake) {
        struct memory_job *next = to_wake->to_wake;

        waker_wake(to_wake->job.waker);
        job_unref(&to_wake->job);
        to_wake = next;
    }
}

/* The job may be freed, if this was its last leg. */
static void end_leg(struct spot spot, size_t slot, bool arrived, struct memory_job **to_wake)
{
    struct memory_job *job = spot.job;
    struct tally_sink *counts = tally_sink_by_slot(&job->memory->outbox.published, slot);

    leg_of(spot, slot)->stage = STAGE_ENDED;
    counts->pending--;
    counts->delivered += arrived;
    counts->dropped += !arrived;
    if (!arrived)
        decide(spot, "a sink refused the record", to_wake);
    if (--job->progress[spot.index].open == 0)
        decide(spot, NULL, to_wake);
    if (--job->open == 0)
        remove_job(job);
}

static void end_waiting_legs(struct spot spot)
{
    for (size_t slot = 0; slot < spot.job->slots; slot++)
        if (leg_of(spot, slot)->stage == STAGE_WAITING)
            end_leg(spot, slot, false, NULL);
}

static void give_up_job(struct memory_job *job, const char *reason, struct memory_job **to_wake)
{
    struct outbox *outbox = &job->memory->outbox;

    if (job->given_up || job->open == 0)
        return;
    job->given_up = true;
    for (size_t i = 0; i < job->job.count; i++)
        decide((struct spot){ job, i }, reason, to_wake);
    job_hold(&job->job); /* until its last leg has ended */
    for (size_t i = 0; i < job->job.count; i++)
        end_waiting_legs((struct spot){ job, i });
    job_unref(&job->job);
    wake_sinks(outbox); /* an ordered sink may have waited for one of them */
}

/* The mutex is not held. */
static void memory_give_up(struct outbox_job *job)
{
    struct memory_job *own = CONTAINER_OF(job, struct memory_job, job);
    struct outbox *outbox = &own->memory->outbox;

    (void)pthread_mutex_lock(&outbox->mutex);
    give_up_job(own, "deadline", NULL);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

/* The mutex is not held. */
static void memory_stop(struct outbox *outbox)
{
    const struct list *jobs = &outbox->queue.list;
    struct memory_job *to_wake = NULL;

    (void)pthread_mutex_lock(&outbox->mutex);
    for (struct list_link *link = list_first(jobs); link;) {
        struct list_link *next = list_next(jobs, link); /* the job may be freed */

        give_up_job(job_of(link), "draining", &to_wake);
        link = next;
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    wake_all(to_wake);
}

/* The mutex is not held. */
static bool memory_submit(struct outbox *outbox, const struct outbox_request *request,
                          struct outbox_job **job, struct error *err)
{
    size_t count = request->count;
    size_t slots = atomic_load(&memory_of(outbox)->slots);
    const struct job_layout layout = {
        .head_bytes = sizeof(struct memory_job),
        .tail_bytes = count * (sizeof(struct progress) + slots * sizeof(struct leg)),
    };
    struct outbox_job *created = job_create(&outbox->options, request, layout);
    struct memory_job *own = CONTAINER_OF(created, struct memory_job, job);

    created->give_up = memory_give_up;
    own->memory = memory_of(outbox);
    own->progress = (struct progress *)(void *)(created->results + count);
    own->legs = (struct leg *)(void *)(own->progress + count);
    own->slots = slots;
    if (!memory_enqueue(own->memory, own, err)) {
        job_discard(created);
        return false;
    }
    *job = created;
    return true;
}

/* A leg waits again. */
static void put_back(struct spot spot, size_t slot, int64_t next_at_us)
{
    struct leg *leg = leg_of(spot, slot);

    leg->stage = STAGE_WAITING;
    leg->next_at_us = next_at_us;
    if (spot.job->given_up)
        end_leg(spot, slot, false, NULL);
}

static struct tally_sink *sink_of(const struct backlog *backlog)
{
    return tally_find_sink(&backlog->outbox->published, backlog->sink);
}

/* A walk along all records for a sink. */
struct walk {
    struct backlog *backlog;
    const struct backlog_bounds *bounds;
    struct arena *arena;
    struct backlog_batch **batch;
    size_t spots; /* room for so many in the batch */
    size_t slot;
    struct number_set passed; /* order hashes of records that the walk has passed */
    int64_t now_us;
    int64_t oldest_us; /* when the first that has not ended was accepted; 0: there is none */
};

/* The texts of the record; they live as long as its leg has not ended, but `key` is in `text`. */
static struct backlog_record record_at(struct spot spot, const struct leg *leg,
                                       char text[static JOB_KEY_SIZE])
{
    const struct job_item *item = &spot.job->job.items[spot.index];
    int64_t seq = spot.job->first_seq + (int64_t)spot.index;

    return (struct backlog_record){
        .seq = seq,
        .accepted_us = spot.job->accepted_us,
        .attempts = leg->attempts,
        .key = job_make_key(spot.job->memory->outbox.id, item, seq, text),
        .registry = item->registry,
        .schema = item->schema,
        .version = item->version,
        .bytes = item->body,
        .route = item->route,
        .origin = item->origin,
    };
}

/* Note where the batch's last record is. */
static void add_spot(struct backlog_batch *batch, struct walk *walk, struct spot spot)
{
    struct spot *spots = batch->spots;

    if (batch->count > walk->spots || !spots) {
        walk->spots = batch->capacity;
        batch->spots = arena_alloc(walk->arena, walk->spots * sizeof(*spots));
        if (spots)
            memcpy(batch->spots, spots, (batch->count - 1) * sizeof(*spots));
        spots = batch->spots;
    }
    spots[batch->count - 1] = spot;
}

/* Hand out the record, if it fits. A record that failed goes alone. */
static bool hand_out(struct walk *walk, struct spot spot, struct leg *leg)
{
    struct backlog_batch *batch = *walk->batch;
    char text[JOB_KEY_SIZE];
    struct backlog_record record = record_at(spot, leg, text);

    if (batch && leg->is_suspect)
        batch->is_full = true;
    if ((batch && batch->is_full) || !batch_fits(walk->backlog, walk->bounds, batch, &record))
        return false;
    record.key = arena_copy(walk->arena, record.key);
    batch_find_order_key(walk->backlog, walk->arena, &record);
    leg->stage = STAGE_UNDERWAY;
    batch_add(walk->backlog, walk->bounds, walk->arena, walk->batch, &record);
    add_spot(*walk->batch, walk, spot);
    (*walk->batch)->is_full = leg->is_suspect;
    return !leg->is_suspect;
}

/* Is an earlier record with the leg's order key there? */
static bool is_behind(struct walk *walk, struct spot spot, struct leg *leg)
{
    char text[JOB_KEY_SIZE];
    struct backlog_record record;
    bool is;

    if (walk->backlog->options.order != BACKLOG_BY_KEY)
        return false;
    if (leg->order_hash == 0) {
        record = record_at(spot, leg, text);
        batch_find_order_key(walk->backlog, walk->arena, &record);
        leg->order_hash = record.order_hash;
    }
    is = number_set_has(&walk->passed, leg->order_hash);
    number_set_add(&walk->passed, leg->order_hash);
    return is;
}

/* Not due yet, unless the clock was set back since. */
static bool is_early(const struct walk *walk, const struct leg *leg)
{
    int64_t longest_us = walk->bounds->longest_us;

    return leg->next_at_us > walk->now_us &&
           (longest_us == 0 || leg->next_at_us <= walk->now_us + longest_us);
}

/* False: the walk is over. */
static bool visit(struct walk *walk, struct spot spot)
{
    struct backlog *backlog = walk->backlog;
    struct leg *leg = leg_of(spot, walk->slot);

    if (leg->stage == STAGE_ENDED)
        return true;
    if (walk->oldest_us == 0)
        walk->oldest_us = spot.job->accepted_us;
    if (is_behind(walk, spot, leg) || leg->stage == STAGE_UNDERWAY)
        return true;
    if (is_early(walk, leg)) {
        if (leg->next_at_us < backlog->retry_due_us)
            backlog->retry_due_us = leg->next_at_us;
        return backlog->options.order != BACKLOG_STRICT;
    }
    return hand_out(walk, spot, leg);
}

static bool visit_job(struct walk *walk, struct memory_job *job)
{
    for (size_t i = 0; walk->slot < job->slots && i < job->job.count; i++)
        if (!visit(walk, (struct spot){ job, i }))
            return false;
    return true;
}

static bool has_ended(struct memory_job *job, size_t slot)
{
    for (size_t i = 0; slot < job->slots && i < job->job.count; i++)
        if (leg_of((struct spot){ job, i }, slot)->stage != STAGE_ENDED)
            return false;
    return true;
}

/* So that a sink that is ahead of another skips the jobs that wait for that one alone. */
static struct list_link *find_start(struct outbox_memory *memory, size_t slot)
{
    struct list_link **start = &memory->start[slot];

    while (*start && has_ended(job_of(*start), slot))
        *start = list_next(&memory->outbox.queue.list, *start);
    return *start;
}

/* The mutex is not held. */
static bool memory_take(struct backlog *backlog, const struct backlog_bounds *bounds,
                        struct arena *arena, struct backlog_batch **batch, struct error *err)
{
    struct outbox *outbox = backlog->outbox;
    struct walk walk = { backlog, bounds, arena, batch, .now_us = clock_now_us() };

    (void)err;
    number_set_init(&walk.passed);
    (void)pthread_mutex_lock(&outbox->mutex);

    const struct tally_sink *sink = sink_of(backlog);

    walk.slot = (size_t)sink->slot;
    walk.spots = *batch ? (*batch)->count : 0;
    backlog->retry_due_us = INT64_MAX;
    backlog->round = outbox->round;

    struct list_link *link = find_start(memory_of(outbox), walk.slot);

    while (link && visit_job(&walk, job_of(link)))
        link = list_next(&outbox->queue.list, link);
    outbox_note_oldest(outbox, (size_t)(sink - outbox->published.sinks), walk.oldest_us);
    (void)pthread_mutex_unlock(&outbox->mutex);
    number_set_done(&walk.passed);
    return true;
}

static void settle_one(struct spot spot, size_t slot, const struct backlog_result *result,
                       struct memory_job **to_wake)
{
    struct leg *leg = leg_of(spot, slot);

    if (result->verdict == BACKLOG_DELIVERED || result->verdict == BACKLOG_DEAD) {
        end_leg(spot, slot, result->verdict == BACKLOG_DELIVERED, to_wake);
        return;
    }
    leg->attempts += result->verdict == BACKLOG_FAILED;
    leg->is_suspect = leg->is_suspect || result->verdict == BACKLOG_DELAYED;
    put_back(spot, slot, result->next_at_us);
}

/* The mutex is not held. */
static void memory_settle(struct backlog *backlog, struct backlog_batch *batch,
                          const struct backlog_result *results)
{
    static const struct backlog_result untried = { .verdict = BACKLOG_UNTRIED };
    struct outbox *outbox = backlog->outbox;
    const struct spot *spots = batch->spots;
    struct memory_job *to_wake = NULL;

    (void)pthread_mutex_lock(&outbox->mutex);

    size_t slot = (size_t)sink_of(backlog)->slot;

    for (size_t i = 0; i < batch->count; i++)
        settle_one(spots[i], slot, results ? &results[i] : &untried, &to_wake);
    (void)pthread_mutex_unlock(&outbox->mutex);
    wake_all(to_wake);
}

/* The mutex is not held. */
static bool memory_add_sinks(struct outbox *outbox, const struct outbox_sink *sinks, size_t count,
                             struct error *err)
{
    struct outbox_memory *memory = memory_of(outbox);
    struct tally *tally = &outbox->published;
    bool has_room;

    (void)pthread_mutex_lock(&outbox->mutex);
    has_room = tally_has_room(tally, sinks, count, err);
    for (size_t i = 0; i < count && has_room; i++) {
        if (tally_find_sink(tally, sinks[i].name))
            continue;
        (void)tally_add_sink(tally, sinks[i].name, sinks[i].slot);
        if (sinks[i].slot >= atomic_load(&memory->slots))
            atomic_store(&memory->slots, sinks[i].slot + 1);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    return has_room;
}

/* The legs of this job to a sink that is removed end; the job may be freed. */
static void end_legs_to(struct memory_job *job, size_t slot, struct memory_job **to_wake)
{
    job_hold(&job->job);
    for (size_t i = 0; slot < job->slots && i < job->job.count; i++)
        if (leg_of((struct spot){ job, i }, slot)->stage != STAGE_ENDED)
            end_leg((struct spot){ job, i }, slot, false, to_wake);
    job_unref(&job->job);
}

/* The mutex is not held. */
static bool memory_remove_sink(struct outbox *outbox, const char *name, struct error *err)
{
    const struct list *jobs = &outbox->queue.list;
    struct memory_job *to_wake = NULL;

    (void)err;
    (void)pthread_mutex_lock(&outbox->mutex);

    struct tally_sink *sink = tally_find_sink(&outbox->published, name);

    for (struct list_link *link = list_first(jobs); sink && link;) {
        struct list_link *next = list_next(jobs, link);

        end_legs_to(job_of(link), (size_t)sink->slot, &to_wake);
        link = next;
    }
    if (sink) {
        memory_of(outbox)->start[sink->slot] = NULL;
        tally_forget_sink(&outbox->published, sink);
        memset(outbox->oldest, 0, sizeof(outbox->oldest)); /* its indexes have moved */
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    wake_all(to_wake);
    return true;
}

static void memory_show_size(const struct outbox *outbox, struct outbox_counters *out)
{
    out->bytes = outbox->published.numbers[TALLY_WAITING];
    out->max_bytes = (int64_t)outbox->options.max_size;
}

static void memory_destroy(struct outbox *outbox)
{
    struct outbox_memory *memory = memory_of(outbox);

    recent_done(&memory->recent);
    outbox_done(outbox);
    mem_free(memory);
}

static const struct outbox_operations memory_operations = {
    .stop = memory_stop,
    .destroy = memory_destroy,
    .submit = memory_submit,
    .add_sinks = memory_add_sinks,
    .remove_sink = memory_remove_sink,
    .show_size = memory_show_size,
    .backlog_size = sizeof(struct backlog),
    .take = memory_take,
    .settle = memory_settle,
};

bool memory_create(const struct outbox_options *options, struct outbox **out, struct error *err)
{
    struct outbox_memory *memory = mem_alloc(sizeof(*memory));
    struct outbox *outbox = &memory->outbox;
    uint64_t random;

    assert(options->sink_count > 0);
    outbox_init(outbox, &memory_operations, options);
    recent_init(&memory->recent, options->dedup_max_rows);
    sqlite3_randomness(sizeof(random), &random);
    (void)snprintf(outbox->id, sizeof(outbox->id), "%016" PRIx64, random);
    atomic_init(&memory->slots, 0);

    struct outbox_sink *sinks = outbox_list_sinks(options);
    bool ok = memory_add_sinks(outbox, sinks, options->sink_count, err);

    mem_free(sinks);
    if (ok)
        *out = outbox;
    else
        memory_destroy(outbox);
    return ok;
}
