/*
 * outbox_internal.h - what the outbox*.c files share; nobody else includes it.
 *
 * Who may touch what: `db`, `tally`, `before`, `recent` and `upkeep` belong to the committer
 * (before the start and after the end, to whoever creates and destroys). What stands below `mutex`
 * is shared under it. Texts and options are read-only after the creation. Without a file
 * (memory.c) there is no committer: everything that changes is shared under `mutex`.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/waker.h"
#include "delivery/outbox/backlog.h"
#include "delivery/outbox/clock.h"
#include "delivery/outbox/db.h"
#include "delivery/outbox/outbox.h"
#include "delivery/outbox/place.h"
#include "delivery/outbox/recent.h"
#include "delivery/outbox/space.h"
#include "delivery/outbox/tally.h"

/** Name of the row in `state` that says when the store was last in use. */
#define OUTBOX_CLOCK_STATE "clock_us"

enum { OUTBOX_IDENTITY_SIZE = RECENT_IDENTITY_SIZE };

/** One piece of work for the committer, first member of its owner's struct. */
struct outbox_work {
    struct outbox_work *next;
    size_t events; /* that it holds, for the bounds of queue and batch; 0: a task */
    size_t bytes;
    bool is_refusal; /* all of it is for the quarantine */

    /** In the batch's transaction. False: it fails as a whole; outbox_db_fail() tells why. */
    bool (*apply)(struct outbox *outbox, struct outbox_work *work);

    /** What can be told without writing, once the disk was full for the batch. NULL: nothing. */
    bool (*recall)(struct outbox *outbox, struct outbox_work *work);

    /** The batch is durable, or (`failure` not NULL, constant text) all of it came to nothing. */
    void (*finish)(struct outbox *outbox, struct outbox_work *work, const char *failure);
};

/** An event inside a job: hashes instead of what they were made from, texts in the job's block. */
struct outbox_item {
    uint8_t identity[OUTBOX_IDENTITY_SIZE]; /* of its id and its own bytes, which hold its
                                               replay-name */
    int64_t id_hash;
    int64_t time_us;
    int64_t processed_at_us;
    bool is_replay;
    bool is_registry_kind;
    bool is_not_kept;
    bool reused;         /* another event came before with its id */
    bool decided;        /* in memory: its result is final */
    size_t open;         /* in memory: ways of it that have not ended */
    const char *outcome; /* NULL: accepted */
    struct str id;
    struct str registry;
    struct str schema;
    struct str version;
    struct str body; /* the record, or of a refused event its own bytes */
    struct str details;
    struct str units;
    struct str rule;
};

enum outbox_stage { OUTBOX_STAGE_WAITING, OUTBOX_STAGE_UNDERWAY, OUTBOX_STAGE_ENDED };

/** In memory: one record's way to one sink. */
struct outbox_way {
    enum outbox_stage stage;
    bool is_suspect; /* it failed: nothing else is to fail with it */
    int64_t attempts;
    int64_t next_at_us; /* time of day */
};

struct outbox_job {
    struct outbox_work work;
    atomic_int references;
    atomic_bool decided;
    struct waker waker;
    size_t count;
    struct outbox_item *items;     /* [count], in the job's one block of memory, */
    struct outbox_result *results; /* as these are, */
    struct outbox_way *ways;       /* and these, in memory: a sink each for every item */

    /* In memory, under the outbox's mutex: */
    struct outbox *outbox; /* NULL: it is not in memory */
    int64_t first_seq;     /* of its first item; the others follow */
    int64_t accepted_us;
    size_t undecided;           /* items whose result is still open */
    size_t open;                /* ways that have not ended */
    bool given_up;              /* nobody waits for it any more */
    struct outbox_job *to_wake; /* the next of those that were decided together */
};

/** What a backlog has handed out of a memory: an item of a job. */
struct outbox_spot {
    struct outbox_job *job;
    size_t index;
};

