/*
 * test_control_jobs.c - claims about server/control_jobs.h.
 */
#include "server/control_jobs.h"

#include "tests/unit/test.h"

static void count_wake(struct waker waker)
{
    (*(int *)waker.target)++;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the waker writes it */
static bool submit(struct control_jobs *jobs, int *woken, struct control_job **job,
                   struct error *err)
{
    const struct control_job_request request = {
        .name = "top",
        .text = STR("{}"),
        .by = STR("token"),
        .id = STR("r1"),
        .waker = { count_wake, woken, 0 },
    };

    return control_jobs_submit(jobs, &request, job, err);
}

static void an_answer_wakes_its_request(void)
{
    struct control_jobs *jobs = control_jobs_create();
    struct control_job *job;
    struct control_job *taken;
    struct error err;
    int woken = 0;

    CHECK(control_jobs_event(jobs) >= 0);
    CHECK(control_jobs_take(jobs) == NULL);
    CHECK(submit(jobs, &woken, &job, &err));
    taken = control_jobs_take(jobs);
    CHECK(taken == job);
    CHECK_STR(taken->text, "{}");
    CHECK_STR(str_from_c(taken->request_id), "r1");
    CHECK(!control_job_is_done(job));
    buf_add(&taken->members, STR(",\"a\":1"));
    control_jobs_finish(taken);
    CHECK(control_job_is_done(job));
    CHECK_INT(woken, 1);
    CHECK_STR(buf_str(&job->members), ",\"a\":1");
    control_job_release(job);
    control_jobs_destroy(jobs);
    control_jobs_destroy(NULL);
}

static void a_client_may_leave_first(void)
{
    struct control_jobs *jobs = control_jobs_create();
    struct control_job *job;
    struct error err;
    int woken = 0;

    CHECK(submit(jobs, &woken, &job, &err));
    control_job_release(job);
    control_jobs_finish(control_jobs_take(jobs));
    CHECK_INT(woken, 1);
    control_jobs_destroy(jobs);
}

static void refuses_too_many_and_all_after_the_end(void)
{
    struct control_jobs *jobs = control_jobs_create();
    struct control_job *list[CONTROL_JOBS_MAX];
    struct control_job *more;
    struct error err;
    int woken = 0;

    for (size_t i = 0; i < CONTROL_JOBS_MAX; i++)
        CHECK(submit(jobs, &woken, &list[i], &err));
    CHECK(!submit(jobs, &woken, &more, &err));
    CHECK_INT((int64_t)err.code, ERR_UNAVAILABLE);
    CHECK_STR(str_from_c(err.text), "too many requests of the API");
    control_jobs_close(jobs);
    CHECK_INT(woken, CONTROL_JOBS_MAX);
    for (size_t i = 0; i < CONTROL_JOBS_MAX; i++) {
        CHECK(control_job_is_done(list[i]));
        CHECK_STR(str_from_c(list[i]->err.text), "draining");
        control_job_release(list[i]);
    }
    CHECK(!submit(jobs, &woken, &more, &err));
    CHECK_STR(str_from_c(err.text), "draining");
    control_jobs_destroy(jobs);
}

int main(void)
{
    RUN(an_answer_wakes_its_request);
    RUN(a_client_may_leave_first);
    RUN(refuses_too_many_and_all_after_the_end);
    return test_end();
}
