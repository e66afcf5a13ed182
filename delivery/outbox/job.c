/*
 * job.c - see job.h.
 */
#include "delivery/outbox/job.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"

enum { KEY_HASH = 8 }; /* bytes of the identity in a key */

/* Copy a text to `*at` in the job's block. */
static struct str job_put(char **at, struct str text)
{
    struct str copy = { *at, text.len };

    if (!text.ptr)
        return STR_NONE;
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

/* Never NULL, even if it is empty. */
static struct str body_of(const struct outbox_event *event)
{
    struct str body = event->outcome ? event->raw : event->record;

    return body.ptr && !event->is_not_kept ? body : STR("");
}

static size_t job_text_bytes(const struct outbox_event *event)
{
    return event->id.len + event->registry.len + event->schema.len + event->version.len +
           body_of(event).len + event->details.len + event->units.len + event->rule.len +
           event->reason.len + event->route.len + event->origin.len + 1;
}

/*
 * The identity covers the event's id and its bytes, which include its replay-name. The id's hash
 * alone finds events with the same id.
 */
static void identify(const struct outbox_options *options, const struct outbox_event *event,
                     struct job_item *item)
{
    bool unreplayed = options->dedup_replays && event->unreplayed.ptr;
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(unreplayed ? event->unreplayed : event->raw, digest);
    memcpy(item->identity, digest, RECENT_IDENTITY_SIZE);
    if (!event->id.ptr)
        return;
    secret_digest(event->id, digest);
    memcpy(&item->id_hash, digest, sizeof(item->id_hash));
    for (size_t i = 0; i < RECENT_IDENTITY_SIZE; i++)
        item->identity[i] ^= digest[i];
}

static void fill(struct job_item *item, const struct outbox_event *event, char **at)
{
    *item = (struct job_item){
        .time_us = event->time_us,
        .processed_at_us = event->processed_at_us,
        .is_replay = event->replay_name.ptr != NULL,
        .is_registry_kind = event->is_registry_kind,
        .is_not_kept = event->is_not_kept,
        .sinks = event->sinks,
        .output = event->output,
        .outcome = event->outcome,
        .id = job_put(at, event->id),
        .registry = job_put(at, event->registry),
        .schema = job_put(at, event->schema),
        .version = job_put(at, event->version),
        .body = job_put(at, body_of(event)),
        .details = job_put(at, event->details),
        .units = job_put(at, event->units),
        .rule = job_put(at, event->rule),
        .reason = job_put(at, event->reason),
        .route = job_put(at, event->route),
        .origin = job_put(at, event->origin),
    };
}

struct outbox_job *job_create(const struct outbox_options *options,
                              const struct outbox_request *request, struct job_layout layout)
{
    size_t count = request->count;
    size_t bytes = layout.head_bytes + layout.tail_bytes +
                   count * (sizeof(struct job_item) + sizeof(struct outbox_result));
    size_t texts_at = bytes;
    size_t events = 0;
    bool all_refused = true;

    for (size_t i = 0; i < count; i++) {
        events += request->events[i].output == 0;
        bytes += job_text_bytes(&request->events[i]);
        all_refused = all_refused && request->events[i].outcome;
    }

    struct outbox_job *job = mem_realloc(NULL, bytes);
    char *block = (char *)job;
    char *text = block + texts_at;

    memset(job, 0, texts_at); /* the texts are written by fill() */
    job->work = (struct work){ .events = events, .bytes = bytes, .is_refusal = all_refused };
    job->waker = request->waker;
    job->count = count;
    job->items = (struct job_item *)(void *)(block + layout.head_bytes);
    job->results = (struct outbox_result *)(void *)(job->items + count);
    atomic_init(&job->references, 2);
    atomic_init(&job->decided, false);
    for (size_t i = 0; i < count; i++) {
        fill(&job->items[i], &request->events[i], &text);
        if (job->items[i].output > 0)
            job_follow(&job->items[i]);
        else
            identify(options, &request->events[i], &job->items[i]);
    }
    return job;
}

void job_follow(struct job_item *item)
{
    memcpy(item->identity, item[-1].identity, sizeof(item->identity));
    item->behind = item[-1].behind + 1;
    item->id_hash = item[-1].id_hash;
    item->reused = item[-1].reused;
}

void job_discard(struct outbox_job *job)
{
    mem_free(job);
}

const struct outbox_result *outbox_results(const struct outbox_job *job)
{
    return atomic_load_explicit(&job->decided, memory_order_acquire) ? job->results : NULL;
}

void job_decide(struct outbox_job *job)
{
    atomic_store_explicit(&job->decided, true, memory_order_release);
}

void job_hold(struct outbox_job *job)
{
    (void)atomic_fetch_add_explicit(&job->references, 1, memory_order_relaxed);
}

void job_unref(struct outbox_job *job)
{
    if (atomic_fetch_sub_explicit(&job->references, 1, memory_order_acq_rel) == 1)
        mem_free(job);
}

void outbox_give_up(struct outbox_job *job)
{
    if (job->give_up)
        job->give_up(job);
}

void outbox_job_release(void *job)
{
    if (!job)
        return;
    outbox_give_up(job);
    job_unref(job);
}

/* The key of the event's first record. */
static struct str make_first_key(const char *store_id, const struct job_item *item, int64_t seq,
                                 char text[static JOB_KEY_SIZE])
{
    int len;

    if (item->id.ptr && !item->reused)
        return item->id;
    if (!item->id.ptr) {
        len = snprintf(text, JOB_KEY_SIZE, "%s-%lld", store_id, (long long)seq);
        return (struct str){ text, (size_t)len };
    }
    memcpy(text, item->id.ptr, item->id.len);
    len = (int)item->id.len;
    text[len++] = ':';
    for (size_t i = 0; i < KEY_HASH; i++)
        len += snprintf(text + len, 3, "%02x", item->identity[i]);
    return (struct str){ text, (size_t)len };
}

struct str job_make_key(const char *store_id, const struct job_item *item, int64_t seq,
                        char text[static JOB_KEY_SIZE])
{
    if (item->output == 0)
        return make_first_key(store_id, item, seq, text);

    struct str key = make_first_key(store_id, item, seq - (int64_t)item->behind, text);

    if (key.ptr != text)
        memcpy(text, key.ptr, key.len);
    key.ptr = text;
    key.len += (size_t)snprintf(text + key.len, JOB_KEY_SIZE - key.len, "#%u", item->output);
    return key;
}
