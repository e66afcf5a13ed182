/*
 * http.h - the HTTP server: framing, limits, deadlines, and nothing about events.
 *
 * One acceptor thread passes connections to loop threads, the least loaded first. A loop thread
 * runs a whole request, with its handler (handlers/handler.h). Only server/http/ knows
 * libmicrohttpd (docs/decisions/008).
 *
 * Threads: start, drain and stop belong to one thread (main's); the rest may be called from any.
 * The threads started here block all signals. Handlers and callbacks run on several loop threads at
 * a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "handlers/handler.h"
#include "server/http/networks.h"

struct http;
struct http_failure;
struct http_handler_set;
struct http_tls;
struct tracer;

/** How a request ended. */
enum http_end {
    HTTP_ANSWERED, /* the kernel has the whole answer */
    HTTP_LATE,     /* cut: the request or its answer took too long */
    HTTP_GONE,     /* the client left, or the server stopped, before the end */
};

/** A request for log and metrics; valid during the call only. */
struct http_exchange_summary {
    struct str method;      /* "GET", "HEAD", "POST", else "other" */
    struct str path;        /* the path of a handler, else "other" */
    struct str id;          /* as answered in X-Request-Id; well-formed */
    struct str trace_id;    /* of traceparent, else the root of X-Amzn-Trace-Id; ptr NULL: none */
    struct str traceparent; /* as in struct request */
    struct str parent_span; /* of a traced request: the id of its parent, or empty */
    bool is_traced;         /* likewise */
    enum http_end end;
    struct http_address client; /* the peer, or the client that a trusted proxy names */
    int status;                 /* of the answer; 0: there is none */
    size_t bytes_in;            /* of the body, as far as it came */
    size_t bytes_out;           /* of the body, when answered */
    int64_t duration_us;
    bool is_quiet;                   /* as in the handler */
    const struct request_note *note; /* never NULL; empty if no handler ran */
};

/** The handlers of one listener. */
struct http_handlers {
    const struct handler *list;
    size_t count;
};

/** An address to listen on, and its handlers at the start. */
struct http_listener {
    const char *address; /* IPv4 or IPv6, numeric, without brackets */
    uint16_t port;       /* 0 picks a free one */
    struct http_handlers handlers;
    struct http_tls *tls; /* NULL: plain. Must outlive the server */
    int socket;           /* a listening socket to use, closed in any case; 0: none */
};

/** All values are in range (the configuration was checked). Copied, with the handlers. */
struct http_options {
    const struct http_listener *listeners; /* at least one */
    size_t listener_count;
    unsigned threads;                     /* loop threads; 0: one per core */
    size_t max_connections;               /* lowered to RLIMIT_NOFILE, with a warning */
    size_t max_connections_per_address;   /* 0: no limit. IPv6 counts by /64. Behind a trusted proxy
                                             requests in flight are limited instead */
    struct http_networks trusted_proxies; /* must outlive the server */
    bool proxy_protocol;                  /* on the first listener trusted proxies begin each
                                             connection with a PROXY header */
    size_t max_head;                      /* bytes of request line and headers */
    size_t max_body;                      /* bytes of one body */
    size_t max_in_flight;                 /* requests between headers and answer, except probes;
                                             0: no limit */
    size_t max_inflight_bytes;   /* of all bodies that are not answered yet; and of all long
                                    answers that are not read yet */
    int64_t deadline_us;         /* from a request's first byte; of a TLS handshake, too */
    int64_t idle_timeout_us;     /* between requests, and for the client to read an answer */
    double rate_limit;           /* requests a second, except probes; 0: no limit */
    const struct tracer *tracer; /* decides which requests are traced; NULL: none is */
    bool is_background;          /* its threads have a lower priority */

    /** Called once for each request, in its loop thread, before its answer leaves or when it ends
     * without one; `end` is valid only then. May be NULL. */
    void (*answering)(void *self, const struct http_exchange_summary *summary);

    /** Called once for each request, in its loop thread, when it is over. May be NULL. */
    void (*answered)(void *self, const struct http_exchange_summary *summary);

    /** Called when no request was understood on a connection. May be NULL. */
    void (*failed)(void *self, const struct http_failure *failure);
    void *self;
};

/**
 * Listen and serve. The caller owns `*out`, ended by http_stop(). ERR_SYSTEM: cannot listen on an
 * address (named in the text), or cannot start a thread.
 */
NODISCARD bool http_start(const struct http_options *options, struct http **out, struct error *err);

/**
 * From now on use these handlers, `lists[i]` on listener i (copied). Requests whose headers are
 * complete keep the old set, which is returned: its handlers must work until it is idle. Does not
 * wait; until epoch_wait() (base/epoch.h) returns, requests may still begin with the old set. From
 * one thread at a time.
 */
struct http_handler_set *http_replace_handlers(struct http *http,
                                               const struct http_handlers *lists);

/** Has no request kept the set? Only for a set that was replaced, after epoch_wait(). */
bool http_handler_set_is_idle(const struct http_handler_set *set);

/** Once it is idle, or the server has stopped. NULL is fine. */
void http_handler_set_destroy(struct http_handler_set *set);

/** The port of listener `index`. */
uint16_t http_port(const struct http *http, size_t index);

/** Open connections. */
size_t http_connections(const struct http *http);

/** Bytes reserved for bodies. */
size_t http_inflight_bytes(const struct http *http);

/** Was a body refused within the last second because there was no memory for it? */
bool http_lacks_memory(const struct http *http);

/**
 * For the watchdog: has every thread of the server finished a turn of its loop since the last call?
 * Also wakes all of them, so that each finishes a turn before the next call; wait a moment before
 * that. From the thread that started the server.
 */
bool http_is_turning(struct http *http);

/**
 * Stop accepting, answer all requests with `Connection: close` and close idle connections, until no
 * connection is left (true) or `deadline_us` of clock_monotonic_us() is reached (false).
 * http_stop() must follow.
 */
bool http_drain(struct http *http, int64_t deadline_us);

/** Close all connections, end all threads and free. NULL is fine. */
void http_stop(struct http *http);
