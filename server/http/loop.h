/*
 * loop.h - a loop thread: one daemon of the HTTP library, driven by hand.
 *
 * The library's own threads are not used: they stall when a multiple of 128 connections is ready,
 * abort when told to stop accepting, and share connections out unevenly.
 *
 * Threads: http_loop_add(), _wake() and _load() may be called from any; start and stop from one;
 * all else is the loop's own.
 */
#pragma once

#include <microhttpd.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/http/addresses.h"
#include "server/http/deadline.h"
#include "server/http/http_internal.h"
#include "server/http/id.h"
#include "server/http/mailbox.h"
#include "server/http/request.h"
#include "server/http/tls.h"

/* One connection, from the library's first word about it to its last. */
struct http_connection {
    struct http_deadline deadline; /* first, so that a queue's member is its connection */
    struct http_loop *loop;
    struct MHD_Connection *library;
    const struct http_site *site;
    struct http_address address; /* of the peer */
    bool proxied;                /* the peer is a trusted proxy, which is not counted */
    bool used;                   /* it has had a request, or a handshake */
    bool proved;                 /* it has had a request that was answered */
    bool watched;                /* it is known to loop->watch */
    int fd;
    struct http_tls_session tls;
    struct http_deadline parking;  /* in loop->starving or loop->parked */
    struct http_exchange exchange; /* the request that is on it now */
};

/** Start loop number `index`. The caller owns `*out`. ERR_SYSTEM. */
NODISCARD bool http_loop_start(struct http *http, size_t index, struct http_loop **out,
                               struct error *err);

/** Close the connections, end the thread and free. NULL is fine. */
void http_loop_stop(struct http_loop *loop);

/** Hand over a connection that http->connections and http->addresses count already. */
void http_loop_add(struct http_loop *loop, const struct http_arrival *arrival);

/** An empty arena for a request, and the way back for it (NULL is fine). In the loop's thread. */
struct arena *http_loop_take_arena(struct http_loop *loop);
void http_loop_give_arena(struct http_loop *loop, struct arena *arena);

/** A request took much memory: give back what is free of it, soon. From the loop's thread. */
void http_loop_note_heavy(struct http_loop *loop);

/** Something has come of the library's run: it need not wait. From the loop's thread. */
void http_loop_note_progress(struct http_loop *loop);

/** What the time is, from a caller that knows. From the loop's thread. */
void http_loop_note_time(struct http_loop *loop, int64_t now_us);

/**
 * Has this turn time for a request with a body of `len` bytes? If not, the request waits for the
 * next turn, so that mail, deadlines and other connections get theirs. Short ones are waited for
 * longer than others, which may take long. From the loop's thread.
 */
bool http_loop_has_time(const struct http_loop *loop, size_t len);

/** Let the loop look at its deadlines anew. */
void http_loop_wake(struct http_loop *loop);

/** Has it turned since the last call? It is asked to turn for the next one. From one thread. */
bool http_loop_ask(struct http_loop *loop);

/** Connections it has. */
size_t http_loop_load(const struct http_loop *loop);

/* For the request on a connection: what the connection waits for from now on. */

/**
 * The rest of the request, by the deadline. Since when that runs: `now_us`, or before, when the
 * first byte was seen to come.
 */
int64_t http_loop_await_request(struct http_connection *connection, int64_t now_us);

/** That the answer is taken. */
void http_loop_await_sent(struct http_connection *connection, int64_t now_us);

/** News, which a waker of http_loop_waker() brings, or the deadline; the connection is suspended.
 */
void http_loop_await_news(struct http_connection *connection);

/** The next request. */
void http_loop_await_next(struct http_connection *connection, int64_t now_us);

/** What wakes the request that is on the connection now, until http_loop_forget_waker(). */
struct waker http_loop_waker(struct http_connection *connection);
void http_loop_forget_waker(struct http_connection *connection);

struct http *http_loop_server(const struct http_loop *loop);

struct http_id_source *http_loop_ids(struct http_loop *loop);
