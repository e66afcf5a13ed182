/*
 * outbox.h - makes events durable before their sender gets 200: duplicates, records, quarantine.
 *
 * A request submits all its events at once as a job. One thread, the committer, takes what is
 * queued, writes it in one transaction, waits for the disk once and then wakes every request of the
 * batch (docs/decisions/011). Duplicates are decided inside the transaction. The database is
 * SQLite's; all writes and checkpoints go through the committer's one connection.
 *
 * Threads: create, start, stop and destroy belong to one thread. Any thread may call the rest in
 * between; before start and after stop, submitting and orders return ERR_UNAVAILABLE. The request
 * and the committer share a job; each holds a reference, which may end after stop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "base/waker.h"

enum {
    OUTBOX_SINKS_MAX = 64,    /* sinks with rows in one store, removed ones included */
    OUTBOX_NAME_SIZE = 72,    /* a sink's name (64 at most) or an outcome, with its NUL */
    OUTBOX_OUTCOMES_MAX = 16, /* different outcomes of refused events */
    OUTBOX_ID_MAX = 256,      /* bytes of an event's id */
    OUTBOX_KEY_SIZE = 288,    /* an idempotency key, with its NUL */
};

/** For outbox_event.time_us: the event has no time. */
#define OUTBOX_NO_TIME INT64_MIN

/** For outbox_event.sinks. */
#define OUTBOX_EVERY_SINK UINT64_MAX

struct outbox;

/** Everything is copied. */
struct outbox_options {
    const char *path;           /* the database file; folders are created, 0700; "": no store */
    uint64_t max_size;          /* bytes that may wait for sinks, write-ahead log included */
    uint64_t dead_max_size;     /* bytes of dead records, beside those; the oldest are dropped */
    int64_t dedup_window_us;    /* 0: every event is new */
    int64_t dedup_max_rows;     /* 0: every event is new */
    bool dedup_replays;         /* an event is a duplicate even if only its replay-name differs */
    bool quarantine;            /* keep refused events */
    int64_t quarantine_keep_us; /* so long, */
    int64_t quarantine_max_rows;
    uint64_t quarantine_max_size;
    const char *const *sinks; /* names of the configured sinks, as struct outbox_sink has them; the
                                 index is the slot */
    size_t sink_count;
    const char *const *sink_routes; /* for each sink; NULL: all start at now */
    int64_t history_us;             /* delivered records stay so long; 0: they are deleted, */
    uint64_t history_max_size;      /* or until they have so many bytes */
    int64_t lock_patience_us;       /* how long to wait for another process to unlock the store */
    size_t max_queued;              /* events that may wait for the committer; 0: the default */
    int64_t stall_us; /* the disk stalls when a commit takes longer; 0: it never does */
};

/**
 * Open the store, create it if need be, bring it up to this version, and lock it for this process.
 * ERR_SYSTEM: locked by another process, on a network file system, or the system reports an error;
 * ERR_CONFIG: written by a newer version, or not a store. The caller owns it.
 *
 * With an empty path there is no store: records wait in memory, and an event is accepted when every
 * sink (there must be at least one) has its record. Then no event is a duplicate; a record that a
 * sink refuses is dropped and its event is OUTBOX_UNAVAILABLE; refused events must not be
 * submitted; and when a sender gives up, its records that no sink has got yet are dropped.
 */
NODISCARD bool outbox_create(const struct outbox_options *options, struct outbox **out,
                             struct error *err);

/** Start the committer. */
NODISCARD bool outbox_start(struct outbox *outbox, struct error *err);

/** A configured sink. Everything is copied. */
struct outbox_sink {
    const char *name;
    size_t slot; /* its bit in outbox_event.sinks, below OUTBOX_SINKS_MAX; no other sink has it */
    const char *routes; /* a new sink starts with the history of these routes, a JSON array of their
                           names; NULL: at now */
};

/**
 * Events may name these sinks from now on: those that are not known are added, and those that were
 * removed are back with their backlog. ERR_CONFIG: too many; nothing has changed. ERR_UNAVAILABLE.
 */
NODISCARD bool outbox_add_sinks(struct outbox *outbox, const struct outbox_sink *sinks,
                                size_t count, struct error *err);

/**
 * The sink is not configured any more, and its slot is free: no event that is submitted later may
 * name it. Its backlog is closed, and stays in the store. Does nothing if it is not configured.
 * ERR_UNAVAILABLE, ERR_SYSTEM: try again later.
 */
NODISCARD bool outbox_remove_sink(struct outbox *outbox, const char *name, struct error *err);

/**
 * Commit what is queued, then end the committer; later jobs are refused. backlog_wait() and
 * backlog_settle() return. Does nothing if it does not run.
 */
void outbox_stop(struct outbox *outbox);

