/*
 * accept.h - the acceptor: one thread that accepts connections and distributes them to the loops.
 *
 * Threads: start and stop belong to one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/http_internal.h"

/** Accept on all endpoints of `http`, whose loops run. The caller owns `*out`. ERR_SYSTEM. */
NODISCARD bool http_acceptor_start(struct http *http, struct http_acceptor **out,
                                   struct error *err);

/** Has the thread turned since the last call? Wakes it for the next call. */
bool http_acceptor_has_turned(struct http_acceptor *acceptor);

/**
 * End the thread and close the listening sockets. With `sweep`, first accept the connections that
 * the kernel has completed already. NULL is fine.
 */
void http_acceptor_stop(struct http_acceptor *acceptor, bool sweep);
