/*
 * arenas.h - the arenas of a loop's requests: reused, and their memory given back after large ones.
 *
 * Threads: they belong to their loop's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
    HTTP_SPARE_ARENAS = 16,
    HTTP_HEAVY_BODY = 8 * 1024, /* bytes; a body from here on may have left much memory behind */
};

/* Begins as zeroes. */
struct http_arenas {
    struct arena *spare[HTTP_SPARE_ARENAS]; /* empty */
    size_t count;
    int64_t heavy_us; /* when a request took much memory that is not given back yet; 0: never */
};

/** An empty arena for a request. */
struct arena *http_arenas_take(struct http_arenas *arenas);

/** Empty an arena and keep it. NULL is fine. */
void http_arenas_give(struct http_arenas *arenas, struct arena *arena);

/** A request took much memory: http_arenas_trim() becomes due. */
void http_arenas_note_heavy(struct http_arenas *arenas);

/** When http_arenas_trim() is due; INT64_MAX: it is not. */
int64_t http_arenas_trim_due_us(const struct http_arenas *arenas);

/** When due: give free memory back to the system. */
void http_arenas_trim(struct http_arenas *arenas);

/** Destroy the spare arenas. */
void http_arenas_done(struct http_arenas *arenas);
