/*
 * accept.c - store a submitted event: as a record or in the quarantine, unless it is a duplicate.
 *
 * Threads: accept_submit() runs in the thread of the request, all other functions in the committer.
 */
#include <string.h>

#include "base/log.h"
#include "delivery/outbox/capacity.h"
#include "delivery/outbox/committer.h"
#include "delivery/outbox/dedup.h"
#include "delivery/outbox/history.h"
#include "delivery/outbox/quarantine.h"

static const struct outbox_result no_room = { OUTBOX_UNAVAILABLE, .reason = "store full" };

/* Does the sink get the event's record? */
static bool is_for(const struct tally_sink *sink, const struct job_item *item)
{
    return sink->configured && sink->slot >= 0 && item->sinks >> sink->slot & 1;
}

/* How many sinks get the event's record; `*mask`: their bits. */
static size_t count_sinks(const struct tally *tally, const struct job_item *item, int64_t *mask)
{
    size_t count = 0;

    *mask = 0;
    for (size_t i = 0; i < tally->sink_count; i++)
        if (is_for(&tally->sinks[i], item)) {
            *mask |= tally_mask(&tally->sinks[i]);
            count++;
        }
    return count;
}

/* Count the record for its sinks. The cursor of another sink that waits for nothing passes it. */
static void enqueue(struct tally *tally, const struct job_item *item, int64_t seq)
{
    for (size_t i = 0; i < tally->sink_count; i++) {
        struct tally_sink *sink = &tally->sinks[i];

        if (is_for(sink, item)) {
            sink->enqueued++;
            tally_add_pending(tally, sink, seq, 1);
            tally_add_behind(tally, sink, seq, 1);
        } else if (sink->configured && sink->cursor == seq - 1) {
            sink->cursor = seq;
        }
    }
}

/* Store the record. If no sink gets it, and there is no history, only its number is used. */
static bool add_record(struct outbox_store *store, const struct job_item *item)
{
    struct tally *tally = &store->tally;
    char text[JOB_KEY_SIZE];
    int64_t seq = tally->numbers[TALLY_NEXT_SEQ]++;
    struct str key = job_make_key(store->outbox.id, item, seq, text);
    int64_t mask;

    enqueue(tally, item, seq);
    if (count_sinks(tally, item, &mask) == 0 && !history_is_on(store))
        return true;
    tally_add_waiting(tally, seq,
                      (int64_t)(item->body.len + key.len + item->origin.len + OUTBOX_ROW_BYTES));
    return db_run(&store->db, SQL_RECORD_ADD, "isisssbssi", seq, key, store->now_us, item->registry,
                  item->schema, item->version, item->body, item->route, item->origin, mask);
}

/* The bytes of the event's record and of the further ones that follow, before `end`. */
static size_t bytes_of(const struct tally *tally, const struct job_item *item,
                       const struct job_item *end)
{
    size_t bytes = 0;

    do {
        int64_t mask;
        size_t retries = count_sinks(tally, item, &mask) * OUTBOX_RETRY_BYTES;

        bytes += item->body.len + OUTBOX_ROW_BYTES + retries;
        item++;
    } while (item < end && item->output > 0);
    return bytes;
}

static bool accept_new(struct outbox_store *store, const struct job_item *item,
                       const struct job_item *end, struct outbox_result *result)
{
    struct tally *tally = &store->tally;

    if (capacity_is_full(store, bytes_of(tally, item, end))) {
        store->turned_away = true;
        *result = no_room;
        return true;
    }
    if (!add_record(store, item) || !dedup_add(store, item) || !quarantine_resolve(store, item))
        return false;
    tally->numbers[TALLY_ACCEPTED]++;
    if (item->reused && !item->is_replay) { /* an archive's replay has the id of its event */
        tally->numbers[TALLY_IDS_REUSED]++;
        LOG_EVENT(LOG_WARN, "event_id_reused", LOG_STR("event_id", log_identifier(item->id)));
    }
    *result = (struct outbox_result){ OUTBOX_ACCEPTED, item->reused, item->processed_at_us, NULL };
    return true;
}

