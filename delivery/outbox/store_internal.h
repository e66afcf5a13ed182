/*
 * store_internal.h - the outbox with a database, as its files see it.
 *
 * Threads: the fields belong to the committer, before the start and after the end to the thread
 * that creates and destroys; except where `mutex` is named. `location` and `volume.file` are
 * read-only after the creation.
 */
#pragma once

#include "delivery/outbox/db.h"
#include "delivery/outbox/location.h"
#include "delivery/outbox/number_set.h"
#include "delivery/outbox/outbox_internal.h"
#include "delivery/outbox/recent.h"
#include "delivery/outbox/tally.h"
#include "delivery/outbox/trusted_time.h"
#include "delivery/outbox/volume.h"
#include "delivery/outbox/window.h"

/** Name of the row in `state` with the time at which the store was last in use. */
#define STORE_CLOCK_STATE "clock_us"

/** When maintenance is due, by clock_monotonic_us(). */
struct upkeep {
    bool pending;       /* there may be rows to delete now */
    int64_t tick_us;    /* look for rows that are too old */
    int64_t clock_us;   /* write the time down again */
    int64_t probe_us;   /* try again whether a full store has room */
    int64_t recount_us; /* begin to count all rows again */
};

/** When the write-ahead log is to be moved, likewise. */
struct checkpoints {
    bool wanted;           /* when idle, however short the log */
    int64_t next_us;       /* earliest next checkpoint between batches */
    int64_t max_bytes;     /* a longer log is moved at once; 0: not known yet */
    int64_t held_since_us; /* a reader has held part of the log since; 0: none does */
    int64_t held_log_us;   /* log that reader again; 0: it was not logged yet */
    int64_t reset_us;      /* earliest next wait for readers to leave the log */
};

/** How far records behind a sink's cursor were looked at that may be for other sinks alone. */
struct sweep {
    int64_t position; /* all up to here */
    int64_t again_us; /* begin again, by clock_monotonic_us() */
};

enum { STORE_LOSSES = 3 }; /* counters of rows that were dropped for lack of room */

/** How far such a counter has been logged. */
struct loss {
    int64_t logged;
    int64_t next_us; /* earliest next line, by clock_monotonic_us() */
};

struct outbox_store {
    struct outbox outbox;
    struct location location;
    struct volume volume;
    struct db db;
    struct tally tally;  /* with the changes of the transaction under way */
    struct tally before; /* without them */
    struct recent recent;
    struct upkeep upkeep;
    struct checkpoints checkpoints;
    struct sweep sweep;
    struct loss losses[STORE_LOSSES];
    char *routes[OUTBOX_SINKS_MAX]; /* by slot: as in struct outbox_sink */
    struct trusted_time trusted_time;

    /* Of the transaction under way: */
    int64_t now_us;     /* time of day */
    int64_t trusted_us; /* the same, as far as it is trusted: for what expires */
    bool may_expire;    /* rows that are too old may be deleted */
    bool turned_away;   /* an event did not fit */
    bool has_news;      /* backlogs have news beside new records */

    bool disk_full;        /* a write did not fit on the disk, and none has succeeded since */
    int64_t full_since_us; /* clock_monotonic_us() */
    pthread_t committer;

    pthread_cond_t work; /* for the committer: work is queued, a suspicion, or the end */

    /* Under the outbox's mutex: */
    bool suspected; /* a reader found no database at the path */
    bool stall_logged;
    int64_t published_log_bytes;
    int64_t published_max_bytes;
};

static inline struct outbox_store *store_of(struct outbox *outbox)
{
    return CONTAINER_OF(outbox, struct outbox_store, outbox);
}

/* store.c */

/** The random name that the open store was given when it was made. */
NODISCARD bool store_read_id(struct outbox_store *store, char out[static OUTBOX_NAME_SIZE]);

/* accept.c */

/** Queue a request's events for the committer. */
NODISCARD bool accept_submit(struct outbox *outbox, const struct outbox_request *request,
                             struct outbox_job **job, struct error *err);

/* pending.c and settle.c: a backlog in the store. */

/** Changes of a sink's rows on their way to the committer. */
struct store_commit {
    struct work work;
    struct change_list changes; /* the committer's from begin to end */
    bool is_under_way;          /* else those changes are still to be made */

    /* Under the outbox's mutex: */
    bool has_ended;
    bool has_failed; /* nothing was changed, `err` says why */
    struct error err;
};

struct store_backlog {
    struct backlog backlog;
    struct db db;
    struct window window;
    struct number_set retries;   /* sequences of retries that are under way, or not durable yet */
    struct number_set busy_keys; /* order hashes of what is under way; */
    struct number_set failing_keys; /* of retries whose rows do not show it yet */
    int64_t unkeyed;                /* tally_sink.unkeyed when it was last looked at */
    bool has_unkeyed;           /* there may be retry rows without an order key: they come first */
    struct change_list settled; /* for the next commit */
    struct store_commit commit;
};

NODISCARD bool store_backlog_open(struct backlog *backlog, struct error *err);
NODISCARD bool store_backlog_take(struct backlog *backlog, const struct backlog_bounds *bounds,
                                  struct arena *arena, struct backlog_batch **batch,
                                  struct error *err);
void store_backlog_settle(struct backlog *backlog, struct backlog_batch *batch,
                          const struct backlog_result *results);
/** A record was taken: that is what becomes of it. The change is owned from now on. */
void store_backlog_decide(struct store_backlog *pending, struct change change);

NODISCARD bool store_backlog_commit(struct backlog *backlog, bool wait, struct error *err);
void store_backlog_close(struct backlog *backlog);
