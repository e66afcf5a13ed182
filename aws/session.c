/*
 * session.c - see session.h.
 *
 * One thread calls the providers. So a provider that hangs delays no caller beyond its deadline,
 * and any number of waiting callers cause only one request.
 */
#include "aws/session.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aws/session_internal.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
    AHEAD_S = 15 * 60, /* this long before expiry a renewal starts in the background */
    FORCE_S = 10 * 60, /* this long before expiry callers wait for the renewal */
    PAUSE_S = 60,      /* between attempts in the background */
    LOOK_S = 60,       /* the thread's longest sleep, because the time of day may be changed */
    HOLD_S = 10,       /* callers with old credentials do not wait this long after an attempt */
};

struct aws_session {
    struct aws_config *config;
    struct aws_providers providers; /* used by the thread only */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t change;
    bool started;
    bool stop;
    bool wanted;                    /* a caller waits for an attempt */
    struct aws_credentials current; /* key_id empty: none */
    const char *source;             /* the name of their provider */
    uint64_t number;                /* of the current credentials; 0: none yet */
    uint64_t rejected;              /* the highest number that AWS refused */
    uint64_t tries;                 /* attempts that have ended */
    int64_t fetched_us;             /* by clock_now_us(), when the current ones arrived */
    int64_t last_try_us;            /* by clock_monotonic_us() */
    struct error last_error;        /* of the last attempt; ERR_NONE: it succeeded */
};

bool aws_session_create(const struct aws_session_options *options, struct aws_session **out,
                        struct error *err)
{
    struct aws_config *config;

    if (!aws_config_create(options, &config, err))
        return false;

    struct aws_session *session = mem_alloc(sizeof(*session));

    session->config = config;
    session->source = "";
    session->providers = (struct aws_providers){
        .config = config,
        .http = fetch_client_create(),
        .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    (void)pthread_mutex_init(&session->mutex, NULL);
    clock_init_condition(&session->change);
    *out = session;
    return true;
}

void aws_session_destroy(struct aws_session *session)
{
    if (!session)
        return;
    (void)pthread_mutex_lock(&session->mutex);
    session->stop = true;
    (void)pthread_cond_broadcast(&session->change);
    (void)pthread_mutex_unlock(&session->mutex);
    fetch_client_interrupt(session->providers.http);
    (void)eventfd_write(session->providers.stop_fd, 1);
    if (session->started)
        (void)pthread_join(session->thread, NULL);
    fetch_client_destroy(session->providers.http);
    (void)close(session->providers.stop_fd);
    (void)pthread_cond_destroy(&session->change);
    (void)pthread_mutex_destroy(&session->mutex);
    aws_credentials_done(&session->current);
    aws_config_destroy(session->config);
    mem_free(session);
}

const struct aws_config *aws_session_config(const struct aws_session *session)
{
    return session->config;
}

const char *aws_session_region(const struct aws_session *session)
{
    return session->config->region;
}

/* `most_s` in microseconds, or 1/`part` of the credentials' lifetime when that is less. */
static int64_t before_end(const struct aws_session *session, int64_t most_s, int64_t part)
{
    int64_t life_us = session->current.expires_us - session->fetched_us;
    int64_t most_us = most_s * US_PER_S;

    return life_us > 0 && life_us / part < most_us ? life_us / part : most_us;
}

static bool has_credentials(const struct aws_session *session)
{
    return session->number > 0 && session->number != session->rejected;
}

/* Can callers use the current credentials without waiting for new ones? */
static bool is_fresh(const struct aws_session *session)
{
    int64_t expires_us = session->current.expires_us;

    return has_credentials(session) &&
           (expires_us == 0 || expires_us - clock_now_us() > before_end(session, FORCE_S, 3));
}

/* How long the thread may sleep; 0: fetch credentials now. */
static int64_t until_due(const struct aws_session *session)
{
    int64_t left_us = LOOK_S * US_PER_S;

    if (session->wanted)
        return 0;
    if (!has_credentials(session) || session->current.expires_us == 0)
        return left_us;

    int64_t ahead_us = before_end(session, AHEAD_S, 2);
    int64_t pause_us = before_end(session, PAUSE_S, 10);
    int64_t due_us = session->current.expires_us - ahead_us - clock_now_us();
    int64_t again_us = session->last_try_us + pause_us - clock_monotonic_us();

    due_us = due_us > again_us ? due_us : again_us;
    if (due_us <= 0)
        return 0;
    return due_us < left_us ? due_us : left_us;
}

static void wait_until(struct aws_session *session, int64_t deadline_us)
{
    struct timespec at = clock_timespec(deadline_us > 0 ? deadline_us : 0);

    (void)pthread_cond_timedwait(&session->change, &session->mutex, &at);
}

/* Fetch credentials. Called with the mutex held; it is released during the requests. */
static void renew(struct aws_session *session)
{
    struct aws_credentials found = { 0 };
    const char *source = "";
    struct error err = { 0 };

    session->wanted = false;
    (void)pthread_mutex_unlock(&session->mutex);

    bool ok = aws_credentials_find(&session->providers, &found, &source, &err);

    (void)pthread_mutex_lock(&session->mutex);
    if (ok) {
        aws_credentials_done(&session->current);
        session->current = found;
        session->source = source;
        session->fetched_us = clock_now_us();
        session->number++;
    }
    session->last_error = err;
    session->last_try_us = clock_monotonic_us();
    session->tries++;
    (void)pthread_cond_broadcast(&session->change);
}

static void *work(void *self)
{
    struct aws_session *session = self;

    (void)pthread_mutex_lock(&session->mutex);
    while (!session->stop) {
        int64_t left_us = until_due(session);

        if (left_us > 0)
            wait_until(session, clock_monotonic_us() + left_us);
        else
            renew(session);
    }
    (void)pthread_mutex_unlock(&session->mutex);
    return NULL;
}

/* The mutex is held. Started at first use: most commands of the command line need no credentials.
 */
static bool start_thread(struct aws_session *session, struct error *err)
{
    if (session->started)
        return true;

    if (!thread_start(&session->thread, "aws-credentials", work, session, err))
        return false;
    session->started = true;
    return true;
}

/*
 * Wait until an attempt ends. A caller that has old credentials waits only half of its time and
 * keeps the other half for using them. The mutex is held.
 */
static void wait_for_try(struct aws_session *session, const struct aws_wait *wait)
{
    uint64_t tries = session->tries;
    int64_t end_us = wait->deadline_us;

    if (has_credentials(session))
        end_us -= (end_us - clock_monotonic_us()) / 2;
    session->wanted = true;
    (void)pthread_cond_broadcast(&session->change);
    while (session->tries == tries && !atomic_load(wait->interrupted) &&
           clock_monotonic_us() < end_us)
        wait_until(session, end_us);
}

static bool should_wait(const struct aws_session *session)
{
    if (is_fresh(session))
        return false;
    return !has_credentials(session) ||
           clock_monotonic_us() - session->last_try_us > before_end(session, HOLD_S, 10);
}

bool aws_session_acquire(struct aws_session *session, const struct aws_wait *wait,
                         struct aws_key *out, struct error *err)
{
    (void)pthread_mutex_lock(&session->mutex);

