/*
 * record_origin.h - where a record comes from, as one text that is kept with the record.
 *
 * Threads: any.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/** Each is empty if there is none. */
struct record_origin {
    struct str request_id;  /* of the request that brought the event: no space in it */
    struct str traceparent; /* of the request (base/tracing/context.h): no space in it */
    struct str event_id;    /* any text */
};

/** The text, in the arena; ptr NULL: nothing is known. */
struct str record_origin_write(struct arena *arena, const struct record_origin *origin);

/** The parts of what record_origin_write() returned, as slices of `text`; all empty for an empty
 * text. */
struct record_origin record_origin_read(struct str text);
