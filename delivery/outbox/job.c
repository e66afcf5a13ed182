/*
 * job.c - the events of one request on their way to the committer and back.
 *
 * A job is one block of memory that owns copies of everything the committer needs. It is counted
 * twice, for the request and for the committer, so that either may be done with it first.
 */
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "delivery/outbox/outbox_internal.h"

/* Where the next text goes in a job's block. */
struct block {
    char *at;
};

static struct str put(struct block *block, struct str text)
{
    struct str copy = { NULL, text.len };

    if (!text.ptr)
        return STR_NONE;
    if (text.len > 0)
        memcpy(block->at, text.ptr, text.len);
    copy.ptr = block->at;
    block->at += text.len;
    return copy;
}

/* Never NULL, however empty it is. */
static struct str body_of(const struct outbox_event *event)
{
    struct str body = event->outcome ? event->raw : event->record;

    return body.ptr && !event->is_not_kept ? body : STR("");
}

static size_t size_of(const struct outbox_event *event)
{
    return event->id.len + event->registry.len + event->schema.len + event->version.len +
           body_of(event).len + event->details.len + event->units.len + event->rule.len + 1;
}

/*
 * Who an event is: its id and its own bytes, which hold its replay-name. The id's hash alone finds
 * those that share the id.
 */
static void identify(const struct outbox *outbox, const struct outbox_event *event,
                     struct outbox_item *item)
{
    bool unreplayed = outbox->options.dedup_replays && event->unreplayed.ptr;
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(unreplayed ? event->unreplayed : event->raw, digest);
    memcpy(item->identity, digest, OUTBOX_IDENTITY_SIZE);
    if (!event->id.ptr)
        return;
    secret_digest(event->id, digest);
    memcpy(&item->id_hash, digest, sizeof(item->id_hash));
    for (size_t i = 0; i < OUTBOX_IDENTITY_SIZE; i++)
        item->identity[i] ^= digest[i];
}

static void fill(const struct outbox *outbox, struct outbox_item *item,
                 const struct outbox_event *event, struct block *block)
{
    *item = (struct outbox_item){
        .time_us = event->time_us,
        .processed_at_us = event->processed_at_us,
        .is_replay = event->replay_name.ptr != NULL,
        .is_registry_kind = event->is_registry_kind,
        .is_not_kept = event->is_not_kept,
        .outcome = event->outcome,
        .id = put(block, event->id),
        .registry = put(block, event->registry),
        .schema = put(block, event->schema),
        .version = put(block, event->version),
        .body = put(block, body_of(event)),
        .details = put(block, event->details),
        .units = put(block, event->units),
        .rule = put(block, event->rule),
    };
    identify(outbox, event, item);
}

static bool apply(struct outbox *outbox, struct outbox_work *work)
{
    struct outbox_job *job = (struct outbox_job *)work;

    for (size_t i = 0; i < job->count; i++)
        if (!outbox_take(outbox, &job->items[i], &job->results[i]))
            return false;
    return true;
}

static bool recall(struct outbox *outbox, struct outbox_work *work)
{
    struct outbox_job *job = (struct outbox_job *)work;

    for (size_t i = 0; i < job->count; i++)
        if (!outbox_recall(outbox, &job->items[i], &job->results[i]))
            return false;
    return true;
}

static void finish(struct outbox *outbox, struct outbox_work *work, const char *failure)
{
    struct outbox_job *job = (struct outbox_job *)work;

    (void)outbox;
    for (size_t i = 0; failure && i < job->count; i++)
        job->results[i] = (struct outbox_result){ OUTBOX_UNAVAILABLE, .reason = failure };
    outbox_job_decide(job);
    waker_wake(job->waker);
    outbox_job_unref(job);
}

static struct outbox_job *create_job(const struct outbox *outbox,
                                     const struct outbox_request *request)
{
    size_t ways = outbox_is_in_memory(outbox) ? outbox->options.sink_count : 0;
    size_t count = request->count;
    size_t head = sizeof(struct outbox_job) +
                  count * (sizeof(struct outbox_item) + sizeof(struct outbox_result) +
                           ways * sizeof(struct outbox_way));
    size_t texts = 0;
    bool all_refused = true;

    for (size_t i = 0; i < count; i++) {
        texts += size_of(&request->events[i]);
        all_refused = all_refused && request->events[i].outcome;
    }

    struct outbox_job *job = mem_alloc(head + texts);
    struct block block = { (char *)job + head };

    job->work = (struct outbox_work){ .events = count,
                                      .bytes = head + texts,
                                      .is_refusal = all_refused,
                                      .apply = apply,
                                      .recall = recall,
                                      .finish = finish };
    job->waker = request->waker;
    job->count = count;
    job->items = (struct outbox_item *)(void *)(job + 1);
    job->results = (struct outbox_result *)(void *)(job->items + count);
    job->ways = (struct outbox_way *)(void *)(job->results + count);
    atomic_init(&job->references, 2);
    atomic_init(&job->decided, false);
    for (size_t i = 0; i < count; i++)
        fill(outbox, &job->items[i], &request->events[i], &block);
    return job;
}

bool outbox_submit(struct outbox *outbox, const struct outbox_request *request,
                   struct outbox_job **job, struct error *err)
{
    struct outbox_job *created = create_job(outbox, request);

    if (!(outbox_is_in_memory(outbox) ? outbox_memory_take(outbox, created, err)
                                      : outbox_enqueue(outbox, &created->work, err))) {
        mem_free(created);
        return false;
    }
    *job = created;
    return true;
}

const struct outbox_result *outbox_results(const struct outbox_job *job)
{
    return atomic_load_explicit(&job->decided, memory_order_acquire) ? job->results : NULL;
}

void outbox_job_decide(struct outbox_job *job)
{
    atomic_store_explicit(&job->decided, true, memory_order_release);
}

void outbox_job_unref(struct outbox_job *job)
{
    if (atomic_fetch_sub_explicit(&job->references, 1, memory_order_acq_rel) == 1)
        mem_free(job);
}

void outbox_give_up(struct outbox_job *job)
{
    if (job->outbox)
        outbox_memory_give_up(job->outbox, job);
}

void outbox_job_release(void *job)
{
    if (!job)
        return;
    outbox_give_up(job);
    outbox_job_unref(job);
}
