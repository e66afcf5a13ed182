/*
 * events_run.h - one request to POST /events being answered; for events*.c alone.
 */
#pragma once

#include "handlers/events.h"
#include "handlers/outcome.h"
#include "schema/schema.h"

struct run {
    const struct events_options *options;
    const struct request *request;
    const struct event_observer *observer; /* NULL: nobody looks */
    struct json_object *body;              /* NULL: it cannot be read, see `malformed`, or waits */
    struct error malformed;                /* code ERR_NONE: it was read */
    bool expired;                          /* the deadline ended a wait */
    struct schema_budget budget;           /* of the event being checked */
    int64_t checks_end_us;                 /* of a batch, on clock_thread_us(); 0: none has begun */
    bool cut_short;                        /* the event's budget is less than a whole one */
    int64_t now_us;                        /* the processed_at of all its records */
    size_t units_left;                     /* error units that the answer may still take */

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

/** The event's fate is what the error says. */
void run_conclude_failed(const struct run *run, const struct error *err, struct outcome *outcome);

/** Read the body. It belongs to the run. */
NODISCARD bool run_parse(struct run *run, struct error *err);

/** Find the payload in the event. */
NODISCARD bool run_take_payload(struct run *run, struct event *event, struct error *err);

/** The normalized record of a validated event, with run->now_us as its time. */
NODISCARD bool run_normalize(struct run *run, struct event *event, struct error *err);

/* events_commit.c: what is durable. */

/** Hand all that is to be kept to the outbox. True: run_take_results() will have something. */
NODISCARD bool run_submit(struct run *run);

/** Put the outbox's word into the outcomes. False: it has not spoken yet. */
NODISCARD bool run_take_results(struct run *run);

/** The deadline came first: what the outbox has is not answered any more. */
void run_give_up(struct run *run);

/* events_answer.c: from outcomes to a response. */

/** Count the outcomes and fill in the response. */
void run_answer(struct run *run, struct response *response);
