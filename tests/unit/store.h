/*
 * store.h - an outbox in a temporary folder, and events to put into it.
 */
#pragma once

#include "delivery/outbox/outbox.h"
#include "tests/unit/folder.h"

struct store {
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    struct outbox_options options; /* may be changed before store_open() */
    struct outbox *outbox;         /* NULL: closed */
    int64_t time_us;               /* of the events that store_fill() makes */
};

/** A folder and usual options, without sinks; not open yet. */
void store_init(struct store *store);

/** Open it and start the committer; what cannot be done ends the test program. */
void store_open(struct store *store);

/** Stop and close it; the folder stays. */
void store_close(struct store *store);

void store_done(struct store *store);

/** An accepted event of now; `id` may be NULL. */
struct outbox_event store_event(const char *id, const char *raw);

/** A refused one. */
struct outbox_event store_refusal(const char *id, const char *raw);

/** Submit one event and wait for its result. */
struct outbox_result store_submit(struct store *store, const struct outbox_event *event);

/** Submit as many, each in a job of its own, with ids "<prefix>0", "<prefix>1", ...; all must be
 * accepted. */
void store_fill(struct store *store, const char *prefix, size_t count);

/** All counters of now. The result lasts until the next call. */
const struct outbox_counters *store_counters(struct store *store);

/** Of a sink; it must be there. */
const struct outbox_sink_counters *store_sink(struct store *store, const char *name);
