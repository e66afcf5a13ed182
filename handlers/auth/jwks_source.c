/*
 * jwks_source.c - see jwks_source.h.
 *
 * The set and its generation are in one object, so that a reader sees both of one moment. The text
 * is kept for a successor (after a reload), which starts with it.
 */
#include "handlers/auth/jwks_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
    FILE_PERIOD_US = US_PER_S,
    URL_PERIOD_US = 300 * US_PER_S,
    URL_TIMEOUT_US = 5 * US_PER_S,
    UNKNOWN_US = 5 * US_PER_S, /* between two fetches because of unknown keys */
    FORGED_US = 30 * US_PER_S, /* between two fetches because of wrong signatures */
    RETRY_MIN_US = US_PER_S,   /* after a failure; doubled with each one */
    RETRY_MAX_US = 30 * US_PER_S,
};

/* Immutable. */
struct keys {
    struct jwks *jwks;
    uint64_t generation;
    struct str text; /* owned: what the set was read from */
};

struct jwks_source {
    char *url;
    char *file;
    bool is_remote; /* the keys are at the URL */
    struct fetch_client *client;
    _Atomic(struct keys *) keys; /* NULL: none yet; written by one thread at a time */
    struct file_stamp stamp;     /* of the file when it was last read, or tried */
    _Atomic int64_t unknown_us; /* clock_monotonic_us() of the next early fetch, for unknown keys */
    _Atomic int64_t forged_us;  /* the same for wrong signatures */
    int64_t retry_us;           /* 0: the last refresh succeeded */
    int64_t pause_us;           /* before the thread's first refresh */
    bool running;               /* the thread was started */
    pthread_t thread;
    pthread_mutex_t mutex; /* over the two flags below */
    pthread_cond_t wake;
    bool stopping;
    bool early; /* refresh now */
};

/* Generations are unique in the process, so that a cache may outlive a source. */
static _Atomic uint64_t last_generation;

static void keys_destroy(struct keys *keys)
{
    if (!keys)
        return;
    jwks_destroy(keys->jwks);
    mem_free((void *)keys->text.ptr);
    mem_free(keys);
}

struct jwks_source *jwks_source_create(const struct jwks_source_options *options)
{
    struct jwks_source *source = mem_alloc(sizeof(*source));

    source->url = mem_copy_string(options->url);
    source->file = mem_copy_string(options->file);
    source->is_remote = *options->url != '\0';
    source->client = fetch_client_create();
    (void)pthread_mutex_init(&source->mutex, NULL);
    clock_init_condition(&source->wake);
    return source;
}

static void stop_thread(struct jwks_source *source)
{
    if (!source->running)
        return;
    (void)pthread_mutex_lock(&source->mutex);
    source->stopping = true;
    (void)pthread_cond_signal(&source->wake);
    (void)pthread_mutex_unlock(&source->mutex);
    fetch_client_interrupt(source->client);
    (void)pthread_join(source->thread, NULL);
}

void jwks_source_destroy(struct jwks_source *source)
{
    if (!source)
        return;
    stop_thread(source);
    fetch_client_destroy(source->client);
    keys_destroy(atomic_load(&source->keys));
    (void)pthread_cond_destroy(&source->wake);
    (void)pthread_mutex_destroy(&source->mutex);
    mem_free(source->url);
    mem_free(source->file);
    mem_free(source);
}

/* Reading the keys. */

/* Put the keys of `text` (copied) in force. The old ones live until their readers have left. */
static bool publish(struct jwks_source *source, struct str text, struct error *err)
{
    struct keys *old = atomic_load(&source->keys);
    struct keys *keys;
    struct jwks *jwks;

    if (old && str_equal(old->text, text))
        return true;
    if (!jwks_read(text, &jwks, err))
        return false;
    keys = mem_alloc(sizeof(*keys));
    keys->jwks = jwks;
    keys->generation = atomic_fetch_add(&last_generation, 1) + 1;
    keys->text = (struct str){ mem_copy(text.ptr, text.len), text.len };
    atomic_store(&source->keys, keys);
    if (old)
        LOG_EVENT(LOG_INFO, "jwks_changed", LOG_INT("keys", jwks_count(jwks)));
    epoch_wait();
    keys_destroy(old);
    return true;
}

static bool download(struct jwks_source *source, struct error *err)
{
    const struct fetch_request request = {
        .url = source->url,
        .timeout_us = URL_TIMEOUT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
    };
    struct fetch_answer answer;
    bool ok;

    fetch_answer_init(&answer, JWKS_TEXT_MAX);
    ok = fetch_client_run(source->client, &request, &answer, err);
    if (ok && answer.status != 200)
        ok = fail(err, ERR_UNREACHABLE, "status %d", answer.status);
    ok = ok && publish(source, buf_str(&answer.body), err);
    fetch_answer_done(&answer);
    if (!ok)
        err->code = ERR_UNREACHABLE;
    return ok || fail_within(err, source->url);
}

