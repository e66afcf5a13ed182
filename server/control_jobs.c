/*
 * control_jobs.c - see control_jobs.h.
 */
#include "server/control_jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

struct control_jobs {
    int event;             /* written for each job that is queued */
    pthread_mutex_t mutex; /* guards what follows */
    struct list waiting;   /* control_job.link, the oldest first */
    size_t count;
    bool is_closed;
};

struct control_jobs *control_jobs_create(void)
{
    struct control_jobs *jobs = mem_alloc(sizeof(*jobs));

    jobs->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&jobs->mutex, NULL);
    list_init(&jobs->waiting);
    return jobs;
}

void control_jobs_destroy(struct control_jobs *jobs)
{
    if (!jobs)
        return;
    control_jobs_close(jobs);
    if (jobs->event >= 0)
        (void)close(jobs->event);
    (void)pthread_mutex_destroy(&jobs->mutex);
    mem_free(jobs);
}

int control_jobs_event(const struct control_jobs *jobs)
{
    return jobs->event;
}

static struct control_job *create_job(const struct control_job_request *request)
{
    struct control_job *job = mem_alloc(sizeof(*job));

    job->name = request->name;
    job->text = (struct str){ mem_copy(request->text.ptr, request->text.len), request->text.len };
    job->by = request->by;
    (void)snprintf(job->request_id, sizeof(job->request_id), "%.*s", STR_ARG(request->id));
    job->waker = request->waker;
    buf_init(&job->members, CONTROL_ANSWER_MAX);
    atomic_init(&job->holders, 2);
    atomic_init(&job->is_done, false);
    return job;
}

bool control_jobs_submit(struct control_jobs *jobs, const struct control_job_request *request,
                         struct control_job **out, struct error *err)
{
    struct control_job *job = create_job(request);

    (void)pthread_mutex_lock(&jobs->mutex);

    bool is_closed = jobs->is_closed;
    bool has_room = !is_closed && jobs->count < CONTROL_JOBS_MAX;

    if (has_room) {
        list_append(&jobs->waiting, &job->link);
        jobs->count++;
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    if (!has_room) {
        control_job_release(job);
        control_job_release(job);
        return fail(err, ERR_UNAVAILABLE, is_closed ? "draining" : "too many requests of the API");
    }
    (void)eventfd_write(jobs->event, 1);
    *out = job;
    return true;
}

struct control_job *control_jobs_take(struct control_jobs *jobs)
{
    struct control_job *job = NULL;

    (void)pthread_mutex_lock(&jobs->mutex);
    if (!list_is_empty(&jobs->waiting)) {
        job = CONTAINER_OF(list_first(&jobs->waiting), struct control_job, link);
        list_remove(&job->link);
        jobs->count--;
    } else {
        (void)eventfd_read(jobs->event, &(eventfd_t){ 0 });
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    return job;
}

void control_jobs_finish(struct control_job *job)
{
    struct waker waker = job->waker;

    atomic_store(&job->is_done, true);
    control_job_release(job);
    waker_wake(waker);
}

void control_jobs_close(struct control_jobs *jobs)
{
    struct control_job *job;

    (void)pthread_mutex_lock(&jobs->mutex);
    jobs->is_closed = true;
    (void)pthread_mutex_unlock(&jobs->mutex);
    while ((job = control_jobs_take(jobs)) != NULL) {
        (void)fail(&job->err, ERR_UNAVAILABLE, "draining");
        control_jobs_finish(job);
    }
}

bool control_job_is_done(const struct control_job *job)
{
    return atomic_load(&job->is_done);
}

void control_job_release(void *job)
{
    struct control_job *held = job;

    if (atomic_fetch_sub(&held->holders, 1) > 1)
        return;
    buf_done(&held->members);
    mem_free((void *)held->text.ptr);
    mem_free(held);
}
