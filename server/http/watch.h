/*
 * watch.h - when a request on an idle connection began.
 *
 * MHD reports a request when its first line is complete, and a sender may be slow with that. So
 * connections that have been idle for a moment are watched for their next byte, and the kernel's
 * counters tell whether a byte came before that. A connection that is busy, or new and asks at
 * once, costs nothing.
 *
 * Threads: a watch belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct http_connection;

struct http_watch {
    int event; /* epoll descriptor: readable when a byte has come; -1: none */
};

/** A watch in the caller's struct, ended by http_watch_done(), also after a failure. ERR_SYSTEM. */
NODISCARD bool http_watch_init(struct http_watch *watch, struct error *err);

void http_watch_done(struct http_watch *watch);

/** Report the next byte on `fd`, or its end, once. `again`: it was added before. */
void http_watch_add(const struct http_watch *watch, int fd, struct http_connection *connection,
                    bool again);

/** Before `fd` is closed: remove it, because a child process may hold a copy of it. */
void http_watch_drop(const struct http_watch *watch, int fd);

/** Call `on_bytes` for each connection that has got bytes, or its end, since it was added. */
void http_watch_take(const struct http_watch *watch, void (*on_bytes)(struct http_connection *));

/** Has the peer ended the stream, and is nothing left to read before the end? */
bool http_watch_is_ended(int fd);

/** Have more than `known` bytes come, and were none sent? */
bool http_watch_is_unanswered(int fd, size_t known);

/** Have bytes come in the last `age_us`? */
bool http_watch_has_received(int fd, int64_t age_us);

/** Have more than `known` bytes ever come? */
bool http_watch_has_received_more(int fd, size_t known);
