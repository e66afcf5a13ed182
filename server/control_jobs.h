/*
 * control_jobs.h - orders that the admin API passes to the control thread, and their answers.
 *
 * A job has two holders: the request that waits for it, and this queue or the control thread. The
 * last one frees it, so a client may leave at any time.
 *
 * Threads: any thread submits and looks at answers; one thread takes and finishes jobs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "base/str.h"
#include "base/waker.h"

/** The name of the one order whose text is an event. */
#define CONTROL_EXPLAIN "explain"

enum {
    CONTROL_REQUEST_ID_SIZE = 129,
    CONTROL_JOBS_MAX = 32,                 /* that wait */
    CONTROL_ANSWER_MAX = 64 * 1024 * 1024, /* bytes */
};

struct control_jobs;

/** What is asked. */
struct control_job_request {
    const char *name; /* of the order; constant */
    struct str text;  /* its members as a JSON object; of CONTROL_EXPLAIN the event */
    struct str by;    /* for the log: how the caller proved itself; constant */
    struct str id;    /* of the HTTP request, for the log */
    struct waker waker;
};

struct control_job {
    /* Of the one who submitted it: */
    const char *name; /* of the order; constant */
    struct str text;  /* its members as a JSON object, or an event; owned */
    struct str by;    /* for the log: how the caller proved itself; constant */
    char request_id[CONTROL_REQUEST_ID_SIZE]; /* likewise */
    /* The answer, for control_job_answer(): members of an object, each with a comma before it. */
    struct buf members;
    struct error err;
    /* Private: */
    struct list_link link;
    struct waker waker;
    _Atomic(int) holders;
    _Atomic(bool) is_done;
};

/** The caller owns it. */
struct control_jobs *control_jobs_create(void);

/** After the last request. NULL is fine. */
void control_jobs_destroy(struct control_jobs *jobs);

/** A descriptor to poll for POLLIN: a job waits. -1: the system has none left. */
int control_jobs_event(const struct control_jobs *jobs);

/**
 * Queue an order, copied. The caller ends its hold with control_job_release(). ERR_UNAVAILABLE: too
 * many wait, or the queue is closed.
 */
NODISCARD bool control_jobs_submit(struct control_jobs *jobs,
                                   const struct control_job_request *request,
                                   struct control_job **out, struct error *err);

/** The next job; NULL: none waits. The caller fills in `members` or `err`. */
struct control_job *control_jobs_take(struct control_jobs *jobs);

/** The answer is there: wake the request. Ends the taker's hold. */
void control_jobs_finish(struct control_job *job);

/** Refuse all that wait and all later ones. */
void control_jobs_close(struct control_jobs *jobs);

/** Is the answer there? */
bool control_job_is_done(const struct control_job *job);

/** End the request's hold. The type fits arena_own(). */
void control_job_release(void *job);
