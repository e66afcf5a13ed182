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

/* The summary of the last request, copied. */
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
 * Serves: POST /echo (answers the body), POST /guarded (only with `X-Key: good`), POST /held
 * (holds its thread until http_toy_let_go()), POST /wait (answers its body once its waker is used,
 * for `twice` the second time; for `at once` it uses the waker itself; 503 when it expires),
 * GET /healthz; on a second address GET /metrics.
 */
struct http_toy {
    struct http *http;
    uint16_t port;
    uint16_t metrics_port;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool let_go;
    size_t held;                           /* requests that are waiting, or have waited, in /held */
    struct waker wakers[HTTP_TOY_WAITING]; /* of the requests to /wait, in order */
    size_t waiting;                        /* how many */
    size_t resumed;                        /* calls of resume() */
    size_t handled;                        /* calls of handle() */
    size_t reports;                        /* calls of answered() */
    size_t counted;                        /* calls of answering() */
    size_t by_loop[HTTP_TOY_LOOPS];        /* the same by loop thread */
    struct http_toy_report last;
};

/** Options that a test may change before http_toy_start(): small limits, one loop, long times. */
struct http_options http_toy_options(void);

/** Start; ends the program when it does not. Listeners and the callback are the toy's. */
void http_toy_start(struct http_toy *toy, struct http_options options);

void http_toy_stop(struct http_toy *toy);

/** Wait until so many requests are over (twenty seconds at most), and the last one's report. */
struct http_toy_report http_toy_await(struct http_toy *toy, size_t reports);

/** Wait until so many requests have reached /held. */
bool http_toy_await_held(struct http_toy *toy, size_t held);

/** Wait until so many requests have come to /wait, and resume() was called so often. */
bool http_toy_await_waiting(struct http_toy *toy, size_t waiting, size_t resumed);

/** Let those in /held go on, and all later ones. */
void http_toy_let_go(struct http_toy *toy);

/** Wait until so many requests have reached a handler. */
bool http_toy_await_handled(struct http_toy *toy, size_t handled);

/** Wait until bodies hold so many bytes. */
bool http_toy_await_bytes(struct http_toy *toy, size_t bytes);

/** Wait until the server has so many connections. */
bool http_toy_await_connections(struct http_toy *toy, size_t connections);
