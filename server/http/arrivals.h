/*
 * arrivals.h - new connections whose PROXY header (proxy_header.h) has not come yet.
 *
 * On a listener with the PROXY protocol a connection waits here before MHD gets it. One from a
 * trusted proxy must begin with a header, which is read and removed; then the connection counts as
 * one of the client that the header names. One from another address must not begin with one.
 * Nothing behind the header is read.
 *
 * Threads: belongs to its loop.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/list.h"
#include "server/http/inbox.h"

struct http_loop;

struct http_arrivals {
    int event;           /* epoll descriptor: readable when bytes have come; -1: none */
    struct list waiting; /* the oldest first */
};

/** None, in the caller's struct, ended by http_arrivals_close(), also after a failure. ERR_SYSTEM.
 */
NODISCARD bool http_arrivals_init(struct http_arrivals *arrivals, struct error *err);

/** Take over a new connection of `loop`. */
void http_arrivals_add(struct http_loop *loop, const struct http_arrival *arrival);

/** Look at the connections that bytes have come on. */
void http_arrivals_take(struct http_loop *loop);

/** Close those that have waited too long; when the next one will have (clock_monotonic_us()). */
int64_t http_arrivals_expire(struct http_loop *loop);

/** Close the one that has waited longest, if for `age_us` at least. False: there is none. */
bool http_arrivals_evict(struct http_loop *loop, int64_t age_us);

/** Close all of them, and what http_arrivals_init() opened. */
void http_arrivals_close(struct http_loop *loop);
