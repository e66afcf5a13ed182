/*
 * test_resubmit.c - claims about server/resubmit.h, with handlers that wait in every way.
 */
#include "server/resubmit.h"

#include <pthread.h>

#include "base/attr.h"
#include "base/clock.h"
#include "tests/unit/test.h"

enum { LONG_US = 20 * 1000 * 1000, SHORT_US = 20 * 1000 };

/* What the handler does, by the letters of the body: one for handle(), one for each resume(). */
struct script {
    struct waker late; /* of the request before */
    pthread_t thread;
    struct waker waker;
    bool started;
};

static void *wake_from_afar(void *self)
{
    const struct script *script = self;

    waker_wake(script->waker);
    waker_wake(script->waker); /* once too often */
    return NULL;
}

static enum handler_step follow(struct script *script, struct request *request,
                                struct response *response)
{
    char letter = 'd';

    if (request->body.len > 0)
        letter = *request->body.ptr;

    request->body = str_from(request->body, 1);
    if (letter == 'n') /* now */
        waker_wake(request->waker);
    if (letter == 'f') { /* from afar */
        script->waker = request->waker;
        script->started = !pthread_create(&script->thread, NULL, wake_from_afar, script);
    }
    if (letter == 'o') /* of an earlier request: ignored */
        waker_wake(script->late);
    if (letter != 'd')
        return HANDLER_WAIT;
    response->status = 200;
    response->note.outcome = STR("valid");
    return HANDLER_DONE;
}

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct script *script = self;
    enum handler_step step = follow(script, request, response);

    CHECK(str_equal(request->path, STR("/events")));
    CHECK(!request->header(request->connection, "x-api-key").ptr);
    script->late = request->waker;
    return step;
}

static enum handler_step resume(void *self, struct request *request, struct response *response,
                                enum resume_reason reason)
{
    if (reason == HANDLER_WOKEN)
        return follow(self, request, response);
    response->status = 503;
    response->note.outcome = STR("unavailable");
    return HANDLER_DONE;
}

static void waits_for_the_answer(void)
{
    static const struct {
        const char *name;
        const char *body;
        int64_t timeout_us;
        int status;
        const char *outcome;
    } cases[] = {
        { "answered at once", "d", SHORT_US, 200, "valid" },
        { "woken before it waits", "nd", LONG_US, 200, "valid" },
        { "woken by another thread", "fd", LONG_US, 200, "valid" },
        { "waits twice", "nnd", LONG_US, 200, "valid" },
        { "nothing comes", "w", SHORT_US, 503, "unavailable" },
        { "nothing but old news", "o", SHORT_US, 503, "unavailable" },
    };
    struct script script = { 0 };
    const struct handler events = { .path = "/events",
                                    .method = HANDLER_POST,
                                    .handle = handle,
                                    .resume = resume,
                                    .self = &script };

    struct resubmitter *slow =
        resubmitter_create(&(struct resubmitter_options){ events, NULL, LONG_US });
    struct resubmitter *quick =
        resubmitter_create(&(struct resubmitter_options){ events, NULL, SHORT_US });

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resubmitter *resubmitter = cases[i].timeout_us == LONG_US ? slow : quick;
        struct resubmit_answer answer;
        int64_t start_us = clock_monotonic_us();

        TEST_CASE(cases[i].name);
        script.started = false;
        resubmit(resubmitter, str_from_c(cases[i].body), false, &answer);
        CHECK_INT(answer.status, cases[i].status);
        CHECK_STR(str_from_c(answer.outcome), cases[i].outcome);
        CHECK(clock_monotonic_us() - start_us < LONG_US);
        if (script.started)
            (void)pthread_join(script.thread, NULL);
    }
    resubmitter_destroy(slow);
    resubmitter_destroy(quick);
    resubmitter_destroy(NULL);
}

static void *end_from_afar(void *self)
{
    resubmitter_end(self);
    return NULL;
}

static void nothing_is_waited_for_at_the_end(void)
{
    struct script script = { 0 };
    const struct handler events = { .path = "/events",
                                    .method = HANDLER_POST,
                                    .handle = handle,
                                    .resume = resume,
                                    .self = &script };
    struct resubmitter *resubmitter =
        resubmitter_create(&(struct resubmitter_options){ events, NULL, LONG_US });
    int64_t start_us = clock_monotonic_us();
    struct resubmit_answer answer;
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, end_from_afar, resubmitter) == 0);
    resubmit(resubmitter, STR("w"), false, &answer); /* no waker will wake it */
    (void)pthread_join(thread, NULL);
    CHECK_INT(answer.status, 503);
    CHECK(clock_monotonic_us() - start_us < LONG_US);
    resubmit(resubmitter, STR("d"), false, &answer); /* nothing begins any more */
    CHECK_INT(answer.status, 503);
    CHECK_STR(str_from_c(answer.outcome), "unavailable");
    resubmitter_destroy(resubmitter);
}

int main(void)
{
    RUN(nothing_is_waited_for_at_the_end);
    RUN(waits_for_the_answer);
    return test_end();
}
