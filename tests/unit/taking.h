/*
 * taking.h - takes records from backlogs for a test, one batch of each backlog at a time.
 *
 * Threads: as a backlog.
 */
#pragma once

#include "delivery/outbox/backlog.h"

struct backlog *taking_open(struct outbox *outbox, const char *sink, enum backlog_order order);

/** Give the last batch back if it was not settled, and take one. Returns how many records. */
size_t taking_next(struct backlog *backlog, const struct backlog_bounds *bounds,
                   const struct backlog_record **records);

/** Settle the first `count` records of the batch; the rest is given back. Waits for the commit. */
bool taking_settle(struct backlog *backlog, const struct backlog_result *results, size_t count);

/** The lane of the last batch. */
enum backlog_lane taking_lane(struct backlog *backlog);

/** NULL is allowed. */
void taking_close(struct backlog *backlog);
