/*
 * ids.h - what a request is called: its id (X-Request-Id, or a new UUID).
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
};

/* Random bytes, fetched for several ids at once. Begins as zeroes. */
struct http_id_source {
    uint8_t bytes[256];
    size_t left; /* the last ones of `bytes` are unused */
};

/** A random number. */
uint64_t http_id_random(struct http_id_source *source);

/** Write a new UUID (version 4) in lower case and a NUL. */
void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1]);

/** Is it a request id that may be answered and logged: [A-Za-z0-9._-]{1,128}? */
bool http_id_is_valid(struct str id);
