/*
 * canned.h - a small HTTP server that sends the answers of a test.
 *
 * One thread answers the requests in the order of their arrival. A connection stays open until the
 * client or an answer closes it.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct canned;

/** Never answer; the connection stays open. */
#define CANNED_STALL STR_NONE
/** Close the connection without an answer. */
#define CANNED_CLOSE STR("")

/**
 * Returns the answer's bytes. They are not copied or freed. If they contain `Connection: close`,
 * the connection is closed after them. `request` is the whole request, `nth` its number from 0.
 * Runs in the server's thread.
 */
typedef struct str canned_answer(void *self, struct str request, size_t nth);

/** Listen on a free port of 127.0.0.1, or on a Unix socket at `path`. The caller owns the server.
 */
struct canned *canned_start(const char *path, canned_answer *answer, void *self);

/** The port on 127.0.0.1; 0 for a Unix socket. */
int canned_port(const struct canned *canned);

/** Numbers of requests and connections. Read them after canned_stop() or between requests. */
size_t canned_requests(const struct canned *canned);
size_t canned_connections(const struct canned *canned);

/** Stop the thread and close all connections. The numbers can still be read. */
void canned_stop(struct canned *canned);

/** Stop and free. */
void canned_destroy(struct canned *canned);
