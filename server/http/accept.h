/*
 * accept.h - the acceptor: one thread that takes connections in and deals them out.
 *
 * Threads: start and stop belong to one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/http_internal.h"

/** Accept on all sites of `http`, whose loops run. The caller owns `*out`. ERR_SYSTEM. */
NODISCARD bool http_acceptor_start(struct http *http, struct http_acceptor **out,
                                   struct error *err);

/** Has it turned since the last call? It is asked to turn for the next one. */
bool http_acceptor_has_turned(struct http_acceptor *acceptor);

/**
 * End the thread and close the listening sockets. With `sweep`, connections that the kernel has
 * completed already are taken in first. NULL is fine.
 */
void http_acceptor_stop(struct http_acceptor *acceptor, bool sweep);
