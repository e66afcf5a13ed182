/*
 * resubmit.h - post refused events again, inside the process.
 *
 * The handler of POST /events gets them, one event or an array of several, in the calling thread:
 * without HTTP, without credentials and limits of requests, and without the slow lane.
 *
 * Threads: a resubmitter belongs to one thread at a time, except for resubmitter_end(). It must
 * outlive the outbox, which may wake it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/outbox/view.h"
#include "handlers/handler.h"

struct resubmitter;

/** All borrowed. */
struct resubmitter_options {
    struct handler events;    /* of POST /events */
    struct outbox_view *view; /* holds the refused events; NULL: resubmit_refused() is not used */
    int64_t timeout_us;       /* for one answer; then the handler is resumed as expired */
};

struct resubmit_answer {
    int status;                 /* of HTTP */
    char outcome[32];           /* of the status table; "batch" for an array */
    size_t accepted;            /* how many events were accepted; 1 if the body is not an array */
    char reason[ERR_TEXT_SIZE]; /* why it was refused, without values of it; "": it was not */
    char rule[ERR_TEXT_SIZE];   /* where in the schema; likewise */
};

/** The caller owns it. */
struct resubmitter *resubmitter_create(const struct resubmitter_options *options);

/** From now on post to `events`. */
void resubmitter_use(struct resubmitter *resubmitter, struct handler events);

/**
 * The process ends: the event under way, and all later ones, are answered as at their deadline.
 * From any thread.
 */
void resubmitter_end(struct resubmitter *resubmitter);

/** NULL is fine. */
void resubmitter_destroy(struct resubmitter *resubmitter);

/** Post `body`, an event or (`is_bundle`) an array of kept events, and wait for the answer. */
void resubmit(struct resubmitter *resubmitter, struct str body, bool is_bundle,
              struct resubmit_answer *out);

/** The same with the body of row `id` in quarantine. ERR_NOT_FOUND: there is no such row. */
NODISCARD bool resubmit_refused(struct resubmitter *resubmitter, int64_t id,
                                struct resubmit_answer *out, struct error *err);
