/*
 * events.h - POST /events: events from bytes to answer.
 *
 * Threads: immutable once created; the handler runs on any loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/tracing/tracer.h"
#include "delivery/outbox/outbox.h"
#include "handlers/auth/auth.h"
#include "handlers/handler.h"
#include "handlers/metrics.h"
#include "handlers/route.h"
#include "handlers/slow_lane.h"
#include "handlers/status.h"
#include "schema/registry/catalog.h"

struct events;

struct events_options {
    const struct routes *routes; /* all pointers are borrowed */
    struct catalog *catalog;
    struct auth *auth;       /* NULL: no credential is needed */
    struct metrics *metrics; /* NULL: nothing is counted */
    struct outbox *outbox;   /* NULL: no record is kept, and 200 promises nothing */
    struct tracer *tracer;   /* takes the spans of traced requests; NULL: none is traced */
    struct slow_lane *lane;  /* for costly requests; NULL: they are handled on loop threads */
    bool quarantine;         /* keep refused events, too */
    bool dedup;              /* the outbox recognizes events that were accepted before */
    enum status_map status_map;
    bool receipt;        /* answer with a receipt instead of the record */
    bool partial;        /* answer an array 200, whatever the outcomes of its elements */
    bool lambda_sources; /* take batches of SQS and Kinesis, as AWS Lambda passes them */
    size_t max_batch;    /* elements of an array */
    size_t max_errors;   /* error units in an answer */
    bool redact_values;  /* no instance values in error texts */
    int64_t budget_us;   /* for the checks of one event; 0: no limit */
};

/** One event, with the results of its steps so far. */
struct event {
    const struct flat *root; /* the whole event; NULL: the tree is released, or malformed */
    struct str raw;          /* its bytes in the body; set for the outbox */
    const struct route *route;
    int64_t time_us; /* its own time; OUTBOX_NO_TIME: none */
    struct str id;   /* in the arena; ptr NULL: none */
    const struct flat *payload;
    struct str version; /* of the schema; in the arena */
    bool lacks_schema;  /* there is no schema to check it with */
    struct schema_report report;
    bool is_dropped;                   /* by the transform of the first output */
    const struct route_output *output; /* that is being written */
    struct str record;                 /* normalized, compact JSON; in the arena; the first, */
    struct str *records;               /* and those of all outputs; ptr NULL: left out */
};

/** For `sluice explain`. */
struct event_observer {
    /**
     * Called after each step. `err` NULL: it succeeded. In the first step, "parse", `event` is
     * NULL. The events of an array are next to each other.
     */
    void (*step)(void *self, const char *name, const struct event *event, const struct error *err);
    /**
     * Called for each field of a record, whose output is `event->output`; `from` as in
     * transform.h. NULL: not wanted.
     */
    void (*field)(void *self, const struct event *event, struct str field, struct str from);
    /**
     * Called after all steps of all events, for each event that a shadow schema was tried on. NULL:
     * not wanted.
     */
    void (*shadow)(void *self, const struct event *event, const struct shadow_word *word);
    void *self;
};

/** The caller owns it. */
struct events *events_create(const struct events_options *options);

/** NULL is fine. */
void events_destroy(struct events *events);

/**
 * Answer the request without waiting, without the outbox and without counting it. `observer` may be
 * NULL.
 */
void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response);

/** POST /events. */
struct handler events_handler(struct events *events);
