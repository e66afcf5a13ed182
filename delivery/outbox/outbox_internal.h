/*
 * outbox_internal.h - what the two kinds of outbox have in common: store.c with a database, and
 * memory.c.
 *
 * Each kind has a struct of its own with a struct outbox in it, likewise for a backlog, and fills
 * one table of operations.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "delivery/outbox/backlog.h"
#include "delivery/outbox/job.h"
#include "delivery/outbox/outbox.h"
#include "delivery/outbox/tally.h"
#include "delivery/outbox/work.h"

/** A task for the database; false with `err` set: it must have changed nothing. */
typedef bool outbox_task(struct outbox_store *store, void *arg, struct error *err);

struct outbox_operations {
    /** NULL: nothing to start. */
    bool (*start)(struct outbox *outbox, struct error *err);
    /** `stopping` is set already: answer what is queued. Called once, after a start. */
    void (*stop)(struct outbox *outbox);
    /** Release all that start() and stop() do not, the struct itself included. */
    void (*destroy)(struct outbox *outbox);

    bool (*submit)(struct outbox *outbox, const struct outbox_request *request,
                   struct outbox_job **job, struct error *err);
    /** Run `task` in a transaction and wait until it is durable. NULL: there is no store. */
    bool (*run)(struct outbox *outbox, outbox_task *task, void *arg, struct error *err);
    bool (*add_sinks)(struct outbox *outbox, const struct outbox_sink *sinks, size_t count,
                      struct error *err);
    bool (*remove_sink)(struct outbox *outbox, const char *name, struct error *err);
    /** Set `bytes` and `max_bytes`. The mutex is held. */
    void (*show_size)(const struct outbox *outbox, struct outbox_counters *out);

    size_t backlog_size; /* of this kind's struct; a struct backlog is its first member */
    /** Open the kind's part of a backlog. NULL: nothing to open. */
    bool (*open)(struct backlog *backlog, struct error *err);
    /** As backlog_take(); sets `lane`, `retry_due_us` and `round` too. */
    bool (*take)(struct backlog *backlog, const struct backlog_bounds *bounds, struct arena *arena,
                 struct backlog_batch **batch, struct error *err);
    /** As backlog_settle(); results NULL: all are UNTRIED. */
    void (*settle)(struct backlog *backlog, struct backlog_batch *batch,
                   const struct backlog_result *results);
    /** As backlog_commit(). NULL: nothing to commit. */
    bool (*commit)(struct backlog *backlog, bool wait, struct error *err);
    /** All batches are given back: close the kind's part. NULL: nothing to close. */
    void (*close)(struct backlog *backlog);
};

/** When a sink's oldest pending record was accepted. */
struct outbox_oldest {
    int64_t accepted_us; /* time of day; 0: it has none */
    int64_t since_us;    /* the same by clock_monotonic_us() */
};

enum outbox_state { OUTBOX_FINE, OUTBOX_FULL, OUTBOX_FAILING };

struct outbox {
    /* Read-only after the creation. */
    const struct outbox_operations *operations;
    struct outbox_options options; /* the outbox owns the path; without the sinks */
    char id[OUTBOX_NAME_SIZE];     /* random, given when the store was made */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t news;   /* `round` has changed, a task is done, or the outbox stops */
    struct work_queue queue;
    bool running;
    bool stopping;
    bool failing;           /* the database must be opened again first: nothing is queued */
    uint64_t round;         /* grows when backlog_take() may have something new */
    struct tally published; /* the counters, as of the last transaction */
    struct outbox_oldest oldest[OUTBOX_SINKS_MAX]; /* by index into published.sinks */
    struct outbox_histogram commit_us;
    struct outbox_histogram batch_events;

    atomic_int state;                   /* enum outbox_state */
    atomic_int_least64_t busy_since_us; /* the committer uses the disk; 0: it does not */
    atomic_bool hurried;
};

/** What both kinds of backlog have. */
struct backlog {
    struct outbox *outbox;
    char sink[OUTBOX_NAME_SIZE];
    struct backlog_options options; /* without the name */

    struct list batches;    /* that are not settled, */
    size_t under_way_bytes; /* and what they hold */
    enum backlog_lane lane; /* of the last records taken */
    int64_t retry_due_us;   /* time of day of the next retry; INT64_MAX: there is none */

    uint64_t round; /* the outbox's, when the last backlog_take() began */
    bool woken;     /* under the outbox's mutex */
};

/** Run an operator's task. ERR_CONFIG: there is no store. */
NODISCARD bool outbox_run(struct outbox *outbox, outbox_task *task, void *arg, struct error *err);

/** The sinks of the options, each in its slot. For mem_free(). */
struct outbox_sink *outbox_list_sinks(const struct outbox_options *options);

/** Make the part that both kinds have. */
void outbox_init(struct outbox *outbox, const struct outbox_operations *operations,
                 const struct outbox_options *options);

void outbox_done(struct outbox *outbox);

/** The mutex is held. Why `work` cannot be queued (constant text), or NULL. */
const char *outbox_why_not(const struct outbox *outbox, const struct work *work);

/** Has the disk not answered the committer for longer than `stall_us`? */
bool outbox_is_stalled(const struct outbox *outbox);

/** The mutex is held. The sink's oldest pending record; 0: it has none. */
void outbox_note_oldest(struct outbox *outbox, size_t sink, int64_t accepted_us);

/* The two kinds. Where they fail, outbox_create() says why. */
NODISCARD bool store_create(const struct outbox_options *options, struct outbox **out,
                            struct error *err);
NODISCARD bool memory_create(const struct outbox_options *options, struct outbox **out,
                             struct error *err);
