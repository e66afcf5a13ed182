/*
 * status.h - the table from the outcome of an event to its HTTP status.
 *
 * EventBridge retries after 5xx and gives up after 400, so the table decides whether an event comes
 * again (AWS: "EventBridge API destinations", retry behaviour). `status_map` selects one of two
 * tables.
 *
 * Threads: constant data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum status_map {
    STATUS_MAP_TUTORIAL,    /* 400 also for most registry failures */
    STATUS_MAP_EVENTBRIDGE, /* 400 only if the event is at fault; 503 for registry failures */
};

/** In the order of the documented table. */
enum condition {
    CONDITION_VALID,
    CONDITION_DUPLICATE,
    CONDITION_DROPPED, /* by its route or its transform: nothing is stored */
    CONDITION_MALFORMED,
    CONDITION_UNROUTED,
    CONDITION_SCHEMA_INVALID,
    CONDITION_TOO_EXPENSIVE,
    CONDITION_TRANSFORM_FAILED,
    CONDITION_SCHEMA_NOT_FOUND,
    CONDITION_REGISTRY_DENIED,
    CONDITION_REGISTRY_UNREACHABLE,
    CONDITION_SCHEMA_UNUSABLE,
    CONDITION_REGISTRY_UNAVAILABLE,
    CONDITION_INTERNAL,
    CONDITION_UNAVAILABLE,
    CONDITION_COUNT,
};

struct status_row {
    const char *condition; /* its name, also the outcome in log and metrics */
    const char *error;     /* NULL: accepted, the body is the record */
    int status;
    bool retry_after; /* the answer has a Retry-After */
};

/** The name of the map in the configuration. */
const char *status_map_name(enum status_map map);

/** The row in force for `condition`. */
const struct status_row *status_row(enum status_map map, enum condition condition);

/**
 * The condition of an event that a step refuses with an error of this code. `refusal` is what
 * ERR_INVALID and ERR_NOT_FOUND mean in that step.
 */
enum condition status_of_step(enum err_code code, enum condition refusal);

/** The condition of an event whose schema cannot be had, by the code of the registry's error. */
enum condition status_of_registry(enum err_code code);

/** The name of the outcome in logs, metrics and the store. */
const char *status_name(enum condition condition);

/** Is it the name of an outcome? */
bool status_has_name(struct str name);

/** May a later attempt succeed? (5xx) */
static inline bool status_is_retryable(const struct status_row *row)
{
    return row->status >= 500;
}

/** Add the table as JSON: `{"status_map":...,"rows":[...]}`. */
void status_write_map(struct buf *out, enum status_map map);