struct backlog {
    struct outbox *outbox;
    struct outbox_db db; /* closed when the outbox is in memory */
    char sink[OUTBOX_NAME_SIZE];
    bool ordered;

    struct arena *arena; /* of the last records */
    struct backlog_record *records;
    struct outbox_spot *spots; /* in memory: where they are */
    size_t count;
    bool retried;         /* they came from retry rows */
    bool retried_before;  /* so that new records get their turn */
    int64_t retry_due_us; /* time of day of the next retry; INT64_MAX: none */

    uint64_t round; /* the outbox's, when the last look began */
    bool woken;     /* under the outbox's mutex */
};

/** Work that its caller waits for. */
struct outbox_task {
    struct outbox_work work;
    bool (*run)(struct outbox *outbox, void *arg, struct error *err);
    void *arg;
    bool done;    /* under the mutex */
    bool refused; /* run() said no for a reason of its own; `err` has it */
    struct error err;
};

/** When maintenance has to look again (clock_monotonic_us()). */
struct outbox_upkeep {
    bool pending;          /* there may be something to do at once */
    bool log_wanted;       /* a checkpoint, once nothing comes, however short the log */
    int64_t tick_us;       /* when to look what has become too old */
    int64_t log_us;        /* not before this another checkpoint between batches */
    int64_t log_bytes;     /* so long the log may grow before one; 0: not yet known */
    int64_t clock_us;      /* when to write down the time again */
    int64_t probe_us;      /* when to look whether a full store has room again */
    int64_t held_since_us; /* since when a reader holds part of the log; 0: none does */
    int64_t held_log_us;   /* when to name it again; 0: it was not named yet */
    int64_t reset_us;      /* not before this another wait for readers to leave the log */
    int64_t recount_us;    /* when to begin counting all rows again */
};

enum { OUTBOX_NOTICES = 3 }; /* kinds of them */

/** How often something was given up, and when that may be logged again. */
struct outbox_notice {
    int64_t logged;
    int64_t next_us; /* clock_monotonic_us() */
};

/** A sink's oldest pending record. */
struct outbox_oldest {
    int64_t accepted_us; /* time of day; 0: none */
    int64_t since_us;    /* the same by clock_monotonic_us(), as it was when this was noted */
};

struct outbox {
    struct outbox_options options; /* its pointers are its own copies */
    struct outbox_place place;
    struct outbox_space space;
    char store_id[OUTBOX_NAME_SIZE];

    struct outbox_db db;
    struct tally tally;  /* with what the batch under way has changed */
    struct tally before; /* without */
    struct outbox_recent recent;
    struct outbox_upkeep upkeep;
    struct outbox_notice notices[OUTBOX_NOTICES];
    struct outbox_clock clock;
    int64_t now_us;      /* time of day of the batch under way */
    int64_t believed_us; /* the same, as far as it is believed: for what is kept so long */
    bool may_forget;     /* in the batch under way, what is too old */
    bool disk_full; /* something did not fit on the disk, and nothing has shown yet that it does */
    bool turned_away;      /* in the batch under way something did not fit in */
    int64_t full_since_us; /* clock_monotonic_us() */
    bool woken;            /* the batch under way has news for backlogs beside new records */

    pthread_mutex_t mutex;
    pthread_cond_t work; /* for the committer: something was queued, or it is to end */
    pthread_cond_t news; /* for all others: a batch is durable */
    struct outbox_work *first;
    struct outbox_work **last;
    size_t queued_events;
    size_t queued_bytes;
    size_t queued_refusals; /* those of queued_events that are for the quarantine */
    bool running;
    bool stopping;
    bool failing;   /* the disk let us down; until the store is open again nothing is queued */
    bool doubted;   /* a reader finds no database where the store was */
    uint64_t round; /* grows with whatever backlog_next() may be interested in */
    struct tally published; /* as of the last durable batch */
    int64_t published_log_bytes;
    struct outbox_oldest oldest[OUTBOX_SINKS_MAX]; /* by index into published.sinks */
    int64_t published_max_bytes;
    struct outbox_work *start[OUTBOX_SINKS_MAX]; /* in memory, likewise: nothing before it waits */
    struct outbox_histogram commit_us;
    struct outbox_histogram batch_events;

