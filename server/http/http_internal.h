/*
 * http_internal.h - what the threads of the HTTP server share.
 *
 * Threads: read-only after the start, except the atomics and the parts that have a lock.
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
struct http_endpoint {
    size_t index;         /* in http->endpoints, and in a handler set */
    int fd;               /* -1 once closed; the acceptor's while it runs */
    struct http_tls *tls; /* NULL: plain */
    uint16_t port;
    bool proxy_protocol;
};

struct http {
    struct http_options options; /* `listeners` is not kept */
    struct http_endpoint *endpoints;
    size_t endpoint_count;
    _Atomic(struct http_handler_set *) handlers;
    struct http_acceptor *acceptor;
    struct http_loop **loops;
    size_t loop_count;

    struct http_addresses *addresses;
    struct http_quota in_flight;
    struct http_quota bytes;          /* of bodies, from arrival until the answer */
    _Atomic int64_t memory_lacked_us; /* when a body was last refused for lack of it; 0: never */
    atomic_size_t unread;             /* bytes of long answers that clients have not read yet */
    struct rate rate;

    atomic_size_t connections;     /* accepted and not closed; only the acceptor adds */
    atomic_bool room_wanted;       /* one of the loops must evict a connection for a new one */
    atomic_bool draining;          /* every answer closes its connection */
    _Atomic int64_t idle_limit_us; /* how long a connection may be idle; shorter in a drain */
    int room_event;                /* eventfd, written when a connection ends at max_connections */
    int empty_event;               /* eventfd, written when the last connection of a drain ends */
};
