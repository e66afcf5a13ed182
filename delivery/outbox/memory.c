/*
 * memory.c - an outbox without a file: records wait in memory, and their senders with them
 * (docs/decisions/028).
 *
 * A job is in the queue until each of its records has come to an end at each sink. It is decided
 * when every record has arrived everywhere, or was given up somewhere. Who stops waiting takes
 * along what no sink was given yet, so nothing is kept or tried for nobody.
 *
 * Wakers are used when the mutex is free again: they lead to other mutexes.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "delivery/outbox/outbox_internal.h"

bool outbox_memory_open(struct outbox *outbox, struct error *err)
{
    uint64_t random;

    assert(outbox->options.sink_count > 0);
    if (!outbox_sinks_configure(outbox, err))
        return false;
    sqlite3_randomness(sizeof(random), &random);
    (void)snprintf(outbox->store_id, sizeof(outbox->store_id), "%016" PRIx64, random);
    outbox->published = outbox->tally;
    return true;
}

static size_t sinks_of(const struct outbox_job *job)
{
    return job->outbox->options.sink_count;
}

static struct outbox_way *way_of(const struct outbox_job *job, size_t index, size_t sink)
{
    return &job->ways[index * sinks_of(job) + sink];
}

static void count_item(struct outbox *outbox, struct outbox_item *item)
{
    struct recent_event event = { .id_hash = item->id_hash };

    assert(!item->outcome);
    item->open = outbox->options.sink_count;
    memcpy(event.identity, item->identity, sizeof(event.identity));
    item->reused = item->id.ptr && !recent_is_first(&outbox->recent, &event);
}

static void count_in(struct outbox *outbox, struct outbox_job *job)
{
    struct tally *tally = &outbox->published;
    int64_t count = (int64_t)job->count;

    job->outbox = outbox;
    job->first_seq = tally->numbers[TALLY_NEXT_SEQ];
    job->accepted_us = clock_now_us();
    job->undecided = job->count;
    job->open = job->count * sinks_of(job);
    for (size_t i = 0; i < job->count; i++)
        count_item(outbox, &job->items[i]);
    for (size_t i = 0; i < tally->sink_count; i++) {
        tally->sinks[i].enqueued += count;
        tally->sinks[i].pending += count;
    }
    tally->numbers[TALLY_NEXT_SEQ] += count;
    tally->numbers[TALLY_WAITING] += (int64_t)job->work.bytes;
}

static bool is_full(const struct outbox *outbox, const struct outbox_job *job)
{
    return (uint64_t)outbox->published.numbers[TALLY_WAITING] + job->work.bytes >
           outbox->options.max_size;
}

/* The mutex is held. There may be something to deliver. */
static void call_pumps(struct outbox *outbox)
{
    outbox->round++;
    (void)pthread_cond_broadcast(&outbox->news);
}

/* The mutex is held. The sinks that start at `from` start at `to`. */
static void move_starts(struct outbox *outbox, const struct outbox_work *from,
                        struct outbox_work *to)
{
    for (size_t i = 0; i < outbox->options.sink_count; i++)
        if (outbox->start[i] == from)
            outbox->start[i] = to;
}

bool outbox_memory_take(struct outbox *outbox, struct outbox_job *job, struct error *err)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    const char *reason = outbox_why_not(outbox, &job->work);

    if (!reason && is_full(outbox, job)) {
        reason = "store full";
        if (outbox->first) /* else it is the job that is too large */
            atomic_store(&outbox->trouble, OUTBOX_FULL);
    }
    if (!reason) {
        count_in(outbox, job);
        outbox_push(outbox, &job->work);
        move_starts(outbox, NULL, &job->work);
        call_pumps(outbox);
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    return reason ? fail(err, ERR_UNAVAILABLE, "%s", reason) : true;
}

/* From here on the mutex is held, unless it is said otherwise. */

static void unlink_job(struct outbox *outbox, struct outbox_job *job)
{
    struct outbox_work **at = &outbox->first;

    while (*at != &job->work)
        at = &(*at)->next;
    *at = job->work.next;
    if (!*at)
        outbox->last = at;
    move_starts(outbox, &job->work, job->work.next);
    outbox->queued_events -= job->work.events;
    outbox->queued_bytes -= job->work.bytes;
    outbox->published.numbers[TALLY_WAITING] -= (int64_t)job->work.bytes;
    atomic_store(&outbox->trouble, OUTBOX_FINE);
    outbox_job_unref(job);
}

/* `reason` NULL: it has arrived everywhere. A job that is decided goes to `to_wake`, if given. */
static void decide(struct outbox_job *job, size_t index, const char *reason,
                   struct outbox_job **to_wake)
{
    struct outbox_item *item = &job->items[index];

    if (item->decided)
        return;
    item->decided = true;
    job->results[index] = (struct outbox_result){
        reason ? OUTBOX_UNAVAILABLE : OUTBOX_ACCEPTED,
        .processed_at_us = item->processed_at_us,
        .reason = reason,
    };
    job->outbox->published.numbers[TALLY_ACCEPTED] += !reason;
    if (--job->undecided > 0)
        return;
    outbox_job_decide(job);
    if (!to_wake)
        return;
    (void)atomic_fetch_add(&job->references, 1);
    job->to_wake = *to_wake;
    *to_wake = job;
}

