/*
 * mailbox.h - what other threads leave for a loop: new connections, and whom to wake.
 *
 * Threads: http_mailbox_add_*() and _ring() may be called from any; the rest is the loop's own.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/error.h"

#include "server/http/addresses.h"

struct http_site;

/* A connection on its way from the acceptor. */
struct http_arrival {
    struct sockaddr_storage peer;
    const struct http_site *site;
    int fd;
    struct http_address address; /* counted in http->addresses, unless ... */
    bool proxied;                /* ... it is a trusted proxy's */
};

/* What came since the last look, in order. */
struct http_mail {
    struct http_arrival *arrivals;
    size_t arrival_count;
    size_t arrival_capacity;
    uint64_t *tokens; /* of waiting.h */
    size_t token_count;
    size_t token_capacity;
};

struct http_mailbox {
    int event; /* eventfd: readable when there is something to look at */
    pthread_mutex_t mutex;
    struct http_mail posted; /* under the mutex */
    struct http_mail taken;  /* the loop's */
};

/** An empty one, in the caller's struct, to be ended with http_mailbox_done(). ERR_SYSTEM. */
NODISCARD bool http_mailbox_init(struct http_mailbox *mailbox, struct error *err);

/** Free it; fine after a failed init. Descriptors in it are not closed. */
void http_mailbox_done(struct http_mailbox *mailbox);

void http_mailbox_add_arrival(struct http_mailbox *mailbox, const struct http_arrival *arrival);

void http_mailbox_add_token(struct http_mailbox *mailbox, uint64_t token);

/** Let the loop turn, without leaving anything. */
void http_mailbox_ring(struct http_mailbox *mailbox);

/** All that came; valid until the next call. */
const struct http_mail *http_mailbox_take(struct http_mailbox *mailbox);
