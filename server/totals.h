/*
 * totals.h - what became of a route's events: the sums over their outcomes.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "handlers/status.h"

struct totals {
    int64_t accepted;
    int64_t refused; /* for good: 400 */
    int64_t failed;  /* 5xx */
};

/** Add `count` events with this outcome. */
void totals_add(struct totals *totals, enum status_map map, enum condition condition,
                int64_t count);