/**
 * Stops it first. All backlogs must be closed and, without a store, all jobs released. NULL is
 * allowed.
 */
void outbox_destroy(struct outbox *outbox);

/**
 * Could a store be opened at `path`? For `sluice check`: it can be written or created, is on a
 * local file system, and is not of a newer version. Changes nothing.
 */
NODISCARD bool outbox_check(const char *path, struct error *err);

/** SQLite's version, as "3.40.1". */
const char *outbox_library_version(void);

/* Submitting events. */

/** One event of a request: accepted with its record, or refused. outbox_submit() copies it. */
struct outbox_event {
    struct str id;          /* ptr NULL: none, so it is never a duplicate; at most OUTBOX_ID_MAX */
    struct str replay_name; /* ptr NULL: not replayed from an archive */
    struct str raw;         /* its bytes as received */
    struct str unreplayed;  /* the same without the replay-name; ptr NULL: not known */
    int64_t time_us;        /* the event's own time, or OUTBOX_NO_TIME */
    int64_t processed_at_us;
    struct str registry; /* ptr NULL where no route was found; schema and version likewise */
    struct str schema;
    struct str version;
    struct str record; /* accepted: its record, */
    /* Further records of the event follow as events of their own with the same members, all stored
     * or none. 2, 3, ...: the number of this record; 0: it is the event's first, or only, one. */
    unsigned output;
    struct str route;  /* the name of its route; ptr NULL: none, */
    struct str origin; /* where it comes from (record_origin.h); ptr NULL: not known, */
    uint64_t sinks;    /* and which sinks get it: bit n for the one with slot n */

    /* Refused: */
    const char *outcome;   /* as in the log; NULL: accepted */
    struct str details;    /* the reason in words */
    struct str units;      /* error units as a JSON array; ptr NULL: none */
    struct str rule;       /* where in the schema the first error is; ptr NULL: none */
    struct str reason;     /* the details without values of the event, for listings */
    bool is_registry_kind; /* the registry's fault: the server posts the event again */
    bool is_not_kept; /* do not add it to the quarantine; only find out whether it is a duplicate */
};

enum outbox_verdict {
    OUTBOX_ACCEPTED,    /* durable; without a store: every sink has it */
    OUTBOX_DUPLICATE,   /* accepted before, at `processed_at_us` */
    OUTBOX_QUARANTINED, /* refused, and kept */
    OUTBOX_NOT_KEPT,    /* refused, not accepted before, not kept */
    OUTBOX_UNAVAILABLE, /* not stored, for `reason` */
};

struct outbox_result {
    enum outbox_verdict verdict;
    bool id_reused;          /* accepted, but another event has this id */
    int64_t processed_at_us; /* the first one's, for a duplicate */
    const char *reason;      /* constant text: "store full", "store failing", ... */
};

struct outbox_job;

/** All events of one request (at least one), to be committed together. */
struct outbox_request {
    const struct outbox_event *events;
    size_t count;
    struct waker waker; /* woken when outbox_results() has something */
};

/**
 * Queue them. The caller holds one reference to `*job` and ends it with outbox_job_release() at any
 * time. ERR_UNAVAILABLE with "store queue full", "store failing" or "draining": nothing was
 * queued.
 */
NODISCARD bool outbox_submit(struct outbox *outbox, const struct outbox_request *request,
                             struct outbox_job **job, struct error *err);

/**
 * One result for each event and each further record, in order, valid until the job is released;
 * NULL: not decided yet.
 */
const struct outbox_result *outbox_results(const struct outbox_job *job);

/**
 * The caller does not wait any longer. Without a store the job is decided now: events that some
 * sink does not have are OUTBOX_UNAVAILABLE, "deadline". With a store this does nothing.
 */
void outbox_give_up(struct outbox_job *job);

/** Give up and end the reference. NULL is allowed. The type fits arena_own(). */
void outbox_job_release(void *job);

/**
 * Why events are not accepted now, or NULL; for /readyz. "full", "failing", or "stalled": a commit
 * has been under way for longer than `stall_us`.
 */
const char *outbox_trouble(const struct outbox *outbox);

/* An operator's orders. Each returns when it is durable. */

/**
 * Forget a sink that is not configured any more, with its backlog. ERR_INVALID: it is configured;
 * ERR_NOT_FOUND.
 */
NODISCARD bool outbox_drop_sink(struct outbox *outbox, const char *name, struct error *err);

/**
 * Pause a sink, or end its pause: while it is paused it gets no records, and they wait. A restart
 * does not end the pause. ERR_NOT_FOUND.
 */
NODISCARD bool outbox_pause_sink(struct outbox *outbox, const char *name, bool paused,
                                 struct error *err);

/**
 * The process is about to end: outbox_drop_sink() returns ERR_UNAVAILABLE between two portions. The
 * order can be repeated.
 */