    atomic_int trouble;                 /* enum outbox_trouble_kind */
    atomic_int_least64_t busy_since_us; /* the committer has been at the disk; 0: it is not */
    bool stall_logged;                  /* under the mutex */
    atomic_bool hurried;
    pthread_t committer;
};

enum outbox_trouble_kind { OUTBOX_FINE, OUTBOX_FULL, OUTBOX_FAILING };

/* outbox.c: a store's life. */

/** The random name that the open store was given when it was made. */
NODISCARD bool outbox_read_id(struct outbox *outbox, char out[static OUTBOX_NAME_SIZE]);

/** The mutex is held. The oldest record that this sink has pending; 0: it has none. */
void outbox_note_oldest(struct outbox *outbox, size_t sink, int64_t accepted_us);

static inline bool outbox_is_in_memory(const struct outbox *outbox)
{
    return *outbox->options.path == '\0';
}

/* job.c: a job's two owners. */

/** Everybody may read the results. The waker is the caller's affair. */
void outbox_job_decide(struct outbox_job *job);

/** Give a reference back, whoever's it is. */
void outbox_job_unref(struct outbox_job *job);

/* memory.c: an outbox without a file. */

/** Make it ready, with the sinks of the options. ERR_CONFIG: too many. */
NODISCARD bool outbox_memory_open(struct outbox *outbox, struct error *err);

/** As outbox_enqueue(): the job's records wait for all sinks. */
NODISCARD bool outbox_memory_take(struct outbox *outbox, struct outbox_job *job, struct error *err);

/** Nobody waits for the job: decide it, and let go of what is not under way. */
void outbox_memory_give_up(struct outbox *outbox, struct outbox_job *job);

/** The same of all jobs, and tell those who wait. */
void outbox_memory_stop(struct outbox *outbox);

/** backlog_next(), backlog_settle() and backlog_close() of a backlog in memory. */
void outbox_memory_next(struct backlog *backlog, const struct backlog_bounds *bounds);
void outbox_memory_settle(struct backlog *backlog, const struct backlog_result *results,
                          size_t count);
void outbox_memory_close(struct backlog *backlog);

/* committer.c: the thread and its queue. */

/** The mutex is held. Why the work cannot be queued (constant text), or NULL. */
const char *outbox_why_not(const struct outbox *outbox, const struct outbox_work *work);

/** The mutex is held. Append it. */
void outbox_push(struct outbox *outbox, struct outbox_work *work);

/** Queue it, when there is room and the committer runs; else ERR_UNAVAILABLE. */
NODISCARD bool outbox_enqueue(struct outbox *outbox, struct outbox_work *work, struct error *err);

/** Has the disk not answered the committer for too long? */
bool outbox_is_stalled(const struct outbox *outbox);

/** A reader finds no database where the store was: it is to be opened again. */
void outbox_doubt(struct outbox *outbox);

/**
 * Run `run(outbox, arg, err)` in a transaction and wait until that is durable. When it returns
 * false it must have changed nothing. Not in the committer's own thread.
 */
NODISCARD bool outbox_do(struct outbox *outbox,
                         bool (*run)(struct outbox *outbox, void *arg, struct error *err),
                         void *arg, struct error *err);

/* batch.c: one transaction. */

/**
 * Commit these, up to the end of the list, and finish each. False: the disk let us down, and the
 * store must be opened again. (A disk that is full is no reason for that.)
 */
NODISCARD bool outbox_batch(struct outbox *outbox, struct outbox_work *list, struct error *err);

enum outbox_end {
    OUTBOX_DURABLE,
    OUTBOX_DISK_FULL, /* nothing changed; the store is as good as before */
    OUTBOX_BROKEN_OFF /* nothing is known to have changed; the store must be opened again */
};

