/*
 * taking.h - takes records from backlogs for a test, one batch of each backlog at a time.
 *
 * Threads: as a backlog.
 */
#pragma once

#include "delivery/outbox/backlog.h"
#include "tests/unit/store.h"

enum { TAKING_MOST = 64 };

struct backlog *taking_open(struct outbox *outbox, const char *sink, enum backlog_order order);

struct backlog *taking_from(struct store *store, const char *sink, bool ordered);

/** Give the last batch back if it was not settled, and take one. Returns how many records. */
size_t taking_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                   const struct backlog_record **records);

/** The same with at most `most` records, of any lane. */
size_t taking_some(struct backlog *backlog, size_t most, const struct backlog_record **records);

/** Settle the first `count` records of the batch; the rest is given back. Waits for the commit. */
bool taking_settle(struct backlog *backlog, const struct backlog_result *results, size_t count);

/** Settle the first `count` records of the batch, at most TAKING_MOST, all alike. */
void taking_settle_alike(struct backlog *backlog, const struct backlog_record *records,
                         size_t count, enum backlog_verdict verdict, int64_t next_at_us);

/** Deliver all that is due, and CHECK that it is in order. Returns how many records that were. */
size_t taking_deliver_all(struct backlog *backlog);

/** The lane of the last batch. */
enum backlog_lane taking_lane(struct backlog *backlog);

/** NULL is allowed. */
void taking_close(struct backlog *backlog);
