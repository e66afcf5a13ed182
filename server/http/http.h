/*
 * http.h - the HTTP server: framing, limits, deadlines, and nothing about events.
 *
 * One acceptor thread hands connections to loop threads, the least loaded first; a loop thread
 * runs a whole request, the handler included. What a handler sees and fills in is in
 * handlers/handler.h. Only server/http*.c knows the HTTP library (docs/decisions/008).
 *
 * Threads: start, drain and stop belong to one thread (main's); the rest may be called from any.
 * Every thread started here blocks all signals. handle(), admit() and answered() run on loop
 * threads, several at a time.
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

/** How the life of a request ended. */
enum http_end {
    HTTP_ANSWERED, /* the answer was handed to the kernel whole */
    HTTP_LATE,     /* cut: it was not there, or not taken, in time */
    HTTP_GONE,     /* the sender went away, or the server stopped, before the end */
};

/** What the log line and the metrics say about one request; valid during the call only. */
struct http_exchange_summary {
    struct str method;   /* "GET", "HEAD", "POST", else "other" */
    struct str path;     /* the path of a handler, else "other" */
    struct str id;       /* as answered in X-Request-Id; well-formed */
    struct str trace_id; /* of traceparent, else the root of X-Amzn-Trace-Id; ptr NULL: none */
    enum http_end end;
    struct http_address client; /* the peer, or whom a trusted proxy asks for */
    int status;                 /* of the answer; 0: none was made */
    size_t bytes_in;            /* of the body, as far as it was read */
    size_t bytes_out;           /* of the body, when answered */
    int64_t duration_us;
    const struct request_note *note; /* never NULL; empty when no handler ran */
};

/** What is served at one address. */
struct http_handlers {
    const struct handler *list;
    size_t count;
};

/** An address to listen on, and what is served there at first. */
struct http_listener {
    const char *address; /* IPv4 or IPv6 in numbers, without brackets */
    uint16_t port;       /* 0 picks a free one */
    struct http_handlers handlers;
    struct http_tls *tls; /* NULL: plain. Must outlive the server */
    int socket;           /* that listens already, taken over in any case; 0: none */
};

/** All values are in range already (the configuration was validated). Copied, handlers included. */
struct http_options {
    const struct http_listener *listeners; /* at least one */
    size_t listener_count;
    unsigned threads;                   /* loop threads; 0: one per core */
    size_t max_connections;             /* lowered, with a warning, to what RLIMIT_NOFILE allows */
    size_t max_connections_per_address; /* 0: no limit. IPv6 counts by /64. Behind a trusted proxy,
                                           requests in flight count in their place */
    struct http_networks trusted_proxies; /* must outlive the server */
    size_t max_head;                      /* bytes of request line and headers */
    size_t max_body;                      /* bytes of one body */
    size_t max_in_flight;                 /* between headers and answer, not counting probes;
                                             0: no limit */
    size_t max_inflight_bytes;            /* of all bodies that have come and are not answered; as
                                             many again of long answers that wait to be taken */
    int64_t deadline_us;     /* from a request's first byte to its last; handshakes too */
    int64_t idle_timeout_us; /* between requests, and for an answer to be taken */
    double rate_limit;       /* requests a second, not counting probes; 0: no limit */

    /** Called once for each request, before its answer leaves (or when it ends without one), in its
     * loop thread; `end` is known only when there is no answer. NULL: not. */
    void (*answering)(void *self, const struct http_exchange_summary *summary);

    /** Called once for each request, when it is over, in its loop thread. NULL: not. */
    void (*answered)(void *self, const struct http_exchange_summary *summary);

    /** Called when a connection has brought no request that was understood. NULL: not. */
    void (*failed)(void *self, const struct http_failure *failure);
    void *self;
};

/**
 * Listen and serve. The caller owns `*out`, to be ended with http_stop(). ERR_SYSTEM: an address
 * cannot be listened on (the text has address and port), or threads cannot be had.
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

/** The port that listener `index` really has. */
uint16_t http_port(const struct http *http, size_t index);

/** Connections that are open now. */
size_t http_connections(const struct http *http);

/** Requests between headers and answer, not counting probes. */
size_t http_in_flight(const struct http *http);

/** Bytes reserved for bodies. */
size_t http_inflight_bytes(const struct http *http);

/** Was a body refused within the last second because there was no memory for it? */
bool http_lacks_memory(const struct http *http);

/**
 * Has every thread of the server turned since the last call? It is asked to turn for the next one,
 * so leave it some time. From the thread that started it.
 */
bool http_is_turning(struct http *http);

/**
 * Stop accepting, answer what is in flight and what still arrives on open connections with
 * `Connection: close`, close the idle ones; return when no connection is left, or at `deadline_us`
 * of clock_monotonic_us(). Answers whether none was left. http_stop() comes next.
 */
bool http_drain(struct http *http, int64_t deadline_us);

/** Close what is left, end all threads and free. NULL is fine. */
void http_stop(struct http *http);
