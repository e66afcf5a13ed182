/*
 * job.h - the events of one request on their way through the outbox and back.
 *
 * A job is one block of memory with copies of all that is needed. The request and the outbox hold
 * one reference each, so either may release it first.
 *
 * Threads: the fields are the outbox's until job_decide(), then read-only.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/waker.h"
#include "delivery/outbox/outbox.h"
#include "delivery/outbox/recent.h"
#include "delivery/outbox/work.h"

enum { JOB_KEY_SIZE = OUTBOX_ID_MAX + 1 + 16 + 4 }; /* id, colon, half of the hash; #, number */

/** One event. Its texts are in the job's block. */
struct job_item {
    uint8_t identity[RECENT_IDENTITY_SIZE]; /* a hash of its id and its bytes */
    int64_t id_hash;
    int64_t time_us;
    int64_t processed_at_us;
    bool is_replay;
    bool is_registry_kind;
    bool is_not_kept;
    bool reused;         /* an earlier event has its id */
    unsigned output;     /* as in struct outbox_event */
    unsigned behind;     /* so many records after the event's first */
    uint64_t sinks;      /* as in struct outbox_event */
    const char *outcome; /* NULL: accepted */
    struct str id;
    struct str registry;
    struct str schema;
    struct str version;
    struct str body; /* the record, or the bytes of a refused event */
    struct str details;
    struct str units;
    struct str rule;
    struct str reason;
    struct str route;
    struct str origin;
};

struct outbox_job {
    struct work work;
    atomic_int references;
    atomic_bool decided;
    struct waker waker;
    void (*give_up)(struct outbox_job *job); /* NULL: goes on without its request */
    size_t count;
    struct job_item *items;        /* [count], in the same block, */
    struct outbox_result *results; /* as these */
};

/** The struct that a job is the first member of, and what follows the results, 8-byte aligned. */
struct job_layout {
    size_t head_bytes;
    size_t tail_bytes;
};

/** A job for the request, with two references. The tail is at `results + count`. */
struct outbox_job *job_create(const struct outbox_options *options,
                              const struct outbox_request *request, struct job_layout layout);

/** The item is a further record of the event before it: take over what identifies that. */
void job_follow(struct job_item *item);

/** Free a job that was not queued. */
void job_discard(struct outbox_job *job);

/** The results are final: outbox_results() returns them. The caller uses the waker. */
void job_decide(struct outbox_job *job);

void job_hold(struct outbox_job *job);
void job_unref(struct outbox_job *job);

/**
 * The idempotency key of a record: the event's id; with a part of the hash if an earlier event has
 * that id; made from the store's id and `seq` if it has none. A further record of an event has the
 * key of the first and `#` with its number. May be in `text`.
 */
struct str job_make_key(const char *store_id, const struct job_item *item, int64_t seq,
                        char text[static JOB_KEY_SIZE]);
