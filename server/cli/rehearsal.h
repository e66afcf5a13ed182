/*
 * rehearsal.h - plays a bus of EventBridge: many calls at a time, retries, and a dead-letter queue.
 *
 * Threads: the caller's, and one for each call at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "server/cli/progress.h"
#include "server/cli/sender.h"

enum { REHEARSAL_TRIES_MAX = 186, REHEARSAL_STATUS_MAX = 600 };

struct rehearsal_options {
    struct sender_options sender;
    double speed; /* pauses between tries are so many times shorter */
    double rate;  /* calls a second, at most */
    FILE *dlq;    /* borrowed; NULL: none */
};

struct rehearsal_result {
    uint64_t delivered;
    uint64_t dead;
    uint64_t left; /* the rehearsal was stopped */
    uint64_t calls;
    uint64_t at_try[REHEARSAL_TRIES_MAX + 1]; /* delivered at this try, from 1 */
    uint64_t statuses[REHEARSAL_STATUS_MAX];  /* answers; 0: none came */
    int64_t p50_us;                           /* of the calls */
    int64_t p99_us;
};

struct rehearsal;

/** `options` must outlive it. The caller owns it. */
struct rehearsal *rehearsal_create(const struct rehearsal_options *options);

/** NULL is fine. */
void rehearsal_destroy(struct rehearsal *rehearsal);

/** Add the body of a call; copied. */
void rehearsal_add(struct rehearsal *rehearsal, struct str body);

/** Make all calls, with a progress bar, or those until interrupt_came(). ERR_SYSTEM: no thread can
 * be started. */
NODISCARD bool rehearsal_run(struct rehearsal *rehearsal, struct rehearsal_result *out,
                             struct error *err);
