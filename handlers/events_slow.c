/*
 * events_slow.c - requests to POST /events on the slow lane.
 *
 * The work owns its request, body included. So a request that is answered at its deadline, or whose
 * sender has left, goes at once; a worker that still has it releases the rest when it notices.
 */
#include "handlers/events_internal.h"

enum {
    FAST_BODY_MAX = 16 * 1024, /* bytes */
    COUNT_FROM = 4096,         /* bytes; a shorter body is quickly read, whatever it holds */
    FAST_TOKENS_MAX = 2000,    /* braces, brackets and commas: what makes reading costly */
};

struct slow_work {
    struct slow_lane_job job; /* first, so that a job is its work */
    struct slow_lane *lane;
    struct request *request; /* taken out; holds all of this */
    struct run *run;
    enum slow_task task;
    enum slow_result result;
};

/* Those in texts count, too: an estimate is enough. */
static size_t count_tokens(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '{' || text.ptr[i] == '[';
    return count;
}

bool slow_is_large(const struct events_options *options, const struct request *request)
{
    struct str body = request->body;

    if (body.len <= COUNT_FROM || !options->lane || !request->detach)
        return false;
    return body.len > FAST_BODY_MAX || count_tokens(body) > FAST_TOKENS_MAX;
}

static void release(struct slow_lane_job *job)
{
    struct request *request = ((struct slow_work *)(void *)job)->request;

    request->release(request);
}

static void leave(void *self)
{
    struct slow_work *work = self;

    if (slow_lane_abandon(work->lane, &work->job))
        release(&work->job);
}

struct slow_work *slow_take_out(struct request *request, struct run *run,
                                const struct events_options *options)
{
    struct request *taken = request->detach ? request->detach(request) : NULL;

    if (!taken)
        return NULL;

    struct slow_work *work = arena_alloc(taken->arena, sizeof(*work));

    work->lane = options->lane;
    work->request = taken;
    work->run = run;
    run->request = taken;
    run->stop = &work->job.abandoned;
    arena_own(request->arena, work, leave);
    return work;
}

static enum slow_result check_and_submit(struct slow_work *work)
{
    struct run *run = work->run;

    run_read(run);
    if (run_waits_for_schema(run))
        return SLOW_NEEDS_SCHEMA;
    (void)run_check(run, RUN_FULL);
    if (atomic_load(&work->job.abandoned))
        return SLOW_STOPPED;
    return run_submit(run) ? SLOW_SUBMITTED : SLOW_DECIDED;
}

static void work_off(struct slow_lane_job *job)
{
    struct slow_work *work = (struct slow_work *)(void *)job;

    if (work->task == SLOW_RESULTS) {
        run_take_results(work->run);
        work->result = SLOW_DECIDED;
    } else {
        work->result = check_and_submit(work);
    }
    run_release_tree(work->run); /* in the thread that made it */
}

bool slow_begin(struct slow_work *work, enum slow_task task)
{
    run_release_tree(work->run);
    work->task = task;
    work->job.sender = work->request->sender;
    work->job.waker = work->request->waker;
    work->job.run = work_off;
    work->job.release = release;
    return slow_lane_add(work->lane, &work->job);
}

bool slow_is_done(const struct slow_work *work)
{
    return slow_lane_is_finished(&work->job);
}

enum slow_result slow_result(const struct slow_work *work)
{
    return work->result;
}

void slow_drop_body(struct slow_work *work)
{
    work->request->drop_body(work->request);
}
