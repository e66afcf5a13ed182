/*
 * totals.h - what became of a route's events, from the server's state (metrics_write_state()).
 *
 * Threads: any; a json_object belongs to one thread.
 */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "handlers/status.h"

struct totals {
    int64_t accepted;
    int64_t refused; /* for good: 400 */
    int64_t failed;  /* 5xx */
};

/** The sums over the outcomes of `route`, a member of the state's "routes"; NULL: zeroes. */
struct totals totals_of(enum status_map map, struct json_object *route);