static bool read_file(struct jwks_source *source, struct error *err)
{
    struct str text;

    source->stamp = file_stamp(source->file);
    if (!file_read_regular(source->file, JWKS_TEXT_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    bool ok = publish(source, text, err);

    mem_free((void *)text.ptr);
    if (ok)
        return true;
    err->code = ERR_CONFIG;
    return fail_within(err, source->file);
}

bool jwks_source_load(struct jwks_source *source, struct error *err)
{
    return source->is_remote ? download(source, err) : read_file(source, err);
}

bool jwks_source_inherit(struct jwks_source *source, struct jwks_source *other)
{
    struct error err;
    bool ok = false;

    if (!source->is_remote || strcmp(source->url, other->url) != 0)
        return false;
    epoch_enter();

    const struct keys *keys = atomic_load(&other->keys);
    struct str text = keys ? keys->text : STR_NONE;

    if (keys)
        text.ptr = mem_copy(text.ptr, text.len);
    epoch_leave();
    if (text.ptr)
        ok = publish(source, text, &err);
    mem_free((void *)text.ptr);
    return ok;
}

/* The thread. */

/* Read the keys if it is due. Returns the time until the next refresh. */
static int64_t refresh(struct jwks_source *source)
{
    const struct file_stamp now = file_stamp(source->file);
    int64_t period_us = source->is_remote ? URL_PERIOD_US : FILE_PERIOD_US;
    struct error err = { 0 };

    if (!source->is_remote && file_stamp_equal(&now, &source->stamp))
        return period_us;
    if (jwks_source_load(source, &err)) {
        if (source->retry_us)
            LOG_EVENT(LOG_INFO, "jwks_available",
                      LOG_INT("keys", jwks_count(atomic_load(&source->keys)->jwks)));
        source->retry_us = 0;
        return period_us;
    }
    LOG_EVENT(LOG_WARN, "jwks_refresh_failed", LOG_STR("error", str_from_c(err.text)));
    if (!source->is_remote)
        return period_us;
    source->retry_us = source->retry_us ? source->retry_us * 2 : RETRY_MIN_US;
    if (source->retry_us > RETRY_MAX_US)
        source->retry_us = RETRY_MAX_US;
    return source->retry_us;
}

/* Wait `us`, or until `stopping` or `early` is set. True: stop. The caller holds the mutex. */
static bool sleep_or_stop(struct jwks_source *source, int64_t us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + us);

    while (!source->stopping && !source->early)
        if (pthread_cond_timedwait(&source->wake, &source->mutex, &at) == ETIMEDOUT)
            break;
    source->early = false;
    return source->stopping;
}

static void *refresh_until_stopped(void *self)
{
    struct jwks_source *source = self;
    int64_t pause_us = source->pause_us;

    (void)pthread_mutex_lock(&source->mutex);
    while (!sleep_or_stop(source, pause_us)) {
        (void)pthread_mutex_unlock(&source->mutex);
        pause_us = refresh(source);
        (void)pthread_mutex_lock(&source->mutex);
    }
    (void)pthread_mutex_unlock(&source->mutex);
    return NULL;
}

bool jwks_source_start(struct jwks_source *source, struct error *err)
{
    source->pause_us = US_PER_S;
    if (!atomic_load(&source->keys))
        source->pause_us = refresh(source);
    source->running = true;
    if (thread_start(&source->thread, "jwks", refresh_until_stopped, source, err))
        return true;
    source->running = false;
    return false;
}

/* Readers. */

const struct jwks *jwks_source_enter(struct jwks_source *source, uint64_t *generation)
{
    epoch_enter();

    const struct keys *keys = atomic_load(&source->keys);

    *generation = keys ? keys->generation : 0;
    return keys ? keys->jwks : NULL;
}

void jwks_source_leave(void)
{
    epoch_leave();
}

/* Refresh early, at most once every `period_us`. `*due_us` is the earliest time of the next one. */
static void refresh_early(struct jwks_source *source, _Atomic int64_t *due_us, int64_t period_us)
{
    int64_t now_us = clock_monotonic_us();
    int64_t from_us = atomic_load(due_us);

    if (!source->is_remote || now_us < from_us ||
        !atomic_compare_exchange_strong(due_us, &from_us, now_us + period_us))
        return;
    (void)pthread_mutex_lock(&source->mutex);
    source->early = true;
    (void)pthread_cond_signal(&source->wake);
    (void)pthread_mutex_unlock(&source->mutex);
}

void jwks_source_refresh_unknown(struct jwks_source *source)
{
    refresh_early(source, &source->unknown_us, UNKNOWN_US);
}

void jwks_source_refresh_forged(struct jwks_source *source)
{
    refresh_early(source, &source->forged_us, FORGED_US);
}
