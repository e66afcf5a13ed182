/*
 * resubmit.h - events that were kept are posted again, inside the process.
 *
 * They go the very way of POST /events, one alone or several as an array, so that what becomes of
 * them is decided and stored as if their senders had sent them again.
 *
 * Threads: a resubmitter belongs to one thread at a time, except for resubmitter_end(). It must
 * outlive all that may still wake it: the outbox.
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
    struct outbox_view *view; /* where refused events are; NULL: nowhere */
    int64_t patience_us;      /* for one answer; then the handler says that time is over */
};

struct resubmit_answer {
    int status;       /* as its sender would have been told */
    char outcome[32]; /* of the status table; "batch" for an array */
    size_t refused;   /* of an array: how many of its events were not accepted */
};

/** The caller owns it. */
struct resubmitter *resubmitter_create(const struct resubmitter_options *options);

/** From now on post to `events`. */
void resubmitter_use(struct resubmitter *resubmitter, struct handler events);

/**
 * The process ends: what is waited for is answered as if its time were over, and so is all that
 * comes later. From any thread.
 */
void resubmitter_end(struct resubmitter *resubmitter);

/** NULL is fine. */
void resubmitter_destroy(struct resubmitter *resubmitter);

/** Post `body` and wait for the answer. */
void resubmit(struct resubmitter *resubmitter, struct str body, struct resubmit_answer *out);

/** The same with the body of row `id` in quarantine. ERR_NOT_FOUND: there is no such row. */
NODISCARD bool resubmit_refused(struct resubmitter *resubmitter, int64_t id,
                                struct resubmit_answer *out, struct error *err);
