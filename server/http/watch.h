/*
 * watch.h - when did a request on an idle connection begin?
 *
 * The library tells of a request when its first line is whole, which a sender may take its time
 * for. So connections that have been idle for a moment are watched besides, for the first byte
 * that comes; and a look at what the system knows of a connection tells whether one has come
 * before. Nothing of this happens on connections that are busy, or new and ask at once.
 *
 * Threads: a watch belongs to one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct http_connection;

struct http_watch {
    int event; /* epoll descriptor: readable when something has begun; -1: none */
};

/** In the caller's struct; ended by http_watch_done(), also when it fails. ERR_SYSTEM. */
NODISCARD bool http_watch_init(struct http_watch *watch, struct error *err);

void http_watch_done(struct http_watch *watch);

/** Tell of the next byte, or end, on `fd`, once. `again`: it was watched before. */
void http_watch_add(const struct http_watch *watch, int fd, struct http_connection *connection,
                    bool again);

/** `fd` is about to be closed: forget it, even if a program that is being started has it, too. */
void http_watch_drop(const struct http_watch *watch, int fd);

/** Call `begun` for each connection on which something has come since it was added. */
void http_watch_take(const struct http_watch *watch, void (*begun)(struct http_connection *));

/** Has the sender ended the stream, with nothing before the end that is not read? */
bool http_watch_is_ended(int fd);

/** Has more come than the end of the stream, and was nothing sent? */
bool http_watch_is_unanswered(int fd);

/** Have bytes come in the last `age_us`? With `fresh`: at all. */
bool http_watch_has_received(int fd, bool fresh, int64_t age_us);