static bool refuse(struct outbox_store *store, const struct job_item *item,
                   struct outbox_result *result)
{
    if (!item->is_not_kept)
        return quarantine_add(store, item, result);
    *result = (struct outbox_result){ .verdict = OUTBOX_NOT_KEPT };
    return true;
}

/* An event that was accepted before is a duplicate, even if it is invalid against today's schema.
 */
static bool accept_event(struct outbox_store *store, struct job_item *item,
                         const struct job_item *end, struct outbox_result *result)
{
    int64_t processed_us = 0;
    enum dedup seen = dedup_find(store, item, &processed_us);

    if (seen == DEDUP_BROKEN)
        return false;
    item->reused = seen == DEDUP_ID_REUSED;
    if (seen != DEDUP_SEEN)
        return item->outcome ? refuse(store, item, result) : accept_new(store, item, end, result);
    store->tally.numbers[TALLY_DUPLICATES]++;
    *result = (struct outbox_result){ OUTBOX_DUPLICATE, false, processed_us, NULL };
    return quarantine_resolve(store, item);
}

/* A further record of the event before it: stored if that was. */
static bool accept_further(struct outbox_store *store, struct job_item *item,
                           struct outbox_result *result)
{
    *result = result[-1];
    job_follow(item);
    return result->verdict != OUTBOX_ACCEPTED || add_record(store, item);
}

static bool apply(struct outbox_store *store, struct work *work)
{
    struct outbox_job *job = CONTAINER_OF(work, struct outbox_job, work);
    const struct job_item *end = job->items + job->count;

    for (size_t i = 0; i < job->count; i++)
        if (job->items[i].output > 0 ? !accept_further(store, &job->items[i], &job->results[i])
                                     : !accept_event(store, &job->items[i], end, &job->results[i]))
            return false;
    return true;
}

/* Nothing can be stored now, but a duplicate still gets its answer. */
static bool recall_event(struct outbox_store *store, const struct job_item *item,
                         struct outbox_result *result)
{
    int64_t processed_us = 0;
    enum dedup seen = dedup_find(store, item, &processed_us);

    *result = no_room;
    if (seen == DEDUP_SEEN)
        *result = (struct outbox_result){ OUTBOX_DUPLICATE, false, processed_us, NULL };
    else if (item->is_not_kept)
        *result = (struct outbox_result){ .verdict = OUTBOX_NOT_KEPT };
    return seen != DEDUP_BROKEN;
}

static bool recall(struct outbox_store *store, struct work *work)
{
    struct outbox_job *job = CONTAINER_OF(work, struct outbox_job, work);

    for (size_t i = 0; i < job->count; i++)
        if (job->items[i].output > 0)
            job->results[i] = job->results[i - 1];
        else if (!recall_event(store, &job->items[i], &job->results[i]))
            return false;
    return true;
}

static void finish(struct outbox_store *store, struct work *work, const char *failure)
{
    struct outbox_job *job = CONTAINER_OF(work, struct outbox_job, work);

    (void)store;
    for (size_t i = 0; failure && i < job->count; i++)
        job->results[i] = (struct outbox_result){ OUTBOX_UNAVAILABLE, .reason = failure };
    job_decide(job);
    waker_wake(job->waker);
    job_unref(job);
}

bool accept_submit(struct outbox *outbox, const struct outbox_request *request,
                   struct outbox_job **job, struct error *err)
{
    static const struct work_operations operations = { apply, recall, finish };
    const struct job_layout layout = { .head_bytes = sizeof(struct outbox_job) };
    struct outbox_job *created = job_create(&outbox->options, request, layout);

    created->work.operations = &operations;
    if (!committer_enqueue(store_of(outbox), &created->work, err)) {
        job_discard(created);
        return false;
    }
    *job = created;
    return true;
}