void outbox_hurry(struct outbox *outbox);

/** Records that a sink gets again. Zeroes where the caller does not say more. */
struct outbox_replay {
    const char *sink;
    int64_t from_us;    /* accepted at or after, */
    int64_t until_us;   /* and before this time of day */
    const char *routes; /* a JSON array of names: records of these routes, */
    bool only_routes;   /* false: and all that the sink got before */
    bool dry_run;       /* count only */
    /* Zeroes at first, updated by each call: */
    int64_t position; /* so far */
    int64_t end;
    int64_t count; /* records of this portion */
    bool done;     /* it was the last portion */
    bool waits;    /* nothing was done: too much waits for the sinks already */
};

/**
 * A portion of a replay: records of the history become pending for the sink again. Call it until it
 * is done. ERR_NOT_FOUND: no configured sink has the name.
 */
NODISCARD bool outbox_replay(struct outbox *outbox, struct outbox_replay *replay,
                             struct error *err);

/**
 * Set aside as dead a record that a sink waits for: its first one behind the cursor, or one of its
 * retries. `sink` NULL: the one sink that waits for it. ERR_NOT_FOUND: none does; ERR_INVALID:
 * several do.
 */
NODISCARD bool outbox_set_aside(struct outbox *outbox, const char *sink, int64_t seq,
                                struct error *err);

/** Deliver a dead record again: row `id` of outbox_view_dead(). ERR_NOT_FOUND. */
NODISCARD bool outbox_revive(struct outbox *outbox, int64_t id, struct error *err);

/**
 * Discard refused events by the ids of their rows (struct outbox_refused), in one transaction;
 * `*gone`: how many were there.
 */
NODISCARD bool outbox_discard_refused(struct outbox *outbox, const int64_t *ids, size_t count,
                                      size_t *gone, struct error *err);

/** The same for dead records, which count as dropped. */
NODISCARD bool outbox_discard_dead(struct outbox *outbox, const int64_t *ids, size_t count,
                                   size_t *gone, struct error *err);

/* Numbers. */

enum { OUTBOX_BUCKETS = 16 };

/** Counts by upper bound; the last bucket has none. */
struct outbox_histogram {
    uint64_t counts[OUTBOX_BUCKETS];
    uint64_t sum; /* of the values counted */
};

/** Upper bounds of `commit_us` (microseconds) and `batch_events`; the last is INT64_MAX. */
extern const int64_t outbox_commit_bounds_us[OUTBOX_BUCKETS];
extern const int64_t outbox_batch_bounds[OUTBOX_BUCKETS];

/**
 * Each is counted by itself. enqueued = delivered + pending + dead + dropped, unless there is a
 * fault; pending and dead are compared with the rows and corrected.
 */
struct outbox_sink_counters {
    char name[OUTBOX_NAME_SIZE];
    bool configured; /* false: removed, its backlog still kept */
    bool paused;     /* by an operator */
    int64_t enqueued;
    int64_t delivered;
    int64_t pending;
    int64_t dead;
    int64_t dropped;
    int64_t blocked_seq; /* the failed record that an ordered sink waits for; 0: none, */
    char blocked_key[OUTBOX_KEY_SIZE]; /* and the beginning of its key; set by view.h only */
    int64_t oldest_us;     /* when its oldest pending record was accepted; 0: none is known */
    int64_t oldest_age_us; /* and how long ago that is, even if the clock was set since */
};

/** All of one moment: after the last transaction. */
struct outbox_counters {
    int64_t accepted;
    int64_t duplicates;
    int64_t ids_reused; /* accepted with the id of another event */
    int64_t bytes;      /* waiting for sinks, write-ahead log included */
    int64_t max_bytes;
    int64_t dead_bytes;        /* of records that only dead rows need */
    int64_t history_bytes;     /* of records that only the history needs */
    int64_t corrections;       /* counters that differed from their rows and were corrected */
    int64_t seen;              /* events remembered for duplicates */
    int64_t refused_rows;      /* in quarantine now */
    int64_t refused_bytes;     /* and their size */
    int64_t refused_open;      /* those that were not accepted later */
    int64_t refused_evicted;   /* deleted: too old or too many */
    int64_t refused_too_large; /* larger than the quarantine, so never kept */
    size_t outcome_count;
    struct {
        char outcome[OUTBOX_NAME_SIZE];
        int64_t count;
    } quarantined[OUTBOX_OUTCOMES_MAX];
    size_t sink_count;
    struct outbox_sink_counters sinks[OUTBOX_SINKS_MAX];
    struct outbox_histogram commit_us;    /* how long transactions took, since the start */
    struct outbox_histogram batch_events; /* how many events were in each */
};

void outbox_counters(struct outbox *outbox, struct outbox_counters *out);
