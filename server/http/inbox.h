/*
 * inbox.h - what other threads pass to a loop: new connections, and wake-ups of suspended requests.
 *
 * Threads: http_inbox_add_*() and _wake() may be called from any thread; the rest belongs to the
 * loop's.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/addresses.h"

struct http_endpoint;

/* A connection on its way from the acceptor to a loop. */
struct http_arrival {
    struct sockaddr_storage peer;
    const struct http_endpoint *endpoint;
    int fd;
    struct http_address address; /* counted in http->addresses, except ... */
    bool proxied;                /* ... that of a trusted proxy */
    size_t header_len;           /* bytes of the PROXY header that was read; 0: none */
};

struct http_messages {
    struct http_arrival *arrivals;
    size_t arrival_count;
    size_t arrival_capacity;
    uint64_t *tokens; /* of wakeups.h */
    size_t token_count;
    size_t token_capacity;
};

struct http_inbox {
    int event; /* eventfd: readable when there are messages */
    pthread_mutex_t mutex;
    struct http_messages posted; /* under the mutex */
    struct http_messages taken;  /* the loop's */
};

/** An empty inbox in the caller's struct, ended by http_inbox_done(). ERR_SYSTEM. */
NODISCARD bool http_inbox_init(struct http_inbox *inbox, struct error *err);

/** Free it, also after a failed init. Does not close the descriptors of arrivals. */
void http_inbox_done(struct http_inbox *inbox);

void http_inbox_add_arrival(struct http_inbox *inbox, const struct http_arrival *arrival);

void http_inbox_add_token(struct http_inbox *inbox, uint64_t token);

/** End the loop's poll without a message. */
void http_inbox_wake(struct http_inbox *inbox);

/** All messages since the last call, in order; valid until the next call. */
const struct http_messages *http_inbox_take(struct http_inbox *inbox);
