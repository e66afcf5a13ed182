/*
 * events_slow.c - requests to POST /events on the slow lane.
 *
 * The work owns the detached request, its body included. So the server can answer a request at its
 * deadline, or end the connection of a sender that has left, without waiting for the worker, which
 * releases the work when it is done.
 */
#include "handlers/events_internal.h"

enum {
    FAST_BODY_MAX = 16 * 1024, /* bytes */
    COUNT_FROM = 4096,         /* bytes; a shorter body is read quickly, whatever it holds */
    FAST_TOKENS_MAX = 2000,    /* braces, brackets and commas: what makes reading costly */
};

struct slow_work {
    struct slow_lane_job job;
    struct slow_lane *lane;
    struct request *request; /* detached; its arena holds all of this */
    struct run *run;
    enum slow_task task;
    enum slow_result result;
};

/* Tokens within strings count, too: an estimate is enough. */
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

static struct slow_work *work_of(struct slow_lane_job *job)
{
    return CONTAINER_OF(job, struct slow_work, job);
}

static void release_work(struct slow_lane_job *job)
{
    struct request *request = work_of(job)->request;

    request->release(request);
}

static void abandon_work(void *self)
{
    struct slow_work *work = self;

    if (slow_lane_abandon(work->lane, &work->job))
        release_work(&work->job);
}

struct slow_work *slow_detach(struct request *request, struct run *run,
                              const struct events_options *options)
{
    struct request *detached = request->detach ? request->detach(request) : NULL;

    if (!detached)
        return NULL;

    struct slow_work *work = arena_alloc(detached->arena, sizeof(*work));

    work->lane = options->lane;
    work->request = detached;
    work->run = run;
    run->request = detached;
    run->stop = &work->job.abandoned;
    arena_own(request->arena, work, abandon_work);
    return work;
}

static enum slow_result check_and_submit(struct slow_work *work)
{
    struct run *run = work->run;

    run_read(run);
    if (run_waits_for_schema(run, RUN_FULL))
        return SLOW_NEEDS_SCHEMA;
    (void)run_check(run, RUN_FULL);
    if (atomic_load(&work->job.abandoned))
        return SLOW_STOPPED;
    return run_submit(run) ? SLOW_SUBMITTED : SLOW_DECIDED;
}

static void run_work(struct slow_lane_job *job)
{
    struct slow_work *work = work_of(job);

    if (work->task == SLOW_RESULTS) {
        run_take_results(work->run);
        work->result = SLOW_DECIDED;
    } else {
        work->result = check_and_submit(work);
    }
    run_release_tree(work->run);
}

bool slow_start(struct slow_work *work, enum slow_task task)
{
    run_release_tree(work->run);
    work->task = task;
    work->job.sender = work->request->sender;
    work->job.waker = work->request->waker;
    work->job.run = run_work;
    work->job.release = release_work;
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
