/*
 * events.c - the story of POST /events: a request from its whole body to its answer.
 *
 * check:   read the body (JSON), then for each event: route, payload, validate, transform
 *          (events_steps.c, events_check.c)
 * submit:  hand what is accepted, and what is refused for good, to the outbox (events_commit.c)
 * answer:  a status and a body from the outcomes of the events (events_answer.c)
 *
 * A loop thread never blocks. A request that needs time waits in one of three states:
 *
 *     state          waits for                         after the wake-up
 *     AWAITS_SCHEMA  the first version of a schema     check
 *     AWAITS_WORKER  a worker thread (events_slow.c)   the state or the answer that it has reached
 *     AWAITS_COMMIT  the outbox                        answer; a worker reads a large duplicate
 *
 * The deadline ends each state. The answer is then 503, or what the outbox has decided.
 *
 * A waiting request keeps its bytes but not their tree, which takes several times as much memory.
 * After its deadline nothing of a request is submitted any more.
 */
#include "handlers/events.h"

#include "base/memory.h"
#include "handlers/events_internal.h"

enum state { AWAITS_SCHEMA, AWAITS_WORKER, AWAITS_COMMIT };

struct handling {
    const struct events *events;
    struct request *request;
    struct run *run;        /* AWAITS_WORKER: the worker's */
    struct slow_work *work; /* NULL: the request is not detached */
    enum state state;
};

static enum handler_step wait_in(struct handling *h, enum state state)
{
    h->state = state;
    return HANDLER_WAIT;
}

static enum handler_step answer(struct handling *h, struct response *response)
{
    if (h->work)
        slow_drop_body(h->work);
    run_export_spans(h->run);
    run_answer(h->run, response);
    return HANDLER_DONE;
}

static enum handler_step answer_unavailable(struct handling *h, const char *reason,
                                            struct response *response)
{
    events_answer_unavailable(&h->events->options, h->request, reason, response);
    return HANDLER_DONE;
}

static enum handler_step start_worker(struct handling *h, enum slow_task task,
                                      struct response *response)
{
    return slow_start(h->work, task) ? wait_in(h, AWAITS_WORKER)
                                     : answer_unavailable(h, "overload", response);
}

/* All outcomes are known, except for what the outbox decides. */
static enum handler_step submit(struct handling *h, struct response *response)
{
    return run_submit(h->run) ? wait_in(h, AWAITS_COMMIT) : answer(h, response);
}

/* A request that cannot be detached is checked here, however long it takes. */
static enum handler_step check_slowly(struct handling *h, struct response *response)
{
    const struct events_options *options = &h->events->options;

    if (!h->work && options->lane)
        h->work = slow_detach(h->request, h->run, options);
    if (h->work)
        return start_worker(h, SLOW_CHECK, response);
    (void)run_check(h->run, RUN_FULL);
    return submit(h, response);
}

static enum handler_step check(struct handling *h, struct response *response)
{
    if (h->work || slow_is_large(&h->events->options, h->request))
        return check_slowly(h, response);
    run_read(h->run);
    if (run_waits_for_schema(h->run, RUN_FAST)) {
        run_release_tree(h->run);
        return wait_in(h, AWAITS_SCHEMA);
    }
    return run_check(h->run, RUN_FAST) ? submit(h, response) : check_slowly(h, response);
}

/* resume() after a wake-up. It may come early or late, so each function looks again. */

static enum handler_step resume_schema(struct handling *h, struct response *response)
{
    return run_still_waits(h->run) ? wait_in(h, AWAITS_SCHEMA) : check(h, response);
}

static enum handler_step resume_commit(struct handling *h, struct response *response)
{
    if (!run_has_results(h->run))
        return wait_in(h, AWAITS_COMMIT);
    if (h->work && run_needs_reading(h->run))
        return start_worker(h, SLOW_RESULTS, response);
    run_take_results(h->run);
    return answer(h, response);
}

static enum handler_step resume_worker(struct handling *h, struct response *response)
{
    if (!slow_is_done(h->work))
        return HANDLER_WAIT;
    switch (slow_result(h->work)) {
    case SLOW_DECIDED:
        return answer(h, response);
    case SLOW_SUBMITTED:
        return resume_commit(h, response);
    case SLOW_NEEDS_SCHEMA:
        return resume_schema(h, response);
    case SLOW_STOPPED:
        break;
    }
    return answer_unavailable(h, "draining", response);
}

/* resume() at the deadline: always an answer. */

static enum handler_step expire_schema(struct handling *h, struct response *response)
{
    return answer_unavailable(h, "deadline", response);
}

static enum handler_step expire_commit(struct handling *h, struct response *response)
{
    run_give_up(h->run);
    return answer(h, response);
}

static enum handler_step expire_worker(struct handling *h, struct response *response)
{
    if (slow_is_done(h->work) && slow_result(h->work) == SLOW_DECIDED)
        return answer(h, response);
    if (slow_is_done(h->work) && slow_result(h->work) == SLOW_SUBMITTED)
        return expire_commit(h, response);
    return answer_unavailable(h, "deadline", response);
}

static const struct {
    enum handler_step (*woken)(struct handling *h, struct response *response);
    enum handler_step (*expired)(struct handling *h, struct response *response);
} states[] = {
    [AWAITS_SCHEMA] = { resume_schema, expire_schema },
    [AWAITS_WORKER] = { resume_worker, expire_worker },
    [AWAITS_COMMIT] = { resume_commit, expire_commit },
};

static bool admit(void *self, const struct request *request, struct response *response)
{
    const struct events *events = self;

    return !events->options.auth || auth_admit(events->options.auth, request, response);
}

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct handling *h = arena_alloc(request->arena, sizeof(*h));

    *h = (struct handling){
        .events = self,
        .request = request,
        .run = run_create(self, request, NULL),
    };
    request->state = h;
    return check(h, response);
}

static enum handler_step resume(void *self, struct request *request, struct response *response,
                                enum resume_reason reason)
{
    struct handling *h = request->state;

    (void)self;
    return (reason == HANDLER_EXPIRED ? states[h->state].expired
                                      : states[h->state].woken)(h, response);
}

struct events *events_create(const struct events_options *options)
{
    struct events *events = mem_alloc(sizeof(*events));

    events->options = *options;
    return events;
}

void events_destroy(struct events *events)
{
    mem_free(events);
}

struct handler events_handler(struct events *events)
{
    return (struct handler){
        .path = "/events",
        .method = HANDLER_POST,
        .admit = admit,
        .handle = handle,
        .resume = resume,
        .self = events,
    };
}

void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response)
{
    struct run *run = run_create(events, request, observer);

    run->is_trial = true;
    run_read(run);
    (void)run_check(run, RUN_FULL);
    run_answer(run, response);
}