/**
 * Run `apply` in a transaction, make it durable with what it changed in the tally, and publish
 * that. Sets `err` unless it became durable.
 */
enum outbox_end outbox_transact(struct outbox *outbox, bool (*apply)(struct outbox *, void *),
                                void *arg, struct error *err);

/* room.c: is there room? */

/** Would `more` bytes of a record be too many? */
bool outbox_is_full(const struct outbox *outbox, size_t more);

/**
 * Is there room for `more` bytes of a refused event, on the volume, of which it may use a part of
 * the reserve, or in free pages?
 */
bool outbox_can_keep(const struct outbox *outbox, size_t more);

/** How many bytes of events one transaction may hold. */
size_t outbox_batch_bytes(const struct outbox *outbox);

/**
 * Is it time to move the log, so that the database's file grows? As much as the ballast gives room
 * for is in no need of room on the volume.
 */
bool outbox_has_grown(const struct outbox *outbox);

/** How long the log may become before it is moved in any case. */
int64_t outbox_longest_log(const struct outbox *outbox);

/** Look at the volume; set and publish whether events are taken. */
void outbox_judge_room(struct outbox *outbox);

/** Something did not fit on the disk. True: now the ballast is gone, and it may fit. */
bool outbox_note_full_disk(struct outbox *outbox);

/** Make the ballast if it is not there. False: there is no room for it. */
bool outbox_make_ballast(struct outbox *outbox);

/** The store is full: is it still? False: as for outbox_batch(). */
NODISCARD bool outbox_try_room(struct outbox *outbox, struct error *err);

/* accept.c: what becomes of an event. */

/** An event that cannot be stored on a full disk: was it accepted before? */
NODISCARD bool outbox_recall(struct outbox *outbox, const struct outbox_item *item,
                             struct outbox_result *result);

/** A duplicate, accepted, or refused. */
NODISCARD bool outbox_take(struct outbox *outbox, struct outbox_item *item,
                           struct outbox_result *result);

enum {
    OUTBOX_RECORD_KEY_SIZE = OUTBOX_ID_MAX + 1 + 16 + 1
}; /* id, colon, half of the identity's hash */

/**
 * The key under which sinks may recognise a record that is delivered twice: the event's id; with a
 * part of the hash where another event came before with that id; made up where there is none.
 */
struct str outbox_make_key(const struct outbox *outbox, const struct outbox_item *item, int64_t seq,
                           char text[static OUTBOX_RECORD_KEY_SIZE]);

/* dedup.c: who came before. */

enum outbox_seen { OUTBOX_NEW, OUTBOX_SEEN, OUTBOX_ID_REUSED, OUTBOX_SEEN_BROKEN };

/** Was it accepted before? OUTBOX_SEEN sets `*processed_us`. */
enum outbox_seen outbox_seen_find(struct outbox *outbox, const struct outbox_item *item,
                                  int64_t *processed_us);

/** Remember it. */
NODISCARD bool outbox_seen_add(struct outbox *outbox, const struct outbox_item *item);

/** Take at most `rows` of those that came last over into the big table. */
NODISCARD bool outbox_seen_move(struct outbox *outbox, size_t rows);

/** Forget at most `rows` of what is too old or too much; `*done` when there is no more of it. */
NODISCARD bool outbox_seen_prune(struct outbox *outbox, int64_t rows, bool *done);

/* quarantine.c: refused events. */
NODISCARD bool outbox_refuse(struct outbox *outbox, const struct outbox_item *item,
                             struct outbox_result *result);

/** The event was accepted after all. */
NODISCARD bool outbox_resolve(struct outbox *outbox, const struct outbox_item *item);

/** Let at most `rows` of what is too old or too much go. */
NODISCARD bool outbox_refused_prune(struct outbox *outbox, int64_t rows, bool *done);

/* sinks.c: which sinks there are, and what each has left. */

