/*
 * ids.h - what a request is called: its id (X-Request-Id, or a new UUID) and its trace id.
 *
 * Threads: a source belongs to one thread; the rest are pure functions. Slices stay the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    HTTP_ID_MAX = 128, /* bytes of a request id */
    HTTP_UUID_LEN = 36,
    HTTP_TRACEPARENT_LEN = 55, /* of version 00 */
};

/* Random bytes, fetched for several ids at once. Begins as zeroes. */
struct http_id_source {
    uint8_t bytes[256];
    size_t left; /* the last ones of `bytes` are unused */
};

/** Write a new UUID (version 4) in lower case and a NUL. */
void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1]);

/** Is it a request id that may be answered and logged: [A-Za-z0-9._-]{1,128}? */
bool http_id_is_valid(struct str id);

/** Is it a W3C `traceparent` that may be passed on as it is? */
bool http_id_is_traceparent(struct str text);

/**
 * The trace id of a W3C `traceparent`, else the root of an `X-Amzn-Trace-Id`; ptr NULL: neither is
 * well-formed.
 */
struct str http_id_of_trace(struct str traceparent, struct str amzn_trace_id);
