/*
 * exchange.h - the data of one request and its answer, and what both take from the limits.
 *
 * Threads: an exchange belongs to its connection, and so to the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/tracing/context.h"
#include "handlers/handler.h"
#include "server/http/addresses.h"
#include "server/http/http.h"
#include "server/http/ids.h"

struct http_connection;
struct http_handler_set;

enum { HTTP_RETRY_AFTER_SECONDS = 1 };

/* From the request line to the end of the answer; begins as zeroes. */
struct http_exchange {
    struct http_connection *connection;
    bool refused;         /* `response` is set without a handler; the body is dropped */
    bool admitted;        /* the handler's admit() has let it in; false where there is none */
    bool closes;          /* the answer ends the connection */
    bool in_flight;       /* counted in http->in_flight */
    bool counts_client;   /* `client` is counted in http->addresses */
    bool reported;        /* options.answering() was called */
    bool is_traced;       /* the span of `traceparent` is the request's own */
    bool postponed;       /* the handler was not called yet, because the slice was used up */
    bool target_is_valid; /* no control character, no space */
    char query_first;     /* of the query, which MHD does not see; NUL: there is none */
    size_t reserved;      /* bytes of http->bytes */
    size_t unread;        /* bytes of http->unread */
    size_t max_body;      /* the announced length, or the limit for chunks */
    size_t target_len;
    size_t bytes_in;                   /* of the body */
    int64_t started_us;                /* when the first byte came, as far as known */
    int64_t answered_us;               /* 0: not yet */
    uint64_t token;                    /* of wakeups.h; HTTP_NO_TOKEN: cannot be woken */
    struct http_handler_set *handlers; /* in force when the headers were complete; NULL: they
                                          are not yet */
    const struct handler *handler;     /* NULL: none was found */
    const char *allow;                 /* for a 405 */
    struct http_address client;        /* the peer, or the client that a trusted proxy names */
    struct str method;                 /* as in the summary */
    struct str path;                   /* likewise */
    struct str trace_id;               /* in trace_text; ptr NULL: none */
    struct buf body;
    struct request request;
    struct response response;
    char id[HTTP_ID_MAX + 1];
    char trace_text[40];
    char parent_span[TRACE_SPAN_LEN + 1];   /* of a traced request; "": its span is a root */
    char traceparent[TRACE_PARENT_LEN + 1]; /* that is passed on; "": none */
};

enum { HTTP_SPARE_EXCHANGES = 256 };

/*
 * The exchanges of a loop. They are reused, the last one first, because its memory may still be in
 * the processor's cache. A loop keeps as many as a thread keeps arenas (base/arena.c). Begins as
 * zeroes.
 */
struct http_exchanges {
    struct http_exchange *spare[HTTP_SPARE_EXCHANGES];
    size_t count;
};

/** A new exchange on the connection. */
struct http_exchange *http_exchanges_take(struct http_exchanges *exchanges,
                                          struct http_connection *connection);

/** The exchange is over. */
void http_exchanges_give(struct http_exchanges *exchanges, struct http_exchange *exchange);

/** Free the spare ones. */
void http_exchanges_done(struct http_exchanges *exchanges);

/**
 * Refuse the request with this status; its body is dropped. `limit` names the limit of a 429 or
 * 503; NULL for others.
 */
void http_exchange_refuse(struct http_connection *connection, int status, const char *limit);

/** Refuse it with a 503 because there is no memory for its body. */
void http_exchange_refuse_for_memory(struct http_connection *connection);

/** Give back all that the request holds of the limits, its body included. */
void http_exchange_release(struct http_connection *connection);

/** Before the answer leaves: report the request to options.answering(). */
void http_exchange_report_answering(struct http_connection *connection, int64_t now_us);

/** The request is over: report it to options.answered(). `status` 0: it has no answer. */
void http_exchange_report_end(struct http_connection *connection, int status, enum http_end end,
                              int64_t now_us);
