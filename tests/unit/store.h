/*
 * store.h - an outbox in a temporary folder, and events for it.
 */
#pragma once

#include "delivery/outbox/outbox.h"
#include "tests/unit/folder.h"

struct store {
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    struct outbox_options options; /* may be changed before store_open() */
    struct outbox *outbox;         /* NULL: closed */
    int64_t time_us;               /* the time of the events of store_fill(), */
    uint64_t sinks;                /* and who gets their records; 0: every sink */
};

/** Make a folder and default options without sinks. The outbox is not opened. */
void store_init(struct store *store);

/** Open the outbox and start the committer, or end the test program. */
void store_open(struct store *store);

/** The names of sinks that most tests use: a and b. */
extern const char *const store_sinks[2];

/** store_init() and store_open() with the first `sinks` of store_sinks. */
void store_begin(struct store *store, size_t sinks);

/** Stop and close the outbox; the folder stays. */
void store_close(struct store *store);

void store_done(struct store *store);

/** An accepted event with the current time; `id` may be NULL. */
struct outbox_event store_event(const char *id, const char *raw);

/** A refused event. */
struct outbox_event store_refusal(const char *id, const char *raw);

/** Submit one event and wait for its result. */
struct outbox_result store_submit(struct store *store, const struct outbox_event *event);

/** The same of an event with several records. */
struct outbox_result store_submit_records(struct store *store, const struct outbox_event *records,
                                          size_t count);

/**
 * Submit `count` events with the ids "<prefix>0", "<prefix>1", ..., each in a job of its own. All
 * must be accepted.
 */
void store_fill(struct store *store, const char *prefix, size_t count);

/** The current counters, valid until the next call. */
const struct outbox_counters *store_counters(struct store *store);

/** The counters of a sink, which must exist. */
const struct outbox_sink_counters *store_sink(struct store *store, const char *name);

/** CHECK that enqueued = delivered + pending + dead + dropped, for this sink. */
void store_check_identity(struct store *store, const char *sink);
