/*
 * events_internal.h - one request to POST /events while it is answered; for events*.c alone.
 *
 * Threads: a run belongs to its loop thread, except while a worker has it (slow_start() until
 * slow_is_done()).
 */
#pragma once

#include <stdatomic.h>

#include "base/flat.h"
#include "handlers/events.h"
#include "handlers/outcome.h"
#include "schema/schema.h"

struct events {
    struct events_options options;
};

/* How much time the checks may take. */
enum run_pace {
    RUN_FAST, /* a slice for the whole request, on a loop thread */
    RUN_FULL, /* the whole budget for each event */
};

/* What a source of AWS Lambda passed as one record. */
struct run_item {
    struct str id;    /* its name in batchItemFailures */
    struct str fault; /* why its text is no event; ptr NULL: it is JSON */
};

struct run {
    const struct events_options *options;
    const struct request *request;
    const struct event_observer *observer; /* NULL: none */
    const struct flat *body;               /* the tree; NULL: not read, malformed, or released */
    struct arena *tree;                    /* holds the tree; NULL: it is released */
    struct error malformed;                /* code ERR_NONE: the body was read */
    struct schema_budget budget;           /* of the event that is checked */
    const atomic_bool *stop;               /* true: end the checks soon; NULL: nothing stops them */
    struct catalog_entry *awaited;         /* its schema is being fetched; NULL: none */
    int64_t now_us;                        /* the processed_at of all records */
    size_t units_left;                     /* error units that still fit in the answer */
    size_t record_bytes;                   /* of the records that were made */

    bool is_trial;          /* nothing is counted, and no sample is kept */
    bool is_batch;          /* the body is an array */
    struct buf *unwrapped;  /* read instead of the body; NULL: the body is no batch of a source */
    struct run_item *items; /* of each event, likewise */
    size_t count;           /* of events; 1 for a single event and for a malformed body */
    struct event *events;
    struct outcome *outcomes;

    bool as_one;       /* the job holds the whole array as one refused event */
    size_t *submitted; /* the indices of the events whose records the job holds, in its order */
    size_t submitted_count;
    struct outbox_job *job;  /* NULL: nothing was submitted */
    struct run_spans *spans; /* NULL: the request is not traced */
};

/* events_steps.c: the steps of one event. */

/** Read the body into a tree. If that fails, `run->malformed` says why. */
void run_read(struct run *run);

/**
 * Route, payload, validate, transform, until one fails; then `err` says why. CONDITION_VALID: all
 * succeeded. CONDITION_DROPPED: the route or the transform drops the event.
 */
enum condition run_take_steps(struct run *run, struct event *event, struct error *err);

/**
 * Write the record of a duplicate again, with the time of its first acceptance; reads the body
 * again if its tree was released. False: the transform of today refuses the event.
 */
NODISCARD bool run_write_record_again(struct run *run, size_t index, int64_t processed_at_us);

/* events_sources.c: batches of event sources of AWS Lambda. */

/** Is the body that was read a batch of SQS or Kinesis? Then `run->unwrapped` is to be read. */
bool run_unwrap(struct run *run);

/** The text of the events. */
struct str run_text(const struct run *run);

/* events_check.c: all events of a request. */

/** A run that has not read its body. The request's arena owns it and its tree. */
struct run *run_create(const struct events *events, const struct request *request,
                       const struct event_observer *observer);

/** Release the tree; bytes, outcomes and records stay. */
void run_release_tree(struct run *run);

/**
 * Does an event of the request need a schema that is being fetched? Then the request's waker is
 * used once it is there. After run_read().
 */
NODISCARD bool run_waits_for_schema(struct run *run, enum run_pace pace);

/** Is the schema that run_waits_for_schema() found still being fetched? Needs no tree. */
NODISCARD bool run_still_waits(const struct run *run);

/**
 * Find the outcome of each event, except for what the outbox decides. After run_read(). False:
 * RUN_FAST and its slice was not enough; nothing is decided.
 */
bool run_check(struct run *run, enum run_pace pace);

/**
 * events_shadow.c: try the shadow schemas of the events' routes, once the outcomes are found. They
 * change none of them.
 */
void run_try_shadows(struct run *run, enum run_pace pace);

/** Set the outcome of an event. `details` ptr NULL: none. */
void run_conclude(struct run *run, size_t index, enum condition condition, struct str details);

/* events_commit.c: what must be durable. */

/** Submit to the outbox what must be kept. False: there is nothing to wait for. */
NODISCARD bool run_submit(struct run *run);

/** Has the outbox decided? */
bool run_has_results(const struct run *run);

/** Must the body be read again to answer with the outbox's results? */
bool run_needs_reading(const struct run *run);

/** Put the outbox's results into the outcomes, once it has decided. */
void run_take_results(struct run *run);

/** At the deadline: what the outbox has not decided is answered 503. */
void run_give_up(struct run *run);

/* events_answer.c: from outcomes to a response. */

/** Count the outcomes and fill in the response. */
void run_answer(struct run *run, struct response *response);

/**
 * Why an event was refused, for logs and listings, which show nothing that only the event has: the
 * details, but without values and unexpected names of properties, and without the place at which
 * JSON is malformed.
 */
struct str run_reason(const struct outcome *outcome);

/** Answer the whole request 503 for `reason` (constant text), whatever its body holds. */
void events_answer_unavailable(const struct events_options *options, const struct request *request,
                               const char *reason, struct response *response);

/* events_trace.c: the spans of what is done for a request. */

/** Record spans, if the request is traced. */
void run_trace(struct run *run);

/** When a span begins; 0: none is recorded. */
int64_t run_span_begin(const struct run *run);

/** The span ends now. `name` is constant. After the first ones, spans are not recorded. */
void run_span_end(struct run *run, const char *name, int64_t began_us, bool has_failed);

/** The outbox has the events: the span "commit" begins. */
void run_span_submitted(struct run *run);

/** The outbox has decided, or the time is over; then the spans are exported. */
void run_export_spans(struct run *run);

/* events_slow.c: a request on a worker thread. */

/** Is the body too large for a loop thread? False for a request that cannot be detached. */
bool slow_is_large(const struct events_options *options, const struct request *request);

enum slow_task {
    SLOW_CHECK,   /* read, check and submit */
    SLOW_RESULTS, /* take the outbox's results, which needs the body again */
};

enum slow_result {
    SLOW_STOPPED,      /* abandoned before the end: the server stops */
    SLOW_DECIDED,      /* all outcomes are known */
    SLOW_SUBMITTED,    /* the outbox has it */
    SLOW_NEEDS_SCHEMA, /* a schema is being fetched; the waker is used once it is there */
};

struct slow_work;

/**
 * Detach the request from its connection, with the run that is in its arena. The request's new
 * arena owns the result. NULL: the request cannot be detached.
 */
struct slow_work *slow_detach(struct request *request, struct run *run,
                              const struct events_options *options);

/** Queue the work; the request's waker is used when it is done. False: the lane is full. */
NODISCARD bool slow_start(struct slow_work *work, enum slow_task task);

/** Is it done? Until then the run belongs to a worker. */
bool slow_is_done(const struct slow_work *work);

enum slow_result slow_result(const struct slow_work *work);

/** Free the body's memory, once the work is done and nothing reads the body again. */
void slow_drop_body(struct slow_work *work);
