/*
 * loop.h - a loop thread: it drives the MHD daemons of its connections.
 *
 * MHD's own threads are not used: they stall when a multiple of 128 connections is ready, abort
 * when told to stop accepting, and distribute connections unevenly.
 *
 * Threads: http_loop_add(), _wake(), _load() and _has_turned() may be called from any; start and
 * stop from one; all else belongs to the loop's thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/waker.h"
#include "server/http/arrivals.h"
#include "server/http/connection.h"
#include "server/http/daemon.h"
#include "server/http/http_internal.h"
#include "server/http/ids.h"
#include "server/http/inbox.h"
#include "server/http/linger.h"
#include "server/http/trim.h"
#include "server/http/wakeups.h"
#include "server/http/watch.h"

struct http_loop {
    struct http *http;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    atomic_bool turned; /* since the last http_loop_has_turned() */
    atomic_size_t load; /* connections, also those in the inbox */
    struct http_inbox inbox;

    /* The thread's own. */
    struct http_daemon plain;
    struct http_daemon secure; /* TLS */
    struct http_watch watch;
    struct http_arrivals arrivals;
    struct http_connections connections;
    struct http_linger linger;
    const struct http_arrival *adding; /* passed to MHD, which has not started it yet */
    struct http_wakeups wakeups;
    struct http_trim trim;
    struct http_exchanges exchanges;
    struct http_id_source ids;
    bool resumed;           /* MHD has work that it does not signal */
    bool progressed;        /* MHD has called a request's callback in this turn */
    unsigned futile_turns;  /* in a row: MHD wanted a turn at once and made no progress */
    int64_t slice_began_us; /* of the current slice, see http_loop_has_time() */
    int64_t now_us;         /* the latest known time */
    int64_t deadline_us;    /* the next one of a connection, as of the end of the last turn */
};

/** Start loop number `index`. The caller owns `*out`. ERR_SYSTEM. */
NODISCARD bool http_loop_start(struct http *http, size_t index, struct http_loop **out,
                               struct error *err);

/** Close the connections, end the thread and free. NULL is fine. */
void http_loop_stop(struct http_loop *loop);

/** Hand over a connection that http->connections and http->addresses count already. */
void http_loop_add(struct http_loop *loop, const struct http_arrival *arrival);

/** Pass such a connection to MHD, which closes it in any case. */
void http_loop_serve(struct http_loop *loop, const struct http_arrival *arrival);

/** Let the loop read its limits and deadlines again. */
void http_loop_wake(struct http_loop *loop);

/** Has the loop turned since the last call? Wakes it for the next call. From one thread. */
bool http_loop_has_turned(struct http_loop *loop);

/** The number of its connections. */
size_t http_loop_load(const struct http_loop *loop);

/** A connection has ended. `address` is counted in http->addresses; NULL: it is not. */
void http_loop_count_out(struct http_loop *loop, const struct http_address *address);

/** A waker for the request on the connection, until http_loop_forget_waker(). */
struct waker http_loop_waker(struct http_connection *connection);
void http_loop_forget_waker(struct http_connection *connection);

/**
 * May the current turn begin a request with a body of `len` bytes? If not, the request waits for
 * the next turn, so that the inbox, deadlines and other connections are served. Short bodies get a
 * longer slice than others, which may take long themselves.
 */
bool http_loop_has_time(const struct http_loop *loop, size_t len);