/** Bring the sinks' rows in line with the configuration; in a transaction. ERR_CONFIG: too many. */
NODISCARD bool outbox_sinks_configure(struct outbox *outbox, struct error *err);

/** Put at most `rows` records of removed sinks into retry rows. */
NODISCARD bool outbox_removed_move(struct outbox *outbox, int64_t rows, bool *done);

/* records.c: one copy of each record, and who needs it. */

/** A sink will not take a record. */
struct outbox_death {
    int64_t seq;
    int64_t attempts;
    struct str reason;
};

/** Delete a sink's retry row; `*gone`: it was there. */
NODISCARD bool outbox_retry_delete(struct outbox *outbox, struct tally_sink *sink, int64_t seq,
                                   bool *gone);

/** Its retry row, if there is one, becomes a dead row. */
NODISCARD bool outbox_retry_to_dead(struct outbox *outbox, struct tally_sink *sink,
                                    const struct outbox_death *death);

/** A dead row for a record that lies behind the sink's cursor so far. */
NODISCARD bool outbox_dead_add(struct outbox *outbox, struct tally_sink *sink,
                               const struct outbox_death *death);

/** Delete a dead row. `sink` may be NULL: the store does not know it. */
NODISCARD bool outbox_dead_delete(struct outbox *outbox, struct tally_sink *sink, int64_t id,
                                  int64_t seq);

/** A dead row becomes a retry row that is due. */
NODISCARD bool outbox_dead_to_retry(struct outbox *outbox, struct tally_sink *sink, int64_t id,
                                    int64_t seq);

/** Delete at most `rows` records that nothing needs any more. */
NODISCARD bool outbox_records_prune(struct outbox *outbox, int64_t rows, bool *done);

/** Do they take more than they may? */
bool outbox_dead_is_too_much(const struct outbox *outbox);

/** Drop at most `rows` dead records that are too much. */
NODISCARD bool outbox_dead_prune(struct outbox *outbox, int64_t rows, bool *done);

/** The end of a range of records in (first, last] that a recount has counted wholly or not at all.
 */
int64_t outbox_range_end(const struct outbox *outbox, int64_t first, int64_t last);

/* recount.c: do the counters say what the rows say? */

/** Begin to count all rows. */
void outbox_recount_begin(struct outbox *outbox);

/** Has it begun and not come to its end? */
bool outbox_recount_is_on(const struct outbox *outbox);

/** Count at most `rows` more; at the end, correct what differs and log it. */
NODISCARD bool outbox_recount(struct outbox *outbox, int64_t rows);

/* What changes in `seen` meanwhile: before rows are added there, after that, and after the deletion
 * of `rows` rows from bucket `from` on and before `end`. */
void outbox_recount_watch_seen(struct outbox *outbox);
void outbox_recount_add_seen(struct outbox *outbox);
void outbox_recount_delete_seen(struct outbox *outbox, int64_t from, const struct recent_event *end,
                                int64_t rows);

/* notices.c: what is given up by the store's bounds, in the log. */

/** What was given up before the start is not news. */
void outbox_notices_begin(struct outbox *outbox);

/** After a transaction: log what is new, at most once a minute. */
void outbox_notices_log(struct outbox *outbox);

/* upkeep.c: maintenance. */

/** A bounded part of it, in the transaction of a batch of `events`. */
NODISCARD bool outbox_upkeep_in_batch(struct outbox *outbox, size_t events);

/** A bounded part of it, between batches. False: as for outbox_batch(). */
NODISCARD bool outbox_upkeep_idle(struct outbox *outbox, struct error *err);

/** After a batch: a checkpoint, when the log has grown too long. False: as for outbox_batch(). */
NODISCARD bool outbox_upkeep_log(struct outbox *outbox, struct error *err);

/** Nothing to do before this (clock_monotonic_us()); the committer may sleep until then. */
int64_t outbox_upkeep_next_us(const struct outbox *outbox);
