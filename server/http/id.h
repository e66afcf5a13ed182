/*
 * id.h - names for requests that came without one: UUIDs, version 4.
 *
 * Threads: a source belongs to one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { HTTP_UUID_LEN = 36 };

/* Random bytes fetched for several ids at once. Begins as zeroes. */
struct http_id_source {
    uint8_t bytes[256];
    size_t left; /* the last ones of `bytes` are unused yet */
};

/** Write a new UUID in lower case and a NUL. */
void http_id_create(struct http_id_source *source, char text[static HTTP_UUID_LEN + 1]);
