/*
 * jwks_source.c - see jwks_source.h.
 *
 * The set and its generation travel in one object, so that a reader cannot see one without the
 * other. The text stays too: a successor (after a reload) begins with it.
 */
#include "handlers/auth/jwks_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
    FILE_LOOK_US = US_PER_S,
    URL_LOOK_US = 300 * US_PER_S,
    URL_TIMEOUT_US = 5 * US_PER_S,
    URL_EARLY_US = 5 * US_PER_S,  /* between two looks for the sake of unknown keys */
    URL_DOUBT_US = 30 * US_PER_S, /* and for the sake of wrong signatures */
    RETRY_MIN_US = US_PER_S,      /* after a failure, doubled with each */
    RETRY_MAX_US = 30 * US_PER_S, /* up to this */
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
    bool is_remote; /* at the URL */
    struct fetch_client *client;
    _Atomic(struct keys *) keys; /* NULL: none yet; written by one thread at a time */
    struct stat seen;            /* the file when it was last read, or tried */
    _Atomic int64_t early_us;    /* clock_monotonic_us() from which an early look is granted */
    _Atomic int64_t doubt_us;    /* the same for wrong signatures */
    int64_t retry_us;            /* 0: the last look went well */
    int64_t pause_us;            /* before the thread's first look */
    bool running;                /* the thread is */
    pthread_t thread;
    pthread_mutex_t mutex; /* over the two below */
    pthread_cond_t wake;
    bool stopping;
    bool wanted; /* early */
};

/* Generations differ between sources, so that a cache may outlive one. */
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

static void stop(struct jwks_source *source)
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
    stop(source);
    fetch_client_destroy(source->client);
    keys_destroy(atomic_load(&source->keys));
    (void)pthread_cond_destroy(&source->wake);
    (void)pthread_mutex_destroy(&source->mutex);
    mem_free(source->url);
    mem_free(source->file);
    mem_free(source);
}

/* Looking. */

/* Make `text` (copied) the live keys; what readers may still see lives until they have left. */
static bool take(struct jwks_source *source, struct str text, struct error *err)
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
    ok = ok && take(source, buf_str(&answer.body), err);
    fetch_answer_done(&answer);
    if (!ok)
        err->code = ERR_UNREACHABLE;
    return ok || fail_within(err, source->url);
}

static bool read_file(struct jwks_source *source, struct error *err)
{
    struct str text;

    /* A missing file is file_read_regular()'s to tell. */
    if (stat(source->file, &source->seen) != 0)
        source->seen = (struct stat){ 0 };
    if (!file_read_regular(source->file, JWKS_TEXT_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    bool ok = take(source, text, err);

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
        ok = take(source, text, &err);
    mem_free((void *)text.ptr);
    return ok;
}

/* The thread. */

/* A file that is gone is a change, too: it is tried, and the log says so, once. */
static bool has_changed(const struct jwks_source *source)
{
    const struct stat *seen = &source->seen;
    struct stat file;

    if (stat(source->file, &file) != 0)
        file = (struct stat){ 0 };
    return file.st_ino != seen->st_ino || file.st_size != seen->st_size ||
           file.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
           file.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

/* Look, and say how long to wait for the next time. */
static int64_t look(struct jwks_source *source)
{
    int64_t usual_us = source->is_remote ? URL_LOOK_US : FILE_LOOK_US;
    struct error err = { 0 };

    if (!source->is_remote && !has_changed(source))
        return usual_us;
    if (jwks_source_load(source, &err)) {
        if (source->retry_us)
            LOG_EVENT(LOG_INFO, "jwks_available",
                      LOG_INT("keys", jwks_count(atomic_load(&source->keys)->jwks)));
        source->retry_us = 0;
        return usual_us;
    }
    LOG_EVENT(LOG_WARN, "jwks_refresh_failed", LOG_STR("error", str_from_c(err.text)));
    if (!source->is_remote)
        return usual_us;
    source->retry_us = source->retry_us ? source->retry_us * 2 : RETRY_MIN_US;
    if (source->retry_us > RETRY_MAX_US)
        source->retry_us = RETRY_MAX_US;
    return source->retry_us;
}

/* Sleep until then, or until somebody wants something. True: stop. The mutex is held. */
static bool sleep_or_stop(struct jwks_source *source, int64_t us)
{
    const struct timespec at = clock_timespec(clock_monotonic_us() + us);

    while (!source->stopping && !source->wanted)
        if (pthread_cond_timedwait(&source->wake, &source->mutex, &at) == ETIMEDOUT)
            break;
    source->wanted = false;
    return source->stopping;
}

static void *keep_fresh(void *self)
{
    struct jwks_source *source = self;
    int64_t pause_us = source->pause_us;

    (void)pthread_mutex_lock(&source->mutex);
    while (!sleep_or_stop(source, pause_us)) {
        (void)pthread_mutex_unlock(&source->mutex);
        pause_us = look(source);
        (void)pthread_mutex_lock(&source->mutex);
    }
    (void)pthread_mutex_unlock(&source->mutex);
    return NULL;
}

bool jwks_source_start(struct jwks_source *source, struct error *err)
{
    source->pause_us = US_PER_S;
    if (!atomic_load(&source->keys))
        source->pause_us = look(source);
    source->running = true;
    if (thread_start(&source->thread, "jwks", keep_fresh, source, err))
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

/* Look early, unless the last time was less than `every_us` ago. */
static void look_early(struct jwks_source *source, _Atomic int64_t *granted_us, int64_t every_us)
{
    int64_t now_us = clock_monotonic_us();
    int64_t from_us = atomic_load(granted_us);

    if (!source->is_remote || now_us < from_us ||
        !atomic_compare_exchange_strong(granted_us, &from_us, now_us + every_us))
        return;
    (void)pthread_mutex_lock(&source->mutex);
    source->wanted = true;
    (void)pthread_cond_signal(&source->wake);
    (void)pthread_mutex_unlock(&source->mutex);
}

void jwks_source_want(struct jwks_source *source)
{
    look_early(source, &source->early_us, URL_EARLY_US);
}

void jwks_source_doubt(struct jwks_source *source)
{
    look_early(source, &source->doubt_us, URL_DOUBT_US);
}
