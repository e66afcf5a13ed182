/*
 * daemon.h - one daemon of the HTTP library, set up for a loop to drive.
 *
 * The library is always run without a time-out of its own, because with one it may sleep on 128
 * ready events.
 *
 * Threads: a daemon belongs to its loop's, also before that runs and after it has ended.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/http.h"

/* Without a library every function does nothing. */
struct http_daemon {
    struct MHD_Daemon *mhd;
    int event; /* the library's epoll descriptor; -1: none */
    void (*on_refusal)(void *self, int status);
    void *self;
};

struct http_daemon_options {
    const struct http_options *http;
    bool tls;
    MHD_NotifyConnectionCallback on_connection;

    /** The library is about to answer a request by itself, with this status and a page of HTML. */
    void (*on_refusal)(void *self, int status);
    void *self; /* of both, and of the callbacks in request.h */
};

/** Start it, in the caller's struct, which stays there; ended by http_daemon_stop(). ERR_SYSTEM. */
NODISCARD bool http_daemon_start(struct http_daemon *daemon,
                                 const struct http_daemon_options *options, struct error *err);

/** Let the library do what there is to do. */
void http_daemon_run(const struct http_daemon *daemon);

/** How long it can wait for that, in milliseconds; INT64_MAX: until an event comes. */
int64_t http_daemon_timeout_ms(const struct http_daemon *daemon);

/** Close its connections and free it. None may be suspended. */
void http_daemon_stop(struct http_daemon *daemon);
