/*
 * resubmit.c - see resubmit.h.
 */
#include "server/resubmit.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"

struct resubmitter {
    struct resubmitter_options options;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    uint64_t turn; /* counts requests; wakers of earlier ones have a lower number */
    bool is_woken;
    bool ended;
};

struct resubmitter *resubmitter_create(const struct resubmitter_options *options)
{
    struct resubmitter *resubmitter = mem_alloc(sizeof(*resubmitter));

    resubmitter->options = *options;
    (void)pthread_mutex_init(&resubmitter->mutex, NULL);
    clock_init_condition(&resubmitter->woken);
    return resubmitter;
}

void resubmitter_use(struct resubmitter *resubmitter, struct handler events)
{
    resubmitter->options.events = events;
}

void resubmitter_end(struct resubmitter *resubmitter)
{
    (void)pthread_mutex_lock(&resubmitter->mutex);
    resubmitter->ended = true;
    (void)pthread_cond_signal(&resubmitter->woken);
    (void)pthread_mutex_unlock(&resubmitter->mutex);
}

static bool has_ended(struct resubmitter *resubmitter)
{
    (void)pthread_mutex_lock(&resubmitter->mutex);

    bool ended = resubmitter->ended;

    (void)pthread_mutex_unlock(&resubmitter->mutex);
    return ended;
}

void resubmitter_destroy(struct resubmitter *resubmitter)
{
    if (!resubmitter)
        return;
    (void)pthread_cond_destroy(&resubmitter->woken);
    (void)pthread_mutex_destroy(&resubmitter->mutex);
    mem_free(resubmitter);
}

static void wake(struct waker waker)
{
    struct resubmitter *resubmitter = waker.target;

    (void)pthread_mutex_lock(&resubmitter->mutex);
    if (waker.token == resubmitter->turn) {
        resubmitter->is_woken = true;
        (void)pthread_cond_signal(&resubmitter->woken);
    }
    (void)pthread_mutex_unlock(&resubmitter->mutex);
}

static struct waker next_waker(struct resubmitter *resubmitter)
{
    (void)pthread_mutex_lock(&resubmitter->mutex);
    resubmitter->is_woken = false;

    struct waker waker = { wake, resubmitter, ++resubmitter->turn };

    (void)pthread_mutex_unlock(&resubmitter->mutex);
    return waker;
}

static enum resume_reason await(struct resubmitter *resubmitter, int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us);
    int status = 0;

    (void)pthread_mutex_lock(&resubmitter->mutex);
    while (!resubmitter->is_woken && !resubmitter->ended && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&resubmitter->woken, &resubmitter->mutex, &until);

    bool is_woken = resubmitter->is_woken;

    resubmitter->is_woken = false;
    (void)pthread_mutex_unlock(&resubmitter->mutex);
    return is_woken ? HANDLER_WOKEN : HANDLER_EXPIRED;
}

static struct str no_header(const void *connection, const char *name)
{
    (void)connection;
    (void)name;
    return STR_NONE;
}

void resubmit(struct resubmitter *resubmitter, struct str body, bool is_bundle,
              struct resubmit_answer *out)
{
    *out = (struct resubmit_answer){ .status = 503, .outcome = "unavailable" };
    if (has_ended(resubmitter))
        return;

    const struct handler *events = &resubmitter->options.events;
    struct request request = {
        .arena = arena_create(),
        .method = STR("POST"),
        .path = str_from_c(events->path),
        .body = body,
        .deadline_us = clock_monotonic_us() + resubmitter->options.timeout_us,
        .waker = next_waker(resubmitter),
        .header = no_header,
        .is_replay = true,
        .is_bundle = is_bundle,
    };
    struct response response = { 0 };
    enum handler_step step = events->handle(events->self, &request, &response);

    while (step == HANDLER_WAIT)
        step = events->resume(events->self, &request, &response,
                              await(resubmitter, request.deadline_us));
    out->status = response.status;
    out->accepted = response.note.events > 0 ? response.note.events - response.note.refused
                                             : response.status == 200;
    (void)snprintf(out->outcome, sizeof(out->outcome), "%.*s", STR_ARG(response.note.outcome));
    (void)snprintf(out->reason, sizeof(out->reason), "%.*s", STR_ARG(response.note.reason));
    (void)snprintf(out->rule, sizeof(out->rule), "%.*s", STR_ARG(response.note.rule));
    arena_destroy(request.arena);
}

/* A copy of an event; its body may be empty. */
struct refused {
    bool found;
    struct buf body;
};

/* The event is posted after the visit: an open read keeps SQLite from resetting its log. */
static bool copy_body(void *self, const struct outbox_refused *row)
{
    struct refused *refused = self;

    refused->found = true;
    buf_add(&refused->body, row->body);
    return false;
}

bool resubmit_refused(struct resubmitter *resubmitter, int64_t id, struct resubmit_answer *out,
                      struct error *err)
{
    const struct outbox_filter filter = { .id = id, .with_resolved = true };
    struct refused refused = { 0 };

    buf_init(&refused.body, SIZE_MAX);

    bool ok = outbox_view_refused(resubmitter->options.view, &filter, copy_body, &refused, err) &&
              (refused.found || fail(err, ERR_NOT_FOUND, "no refused event %" PRId64, id));

    if (ok)
        resubmit(resubmitter, buf_str(&refused.body), false, out);
    buf_done(&refused.body);
    return ok;
}