    uint64_t tries = session->tries;
    bool ok = start_thread(session, err);

    if (ok && should_wait(session))
        wait_for_try(session, wait);
    if (ok && has_credentials(session)) {
        *out = (struct aws_key){ aws_credentials_copy(&session->current), session->number };
    } else if (ok && session->tries > tries && session->last_error.code != ERR_NONE) {
        *err = session->last_error;
        ok = false;
    } else if (ok) {
        ok = fail(err, ERR_UNREACHABLE, "no AWS credentials in time");
    }
    (void)pthread_mutex_unlock(&session->mutex);
    return ok;
}

void aws_session_wake(struct aws_session *session)
{
    (void)pthread_mutex_lock(&session->mutex);
    (void)pthread_cond_broadcast(&session->change);
    (void)pthread_mutex_unlock(&session->mutex);
}

void aws_session_reject(struct aws_session *session, uint64_t number)
{
    (void)pthread_mutex_lock(&session->mutex);
    if (number > session->rejected) /* a call with older credentials may end last */
        session->rejected = number;
    (void)pthread_mutex_unlock(&session->mutex);
}

int64_t aws_session_credential_expiry(struct aws_session *session)
{
    (void)pthread_mutex_lock(&session->mutex);

    int64_t expires_us = session->current.expires_us;

    (void)pthread_mutex_unlock(&session->mutex);
    return expires_us / US_PER_S;
}

bool aws_session_check(struct aws_session *session, int64_t deadline_us, const char **source,
                       struct error *err)
{
    static const atomic_bool never = false;
    const struct aws_wait wait = { deadline_us, &never };
    struct aws_key key;

    if (!aws_session_acquire(session, &wait, &key, err))
        return false;
    aws_credentials_done(&key.credentials);
    (void)pthread_mutex_lock(&session->mutex);
    *source = session->source;
    (void)pthread_mutex_unlock(&session->mutex);
    return true;
}
