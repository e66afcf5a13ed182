/*
 * work.h - the queue of an outbox: what waits for the committer, or in memory for the sinks.
 *
 * A piece of work is a member of its owner's struct; the queue does not own it.
 *
 * Threads: a queue is used under its outbox's mutex; a list that was taken out of it is the
 * caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct outbox_store;
struct work;

/** How the committer handles a piece of work. */
struct work_operations {
    /** In the transaction of its batch. False: the transaction fails; db_fail() returns why. */
    bool (*apply)(struct outbox_store *store, struct work *work);

    /** The disk was full for the batch: find the results that need no write. NULL: there are none.
     */
    bool (*recall)(struct outbox_store *store, struct work *work);

    /** The batch is durable, or (`failure` not NULL, constant text) nothing of it was written. */
    void (*finish)(struct outbox_store *store, struct work *work, const char *failure);
};

struct work {
    struct list_link link;
    const struct work_operations *operations; /* NULL in memory */
    size_t events;                            /* counted by the bounds; 0: a task */
    size_t bytes;                             /* likewise */
    bool is_refusal;                          /* all its events are for the quarantine */
};

struct work_queue {
    struct list list;
    size_t max_events;
    size_t events;
    size_t bytes;
    size_t refusals; /* events of refusals */
};

/** An empty queue; `max_events` 0: the default. It must not be moved. */
void work_queue_init(struct work_queue *queue, size_t max_events);

/** Is there room for `work`? Refusals get half of the queue, so they never keep others out. */
bool work_queue_has_room(const struct work_queue *queue, const struct work *work);

void work_queue_push(struct work_queue *queue, struct work *work);

/** Move work from the front to `out`, as much as these bounds allow, at least one piece. */
void work_queue_take(struct work_queue *queue, size_t max_events, size_t max_bytes,
                     struct list *out);

/** Take `work` out, wherever it is in the queue. */
void work_queue_remove(struct work_queue *queue, struct work *work);

/** The first piece of a list, which is taken out of it; NULL: it is empty. */
struct work *work_pop(struct list *list);
