/*
 * events.h - POST /events: the path of an event from bytes to answer.
 *
 * Threads: immutable once created; the handler runs on any loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
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
    const struct routes *routes; /* borrowed, as the five below */
    struct catalog *catalog;
    struct auth *auth;       /* NULL: everybody may post */
    struct metrics *metrics; /* NULL: nothing is counted */
    struct outbox *outbox;   /* NULL: nothing is kept, 200 promises nothing */
    struct slow_lane *lane;  /* for what takes long; NULL: it is done in place */
    bool quarantine;         /* refused events are kept, too */
    bool dedup;              /* the outbox knows what was accepted before */
    enum status_map status_map;
    bool receipt;       /* answer with a receipt, not with the record */
    bool partial;       /* an array is answered 200 whatever became of its elements */
    size_t max_batch;   /* elements of an array */
    size_t max_errors;  /* units in an answer */
    bool redact_values; /* no instance values in error texts */
    int64_t budget_us;  /* for the checks of one event; 0: no end */
};

/** One event on its way: what the steps have found so far. */
struct event {
    struct json_object *root; /* the whole event; NULL where the body is none */
    struct str raw;           /* its bytes in the body; filled in for the outbox */
    const struct route *route;
    struct str id; /* ptr NULL: none */
    struct json_object *payload;
    struct str version; /* of the schema that checked it; in the arena */
    bool lacks_schema;  /* there is no schema to check it with */
    struct schema_report report;
    struct str record; /* normalized, compact JSON; in the arena */
};

/** For `sluice explain`: told after each step. */
struct event_observer {
    /** `err` is NULL when the step went well. For the first step, "parse", `event` is NULL. */
    void (*step)(void *self, const char *name, const struct event *event, const struct error *err);
    void *self;
};

/** The caller owns it. */
struct events *events_create(const struct events_options *options);

/** NULL is fine. */
void events_destroy(struct events *events);

/** Answer the request at once, without waiting and without the outbox; `observer` may be NULL. */
void events_answer(const struct events *events, const struct request *request,
                   const struct event_observer *observer, struct response *response);

/** POST /events. */
struct handler events_handler(struct events *events);