/* The mutex is free. */
static void wake_all(struct outbox_job *to_wake)
{
    while (to_wake) {
        struct outbox_job *next = to_wake->to_wake;

        waker_wake(to_wake->waker);
        outbox_job_unref(to_wake);
        to_wake = next;
    }
}

/* A record's way to a sink is over. The job may be gone afterwards, when it was the last one. */
static void end_way(struct outbox_spot spot, size_t sink, bool arrived, struct outbox_job **to_wake)
{
    struct outbox_job *job = spot.job;
    struct outbox_item *item = &job->items[spot.index];
    struct tally_sink *counts = &job->outbox->published.sinks[sink];

    way_of(job, spot.index, sink)->stage = OUTBOX_STAGE_ENDED;
    counts->pending--;
    counts->delivered += arrived;
    counts->dropped += !arrived;
    if (!arrived)
        decide(job, spot.index, "a sink refused the record", to_wake);
    if (--item->open == 0)
        decide(job, spot.index, NULL, to_wake);
    if (--job->open == 0)
        unlink_job(job->outbox, job);
}

static void give_up(struct outbox_job *job, const char *reason, struct outbox_job **to_wake)
{
    struct outbox *outbox = job->outbox;
    size_t ways = job->count * sinks_of(job);

    if (job->given_up || job->open == 0)
        return;
    job->given_up = true;
    for (size_t i = 0; i < job->count; i++)
        decide(job, i, reason, to_wake);
    (void)atomic_fetch_add(&job->references, 1); /* so that it outlives its last way */
    for (size_t i = 0; i < ways; i++)
        if (job->ways[i].stage == OUTBOX_STAGE_WAITING)
            end_way((struct outbox_spot){ job, i / sinks_of(job) }, i % sinks_of(job), false, NULL);
    outbox_job_unref(job);
    call_pumps(outbox); /* an ordered sink may have waited for one of them */
}

