/*
 * trim.h - give memory back to the system after large requests.
 *
 * The allocator keeps what a large body's tree took. Giving it back waits a little, so that a
 * series of large bodies does not pay for it each time.
 *
 * Threads: it belongs to its loop's thread.
 */
#pragma once

#include <stdint.h>

enum {
    HTTP_HEAVY_BODY = 8 * 1024, /* bytes; a body from here on may have left much memory behind */
};

/* Begins as zeroes. */
struct http_trim {
    int64_t heavy_us; /* when a request took much memory that is not given back yet; 0: never */
};

/** A request took much memory: http_trim_run() becomes due. */
void http_trim_note_heavy(struct http_trim *trim);

/** When http_trim_run() is due; INT64_MAX: it is not. */
int64_t http_trim_due_us(const struct http_trim *trim);

/** When due: give free memory back to the system. */
void http_trim_run(struct http_trim *trim);
