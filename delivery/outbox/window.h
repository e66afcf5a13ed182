/*
 * window.h - the new records of a sink that were taken and that its cursor has not passed.
 *
 * Batches are settled in any order, but a cursor can pass a record only when all before it are
 * decided. So a decision waits here until the records before it are decided as well. A record that
 * was given back waits to be taken again.
 *
 * Threads: a window belongs to the thread of its backlog.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/outbox/backlog.h"

/** What becomes of a record in the store. */
struct change {
    int64_t seq;
    int64_t attempts; /* failed ones before */
    int64_t next_at_us;
    uint64_t order_hash; /* as the record's */
    char *reason;        /* NULL: none */
    struct str said;     /* likewise; of a record that is set aside */
    enum backlog_lane lane;
    enum backlog_verdict verdict; /* UNTRIED: the record is gone */
};

/** Changes in the order in which they are made; each owns its texts. */
struct change_list {
    struct change *items;
    size_t count;
    size_t capacity;
};

/** What `result` means for `record`; the reason is copied. */
struct change change_make(const struct backlog_record *record, enum backlog_lane lane,
                          const struct backlog_result *result);

/** Keep with a DEAD change what the target answered; copied. */
void change_keep_words(struct change *change, struct str said);

void change_list_add(struct change_list *list, struct change change);

/** Move at most `most` changes from the front of `from` to the end of `to`. */
void change_list_move(struct change_list *from, struct change_list *to, size_t most);

/** Free the changes; the list is empty then. */
void change_list_clear(struct change_list *list);

/** Free it. */
void change_list_done(struct change_list *list);

struct window_entry {
    struct change change; /* until it is decided only the sequence and the hash */
    enum { WINDOW_WAITING, WINDOW_UNDER_WAY, WINDOW_DECIDED } state;
    unsigned tries; /* how often it was delivered and then given back */
};

/** Begins as zeroes, except for `keeps_waiting`. */
struct window {
    struct window_entry *entries; /* in sequence, from `first` to before `end` */
    size_t first;
    size_t end;
    size_t capacity;
    size_t decided;     /* entries in that state */
    size_t waiting;     /* likewise; */
    size_t earliest;    /* none before this one */
    int64_t taken;      /* all records up to here were taken */
    bool keeps_waiting; /* else records at the end that wait leave it, and are read again */
};

void window_done(struct window *window);

/** How many records are in it. */
size_t window_count(const struct window *window);

/** Another thread moved the cursor up to `cursor`: records up to it are not waiting any more. */
void window_pass(struct window *window, int64_t cursor);

/** A record behind all others is under way. */
void window_add(struct window *window, int64_t seq, uint64_t order_hash);

/** The next record that waits, after `after`; NULL: there is none. */
struct window_entry *window_next_waiting(struct window *window, int64_t after);

/** A record that waited is under way again. */
void window_take(struct window *window, struct window_entry *entry);

/** A record was under way: it waits. `was_tried`: it was delivered, and did not arrive. */
void window_give_back(struct window *window, int64_t seq, bool was_tried);

/**
 * The first record, if it waits, was tried more than once, and keeps decided ones from leaving the
 * window; else NULL.
 */
struct window_entry *window_obstacle(struct window *window);

/** A record was under way or waited: it is decided. The window owns the reason from now on. */
void window_decide(struct window *window, struct change change);

/** Move to `changes` what is decided before all that is not. */
void window_shift(struct window *window, struct change_list *changes);

/** Records at the end that wait leave the window. */
void window_drop_end(struct window *window);
