/*
 * daemon.h - one MHD daemon, set up for a loop to drive.
 *
 * MHD always runs without waiting, because it may wait although it holds 128 ready events.
 *
 * Threads: a daemon belongs to its loop's thread; before its start and after its end, to the
 * caller.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/http.h"

/* Without `mhd` all functions do nothing. */
struct http_daemon {
    struct MHD_Daemon *mhd;
    int event; /* MHD's epoll descriptor; -1: none */
    void (*on_refusal)(void *self, int status);
    void *self;
};

struct http_daemon_options {
    const struct http_options *http;
    bool tls;
    MHD_NotifyConnectionCallback on_connection;

    /** MHD is about to answer a request by itself, with this status and a page of HTML. */
    void (*on_refusal)(void *self, int status);
    void *self; /* of both, and of the callbacks in request.h */
};

/** Start it in the caller's struct, which must not move; ended by http_daemon_stop(). ERR_SYSTEM.
 */
NODISCARD bool http_daemon_start(struct http_daemon *daemon,
                                 const struct http_daemon_options *options, struct error *err);

/** Let MHD handle what is ready. */
void http_daemon_run(const struct http_daemon *daemon);

/** Milliseconds until MHD wants to run; INT64_MAX: not before an event comes. */
int64_t http_daemon_timeout_ms(const struct http_daemon *daemon);

/** Close its connections and free it. None may be suspended. */
void http_daemon_stop(struct http_daemon *daemon);