/* The mutex is free. */
void outbox_memory_give_up(struct outbox *outbox, struct outbox_job *job)
{
    (void)pthread_mutex_lock(&outbox->mutex);
    give_up(job, "deadline", NULL);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

/* The mutex is free. */
void outbox_memory_stop(struct outbox *outbox)
{
    struct outbox_job *to_wake = NULL;

    (void)pthread_mutex_lock(&outbox->mutex);
    for (struct outbox_work *work = outbox->first; work;) {
        struct outbox_work *next = work->next; /* it may be gone */

        give_up((struct outbox_job *)work, "draining", &to_wake);
        work = next;
    }
    (void)pthread_mutex_unlock(&outbox->mutex);
    wake_all(to_wake);
}

static void put_back(struct outbox_spot spot, size_t sink, int64_t next_at_us)
{
    struct outbox_way *way = way_of(spot.job, spot.index, sink);

    way->stage = OUTBOX_STAGE_WAITING;
    way->next_at_us = next_at_us;
    if (spot.job->given_up)
        end_way(spot, sink, false, NULL);
}

/* What was handed out and not settled waits again. */
static void put_all_back(struct backlog *backlog, size_t sink)
{
    for (size_t i = 0; i < backlog->count; i++)
        put_back(backlog->spots[i], sink, 0);
    backlog->count = 0;
}

static size_t index_of(struct backlog *backlog)
{
    struct tally *tally = &backlog->outbox->published;

    return (size_t)(tally_find_sink(tally, backlog->sink) - tally->sinks);
}

static void hand_out(struct backlog *backlog, struct outbox_spot spot, struct outbox_way *way)
{
    const struct outbox_job *job = spot.job;
    const struct outbox_item *item = &job->items[spot.index];
    int64_t seq = job->first_seq + (int64_t)spot.index;
    char text[OUTBOX_RECORD_KEY_SIZE];

    way->stage = OUTBOX_STAGE_UNDERWAY;
    backlog->spots[backlog->count] = spot;
    backlog->records[backlog->count++] = (struct backlog_record){
        .seq = seq,
        .accepted_us = job->accepted_us,
        .attempts = way->attempts,
        .key = arena_copy(backlog->arena, outbox_make_key(backlog->outbox, item, seq, text)),
        .registry = item->registry,
        .schema = item->schema,
        .version = item->version,
        .bytes = item->body,
    };
}

/* A walk along all records for a sink. */
struct walk {
    const struct backlog_bounds *bounds;
    size_t sink;
    size_t bytes;     /* handed out, */
    size_t key_bytes; /* with so many of keys */
    int64_t now_us;
    int64_t oldest_us; /* when the first that has not ended was accepted; 0: there is none */
};

/* Neither due, nor has the clock moved since its time was set. */
static bool is_early(const struct walk *walk, const struct outbox_way *way)
{
    int64_t longest_us = walk->bounds->longest_us;

    return way->next_at_us > walk->now_us &&
           (longest_us == 0 || way->next_at_us <= walk->now_us + longest_us);
}

/* Is there no room for it beside what is handed out already? A record that failed goes alone. */
static bool has_no_room(const struct walk *walk, const struct backlog *backlog,
                        const struct outbox_way *way)
{
    const struct backlog_bounds *bounds = walk->bounds;

    return backlog->count > 0 &&
           (walk->bytes > bounds->bytes ||
            (bounds->key_bytes > 0 && walk->key_bytes > bounds->key_bytes) || way->is_suspect);
}

/* False: the walk is over. */
static bool visit(struct backlog *backlog, struct walk *walk, struct outbox_spot spot)
{
    struct outbox_way *way = way_of(spot.job, spot.index, walk->sink);
    const struct outbox_item *item = &spot.job->items[spot.index];

    if (way->stage == OUTBOX_STAGE_ENDED)
        return true;
    if (walk->oldest_us == 0)
        walk->oldest_us = spot.job->accepted_us;
    if (is_early(walk, way)) {
        if (way->next_at_us < backlog->retry_due_us)
            backlog->retry_due_us = way->next_at_us;
        return !backlog->ordered;
    }
    walk->bytes += item->body.len;
    walk->key_bytes += item->id.len;
    if (has_no_room(walk, backlog, way))
        return false;
    hand_out(backlog, spot, way);
    return backlog->count < walk->bounds->records && !way->is_suspect;
}

static bool visit_job(struct backlog *backlog, struct walk *walk, struct outbox_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (!visit(backlog, walk, (struct outbox_spot){ job, i }))
            return false;
    return true;
}

static bool is_over(const struct outbox_job *job, size_t sink)
{
    for (size_t i = 0; i < job->count; i++)
        if (way_of(job, i, sink)->stage != OUTBOX_STAGE_ENDED)
            return false;
    return true;
}

/* So that a sink that is ahead of another need not look at what waits for that one alone. */
static struct outbox_work *find_start(struct outbox *outbox, size_t sink)
{
    struct outbox_work **start = &outbox->start[sink];

    while (*start && is_over((const struct outbox_job *)*start, sink))
        *start = (*start)->next;
    return *start;
}

/* The mutex is free. */
void outbox_memory_next(struct backlog *backlog, const struct backlog_bounds *bounds)
{
    struct outbox *outbox = backlog->outbox;
    struct walk walk = { .bounds = bounds, .now_us = clock_now_us() };

    (void)pthread_mutex_lock(&outbox->mutex);
    walk.sink = index_of(backlog);
    put_all_back(backlog, walk.sink);
    arena_reset(backlog->arena);
    backlog->records = arena_alloc(backlog->arena, bounds->records * sizeof(*backlog->records));
    backlog->spots = arena_alloc(backlog->arena, bounds->records * sizeof(*backlog->spots));
    backlog->retry_due_us = INT64_MAX;
    backlog->round = outbox->round;
    for (struct outbox_work *work = find_start(outbox, walk.sink); work; work = work->next)
        if (!visit_job(backlog, &walk, (struct outbox_job *)work))
            break;
    outbox_note_oldest(outbox, walk.sink, walk.oldest_us);
    (void)pthread_mutex_unlock(&outbox->mutex);
}

static void settle(struct outbox_spot spot, size_t sink, const struct backlog_result *result,
                   struct outbox_job **to_wake)
{
    switch (result->verdict) {
    case BACKLOG_DELIVERED:
    case BACKLOG_DEAD:
        end_way(spot, sink, result->verdict == BACKLOG_DELIVERED, to_wake);
        break;
    case BACKLOG_FAILED:
        way_of(spot.job, spot.index, sink)->attempts++;
        put_back(spot, sink, result->next_at_us);
        break;
    case BACKLOG_DELAYED:
        way_of(spot.job, spot.index, sink)->is_suspect = true;
        put_back(spot, sink, result->next_at_us);
        break;
    case BACKLOG_UNTRIED:
    default:
        put_back(spot, sink, result->next_at_us);
    }
}

/* The mutex is free. */
void outbox_memory_settle(struct backlog *backlog, const struct backlog_result *results,
                          size_t count)
{
    struct outbox *outbox = backlog->outbox;
    struct outbox_job *to_wake = NULL;

    assert(count == backlog->count);
    (void)pthread_mutex_lock(&outbox->mutex);

    size_t sink = index_of(backlog);

    for (size_t i = 0; i < count; i++)
        settle(backlog->spots[i], sink, &results[i], &to_wake);
    backlog->count = 0;
    (void)pthread_mutex_unlock(&outbox->mutex);
    wake_all(to_wake);
}

/* The mutex is free. */
void outbox_memory_close(struct backlog *backlog)
{
    (void)pthread_mutex_lock(&backlog->outbox->mutex);
    put_all_back(backlog, index_of(backlog));
    (void)pthread_mutex_unlock(&backlog->outbox->mutex);
}
