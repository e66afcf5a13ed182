/*
 * canned.h - a small HTTP server with the answers of its test.
 *
 * Connections stay open until the client or the test ends them; requests are answered in order of
 * arrival by one thread.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct canned;

/** No answer until the client has gone. */
#define CANNED_STALL STR_NONE
/** Close the connection without an answer. */
#define CANNED_CLOSE STR("")

/**
 * The bytes to answer with, NUL behind them; with `Connection: close` among them the connection is
 * closed then. `request` is the whole request; `nth` counts the server's requests from
 * 0. Runs in the server's thread; `self` must be fit for that.
 */
typedef struct str canned_answer(void *self, struct str request, size_t nth);

/** Listen on a free port of 127.0.0.1, or at `path` when that is not NULL. The caller owns it. */
struct canned *canned_start(const char *path, canned_answer *answer, void *self);

/** Where. */
int canned_port(const struct canned *canned);

/** How many requests and connections there were; only after canned_stop() or between requests. */
size_t canned_requests(const struct canned *canned);
size_t canned_connections(const struct canned *canned);

/** End the thread and close everything; counts can still be read. */
void canned_stop(struct canned *canned);

/** Stop and free. */
void canned_destroy(struct canned *canned);
