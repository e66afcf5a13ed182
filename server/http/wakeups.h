/*
 * wakeups.h - the requests that a waker can wake, found by tokens that other threads hold.
 *
 * A token names a slot of a table and the slot's generation. When a request is over its slot is
 * reused with the next generation, so that an old token finds nothing.
 *
 * Threads: the table belongs to its loop's thread; tokens are values.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_connection;
struct http_wakeup_slot;

/* Begins as zeroes. */
struct http_wakeups {
    struct http_wakeup_slot *slots;
    size_t capacity;
    uint32_t free; /* the first of the chain of free slots; `capacity`: none is free */
};

enum { HTTP_NO_TOKEN = 0 };

/** A new token that finds `connection`; never HTTP_NO_TOKEN. */
uint64_t http_wakeups_add(struct http_wakeups *wakeups, struct http_connection *connection);

/** The connection of a token; NULL: the token is old or HTTP_NO_TOKEN. */
struct http_connection *http_wakeups_find(const struct http_wakeups *wakeups, uint64_t token);

/** From now on the token finds nothing. An old one and HTTP_NO_TOKEN change nothing. */
void http_wakeups_remove(struct http_wakeups *wakeups, uint64_t token);

/** Free the table. */
void http_wakeups_done(struct http_wakeups *wakeups);
