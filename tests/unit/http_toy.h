/*
 * http_toy.h - an HTTP server with simple handlers, for tests of server/http/.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/handler.h"
#include "server/http/http.h"

enum { HTTP_TOY_LOOPS = 10, HTTP_TOY_WAITING = 600 };

/* A copy of a request's summary. */
struct http_toy_report {
    char method[16];
    char path[32];
    char id[160];
    char trace_id[64];
    char outcome[32];
    enum http_end end;
    int status;
    size_t bytes_in;
    size_t bytes_out;
};

/*
 * The handlers:
 * - POST /echo answers with the body of the request.
 * - POST /guarded does the same, and requires `X-Key: good`.
 * - POST /held blocks its loop until http_toy_let_go().
 * - POST /wait suspends the request and answers with its body when its waker is used. The body
 *   `twice` requires two wake-ups; with `at once` the handler uses the waker itself. An expired
 *   request gets 503.
 * - GET /healthz; GET /metrics on a second address.
 */
struct http_toy {
    struct http *http;
    uint16_t port;
    uint16_t metrics_port;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool let_go;
    size_t held;                           /* requests that have reached /held */
    struct waker wakers[HTTP_TOY_WAITING]; /* of the requests to /wait, in order */
    size_t waiting;                        /* how many of them are set */
    size_t resumed;                        /* calls of resume() */
    size_t handled;                        /* calls of handle() */
    size_t reports;                        /* calls of answered() */
    size_t counted;                        /* calls of answering() */
    size_t by_loop[HTTP_TOY_LOOPS];        /* calls of answered() in each loop thread */
    struct http_toy_report last;
};

/** Default options: small limits, one loop, long time limits. A test may change them. */
struct http_options http_toy_options(void);

/** Start, or end the program. Sets listeners and callbacks in `options`. */
void http_toy_start(struct http_toy *toy, struct http_options options);

void http_toy_stop(struct http_toy *toy);

/*
 * The functions that wait do so for at most 20 or 30 seconds. They return false if the condition
 * is still false then.
 */

/** Wait until `reports` requests are over; the report of the last one. Status -1: they are not. */
struct http_toy_report http_toy_await(struct http_toy *toy, size_t reports);

/** Wait until `held` requests have reached /held. */
bool http_toy_await_held(struct http_toy *toy, size_t held);

/** Wait until `waiting` requests have reached /wait and resume() was called `resumed` times. */
bool http_toy_await_waiting(struct http_toy *toy, size_t waiting, size_t resumed);

/** Let all current and later requests to /held continue. */
void http_toy_let_go(struct http_toy *toy);

/** Wait until `handled` requests have reached a handler. */
bool http_toy_await_handled(struct http_toy *toy, size_t handled);

/** Wait until the bodies in flight have exactly `bytes` bytes. */
bool http_toy_await_bytes(struct http_toy *toy, size_t bytes);

/** Wait until the server has exactly `connections` connections. */
bool http_toy_await_connections(struct http_toy *toy, size_t connections);
