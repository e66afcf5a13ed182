/*
 * http_internal.h - what the threads of the HTTP server share.
 *
 * Threads: read-only after the start, but for the atomics, and what has a lock of its own.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/rate.h"
#include "base/str.h"
#include "handlers/handler.h"
#include "server/http/addresses.h"
#include "server/http/handler_set.h"
#include "server/http/http.h"
#include "server/http/quota.h"

struct http_acceptor;
struct http_loop;

/* A listening socket. */
struct http_site {
    size_t index;         /* in http->sites, and in what is served */
    int fd;               /* -1 once closed; the acceptor's while it runs */
    struct http_tls *tls; /* NULL: plain */
    uint16_t port;
};

struct http {
    struct http_options options; /* `listeners` is not kept */
    struct http_site *sites;
    size_t site_count;
    _Atomic(struct http_handler_set *) handlers;
    struct http_acceptor *acceptor;
    struct http_loop **loops;
    size_t loop_count;

    struct http_addresses *addresses;
    struct http_quota in_flight;
    struct http_quota bytes;          /* of bodies, from their arrival until they are answered */
    _Atomic int64_t memory_lacked_us; /* when a body was last refused for want of it; 0: never */
    atomic_size_t unread;             /* bytes of long answers that are not sent yet */
    struct rate rate;

    atomic_size_t connections;     /* accepted and not closed; only the acceptor adds */
    atomic_bool room_wanted;       /* the first loop that can closes a connection for a newcomer */
    atomic_bool draining;          /* from now on every answer closes its connection */
    _Atomic int64_t idle_limit_us; /* how long a connection may be idle at present */
    int room_event;                /* eventfd, written when a connection makes room at the limit */
    int empty_event;               /* eventfd, written when the last one closes in a drain */
};

/** Change how long connections may be idle, and tell the loops. */
void http_limit_idling(struct http *http, int64_t limit_us);
