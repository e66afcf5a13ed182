/*
 * waiting.h - the requests that may be woken, by tokens that other threads hold.
 *
 * A token names its place in the table and who is meant by it; once a request has left, its token
 * finds nobody, even when another has its place.
 *
 * Threads: the table belongs to its loop's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_connection;
struct http_waiting_place;

/* Begins as zeroes. */
struct http_waiting {
    struct http_waiting_place *places;
    size_t capacity;
    uint32_t free; /* the first of the chain of free places; `capacity`: none is free */
};

enum { HTTP_NO_TOKEN = 0 };

/** A place for `connection`; the token that finds it, never HTTP_NO_TOKEN. */
uint64_t http_waiting_enter(struct http_waiting *waiting, struct http_connection *connection);

/** Whom the token means; NULL: nobody any more. */
struct http_connection *http_waiting_find(const struct http_waiting *waiting, uint64_t token);

/** Leave the place. HTTP_NO_TOKEN is fine. */
void http_waiting_leave(struct http_waiting *waiting, uint64_t token);

/** Free the table. */
void http_waiting_done(struct http_waiting *waiting);
