/*
 * events_internal.h - one request to POST /events being answered; for events*.c alone.
 *
 * Threads: a run belongs to its loop thread, except while slow_begin()'s work is not done.
 */
#pragma once

#include <stdatomic.h>

#include "handlers/events.h"
#include "handlers/outcome.h"
#include "schema/schema.h"

struct events {
    struct events_options options;
};

/* How much time the checks may take. */
enum run_pace {
    RUN_FAST, /* a slice for the whole request, in a loop thread */
    RUN_FULL, /* the whole budget for each event */
};

struct run {
    const struct events_options *options;
    const struct request *request;
    const struct event_observer *observer; /* NULL: nobody looks */
    struct json_object *body;              /* NULL: it cannot be read, see `malformed`, or waits */
    struct error malformed;                /* code ERR_NONE: it was read */
    struct schema_budget budget;           /* of the event being checked */
    const atomic_bool *stop;               /* ends the checks soon; NULL: nothing does */
    struct catalog_entry *awaited; /* whose schema was being fetched at the last look; NULL: none */
    int64_t now_us;                /* the processed_at of all its records */
    size_t units_left;             /* error units that the answer may still take */

    bool is_batch; /* the body is an array */
    size_t count;  /* events; 1 for a single one, and for a body that is none */
    struct event *events;
    struct outcome *outcomes;

    bool as_one;       /* the job below holds the whole array as one refused event */
    size_t *submitted; /* which events the job below holds, in its order */
    size_t submitted_count;
    struct outbox_job *job; /* NULL: nothing is with the outbox */
};

/* events.c */

/** The event's fate is `condition`. */
void run_conclude(const struct run *run, enum condition condition, struct outcome *outcome);

/** A run that has not read its body yet; its tree, if any, dies with the request's arena. */
struct run *run_create(const struct events *events, const struct request *request,
                       const struct event_observer *observer);

/** Read the body into a tree, again if need be. */
NODISCARD bool run_parse(struct run *run, struct error *err);

/** Read the body into a tree for the first time. What is wrong with it is in `run->malformed` then.
 */
void run_read(struct run *run);

/** Release the tree; bytes, outcomes and records stay. */
void run_release_tree(struct run *run);

/**
 * Does an event of the request need a schema that is being fetched? Then the request's waker is
 * used when it is there. After run_read().
 */
NODISCARD bool run_waits_for_schema(struct run *run);

/** Is the schema that run_waits_for_schema() met still being fetched? Needs no tree. */
NODISCARD bool run_still_waits(const struct run *run);

/**
 * What becomes of each event, except for the outbox's verdict. After run_read(). False: RUN_FAST,
 * and the slice was not enough; nothing is decided.
 */
bool run_check(struct run *run, enum run_pace pace);

/** Find the payload in the event. */
NODISCARD bool run_take_payload(struct run *run, struct event *event, struct error *err);

/** The normalized record of a validated event, with run->now_us as its time. */
NODISCARD bool run_normalize(struct run *run, struct event *event, struct error *err);

/* events_commit.c: what is durable. */

/** Hand all that is to be kept to the outbox. True: run_take_results() will have something. */
NODISCARD bool run_submit(struct run *run);

/** Has the outbox decided? */
bool run_has_results(const struct run *run);

/** Must the body be read again for what the outbox has decided? */
bool run_needs_reading(const struct run *run);

/** Put the outbox's verdicts into the outcomes, once it has decided. */
void run_take_results(struct run *run);

/** The deadline came first: what the outbox still has is answered 503. */
void run_give_up(struct run *run);

/* events_answer.c: from outcomes to a response. */

/** Count the outcomes and fill in the response. */
void run_answer(struct run *run, struct response *response);

/** Answer the whole request 503 for `reason` (constant text), whatever its body holds. */
void events_answer_unavailable(const struct events_options *options, const struct request *request,
                               const char *reason, struct response *response);

/* events_slow.c: the slow lane. */

/** Would reading the body take a loop thread too long? False where the request cannot leave it. */
bool slow_is_large(const struct events_options *options, const struct request *request);

enum slow_task {
    SLOW_CHECK,   /* read, check and submit */
    SLOW_RESULTS, /* take the outbox's results, which needs the body again */
};

enum slow_result {
    SLOW_STOPPED,      /* it was not worked off: the server ends */
    SLOW_DECIDED,      /* the run can be answered */
    SLOW_SUBMITTED,    /* the outbox has it */
    SLOW_NEEDS_SCHEMA, /* a schema is being fetched; the waker is used when it is there */
};

struct slow_work;

/**
 * Take the request out of its connection with the run, which is allocated in its arena. The
 * request's new arena owns the result. NULL: it cannot be taken out.
 */
struct slow_work *slow_take_out(struct request *request, struct run *run,
                                const struct events_options *options);

/** Queue the work; the request's waker is used when it is done. False: the lane is full. */
NODISCARD bool slow_begin(struct slow_work *work, enum slow_task task);

/** Is it done? Until then the run belongs to a worker. */
bool slow_is_done(const struct slow_work *work);

enum slow_result slow_result(const struct slow_work *work);

/** Once it is done and its body is not needed again: give the body's memory back. */
void slow_drop_body(struct slow_work *work);
