/*
 * events_handle.c - a request to POST /events from handle() to its answer: what it waits for, and
 * what happens when that comes or the deadline is reached.
 *
 * While it waits a request holds its bytes, but not their tree, which takes many times as much. A
 * request that has expired is answered at once, and nothing of it is submitted any more.
 */
#include "handlers/events_internal.h"

#include "base/memory.h"

/* What a request waits for. */
enum state {
    AWAITS_SCHEMA, /* the first version of a schema */
    ON_SLOW_LANE,  /* a worker */
    AWAITS_COMMIT, /* the outbox */
};

struct handling {
    const struct events *events;
    struct request *request;
    struct run *run;        /* a worker's while it is on the slow lane */
    struct slow_work *work; /* NULL: the request is in its connection */
    enum state state;
};

static enum handler_step wait_for(struct handling *h, enum state state)
{
    h->state = state;
    return HANDLER_WAIT;
}

static enum handler_step answer(struct handling *h, struct response *response)
{
    if (h->work)
        slow_drop_body(h->work);
    run_answer(h->run, response);
    return HANDLER_DONE;
}

static enum handler_step unavailable(struct handling *h, const char *reason,
                                     struct response *response)
{
    events_answer_unavailable(&h->events->options, h->request, reason, response);
    return HANDLER_DONE;
}

static enum handler_step answer_late(struct handling *h, struct response *response)
{
    return unavailable(h, "deadline", response);
}

/* All events are decided, except for what the outbox says. */
static enum handler_step commit(struct handling *h, struct response *response)
{
    return run_submit(h->run) ? wait_for(h, AWAITS_COMMIT) : answer(h, response);
}

/* Go on with a worker. A request that cannot leave its connection takes its time here. */
static enum handler_step go_slow(struct handling *h, struct response *response)
{
    const struct events_options *options = &h->events->options;

    if (!h->work && options->lane)
        h->work = slow_take_out(h->request, h->run, options);
    if (h->work)
        return slow_begin(h->work, SLOW_CHECK) ? wait_for(h, ON_SLOW_LANE)
                                               : unavailable(h, "overload", response);
    (void)run_check(h->run, RUN_FULL);
    return commit(h, response);
}

/* Check all events, here if that is quick. */
static enum handler_step check(struct handling *h, struct response *response)
{
    if (h->work || slow_is_large(&h->events->options, h->request))
        return go_slow(h, response);
    run_read(h->run);
    if (run_waits_for_schema(h->run)) {
        run_release_tree(h->run);
        return wait_for(h, AWAITS_SCHEMA);
    }
    if (!run_check(h->run, RUN_FAST))
        return go_slow(h, response);
    return commit(h, response);
}

static enum handler_step take_results(struct handling *h, struct response *response)
{
    if (!run_has_results(h->run))
        return wait_for(h, AWAITS_COMMIT);
    if (h->work && run_needs_reading(h->run))
        return slow_begin(h->work, SLOW_RESULTS) ? wait_for(h, ON_SLOW_LANE)
                                                 : unavailable(h, "overload", response);
    run_take_results(h->run);
    return answer(h, response);
}

static enum handler_step give_up(struct handling *h, struct response *response)
{
    run_give_up(h->run);
    return answer(h, response);
}

static enum handler_step check_when_known(struct handling *h, struct response *response)
{
    return run_still_waits(h->run) ? wait_for(h, AWAITS_SCHEMA) : check(h, response);
}

static enum handler_step take_work(struct handling *h, struct response *response)
{
    if (!slow_is_done(h->work))
        return HANDLER_WAIT;
    switch (slow_result(h->work)) {
    case SLOW_DECIDED:
        return answer(h, response);
    case SLOW_SUBMITTED:
        return take_results(h, response);
    case SLOW_NEEDS_SCHEMA:
        return check_when_known(h, response);
    case SLOW_STOPPED:
        break;
    }
    return unavailable(h, "draining", response);
}

static enum handler_step take_late_work(struct handling *h, struct response *response)
{
    if (!slow_is_done(h->work))
        return answer_late(h, response);
    if (slow_result(h->work) == SLOW_DECIDED)
        return answer(h, response);
    return slow_result(h->work) == SLOW_SUBMITTED ? give_up(h, response) : answer_late(h, response);
}

/* What to do in each state. A step for the deadline never waits again. */
static const struct {
    enum handler_step (*woken)(struct handling *h, struct response *response);
    enum handler_step (*expired)(struct handling *h, struct response *response);
} steps[] = {
    [AWAITS_SCHEMA] = { check_when_known, answer_late },
    [ON_SLOW_LANE] = { take_work, take_late_work },
    [AWAITS_COMMIT] = { take_results, give_up },
};

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
    return (reason == HANDLER_EXPIRED ? steps[h->state].expired : steps[h->state].woken)(h,
                                                                                         response);
}

static bool admit(void *self, const struct request *request, struct response *response)
{
    const struct events *events = self;

    return !events->options.auth || auth_admit(events->options.auth, request, response);
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
