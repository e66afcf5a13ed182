/*
 * connection.h - one connection, and the state that it is in.
 *
 *          +--> SETTLING --- 50 ms ---> IDLE
 *          |       |                       |
 *          |       +------ first byte -----+
 *          |       v
 *          +--- READING <-------- bytes come --------+
 *      TLS |       |   +--> TLS_WANT_READ --> TLS_SUSPENDED
 * complete |       |
 *          |       v request line
 *          |     HEAD ----- MHD refuses it ---> SENT
 *          |       |
 *          |       v headers
 *          |     BODY ----- handler waits ----> SUSPENDING --> SUSPENDED
 *          |       |                                               |
 *          |       v answer                                        |
 *          +--- SENDING <------------------ answer ----------------+
 *   answer
 *     sent
 *
 *   From SETTLING or IDLE directly to HEAD: MHD has read the request line first (the usual way).
 *   From any state to CLOSING: a deadline is reached, the peer has gone, or others need its place.
 *
 * MHD starts and ends connections. States change in its callbacks, when a deadline is reached
 * (deadlines.h), when an idle connection gets bytes (watch.h) and when a handler's waker is used.
 * The states from READING to BODY share a queue, so that a deadline counts from the first byte.
 *
 * MHD must not suspend a connection during its own callbacks: it would not note that the request is
 * complete, and after the resume take the end of the client's stream for a lost connection. So
 * TLS_WANT_READ and SUSPENDING last until MHD returns, and http_connections_suspend() follows.
 *
 * Threads: a connection belongs to its loop's thread.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"
#include "server/http/addresses.h"
#include "server/http/exchange.h"
#include "server/http/http_internal.h"
#include "server/http/tls.h"

struct http_loop;

enum http_state {
    HTTP_SETTLING,      /* new, or answered a moment ago: a request may follow at once */
    HTTP_IDLE,          /* no request; watched for the first byte of the next one */
    HTTP_READING,       /* bytes have come, but no request line; or the TLS handshake has begun */
    HTTP_TLS_WANT_READ, /* the handshake needs more bytes; not suspended yet */
    HTTP_TLS_SUSPENDED, /* suspended until bytes come, so that MHD does not retry all the time */
    HTTP_HEAD,          /* the request line is complete */
    HTTP_BODY,          /* the headers are complete and judged */
    HTTP_SUSPENDING,    /* the handler waits for its waker; not suspended yet */
    HTTP_SUSPENDED,     /* suspended until the waker is used */
    HTTP_SENDING,       /* MHD has the answer */
    HTTP_SENT,          /* the answer was sent without MHD, which closes the connection */
    HTTP_CLOSING,       /* final: MHD finds the end of the stream and closes the connection */
};

/* By what a connection waits for; in each queue the one that waits longest is first. */
enum http_queue {
    HTTP_QUEUE_SETTLING, /* SETTLING */
    HTTP_QUEUE_IDLE,     /* IDLE */
    HTTP_QUEUE_REQUEST,  /* READING, TLS_*, HEAD, BODY */
    HTTP_QUEUE_HANDLER,  /* SUSPENDING, SUSPENDED */
    HTTP_QUEUE_SENDING,  /* SENDING, SENT */
    HTTP_QUEUE_CLOSING,  /* CLOSING; has no deadline */
    HTTP_QUEUE_COUNT,
};

/* The connections of a loop. */
struct http_connections {
    struct list queues[HTTP_QUEUE_COUNT];
    struct list suspending; /* TLS_WANT_READ and SUSPENDING */
    struct list unsent;     /* with bytes that wait for http_connections_flush() */
};

/* Lives from MHD's first notice of the connection to its last one. */
struct http_connection {
    enum http_state state;
    int fd;
    struct list_link queued;     /* in the queue of its state */
    struct list_link suspending; /* in TLS_WANT_READ and SUSPENDING only */
    struct list_link unsent;     /* if `is_unsent` */
    int64_t since_us;            /* when it entered its queue */
    struct http_loop *loop;
    struct MHD_Connection *mhd;
    const struct http_endpoint *endpoint;
    struct http_address address; /* of the peer, or of the client in its PROXY header */
    size_t header_len;           /* bytes of that header */
    bool proxied; /* the peer is a trusted proxy, which has no limit of connections */
    bool used;    /* there was a request or a complete TLS handshake */
    bool proved;  /* there was a request that was admitted and answered */
    bool watched; /* known to loop->watch */
    bool is_unsent;
    struct http_tls_session tls;
    struct http_exchange *exchange; /* the current request; NULL: there is none */
};

void http_connections_init(struct http_connections *connections);

/** The connection that waits longest in this queue; NULL: the queue is empty. */
static inline struct http_connection *
http_connections_first(const struct http_connections *connections, enum http_queue queue)
{
    const struct list_link *link = list_first(&connections->queues[queue]);

    return link ? CONTAINER_OF(link, struct http_connection, queued) : NULL;
}

/** The one that waits longest after `connection` in its queue; NULL: it is the last one. */
struct http_connection *http_connection_next(const struct http_connection *connection);

/** Create the connection that `loop` is adding; MHD calls it `mhd`. */
struct http_connection *http_connection_start(struct http_loop *loop, struct MHD_Connection *mhd);

/** MHD closes it: report it if no request was understood, then free it. */
void http_connection_end(struct http_connection *connection);

/**
 * Change the state. A state in the same queue keeps the time that the connection waits since,
 * except SETTLING. A connection in CLOSING stays there.
 */
void http_connection_enter(struct http_connection *connection, enum http_state state,
                           int64_t since_us);

/** Shut the socket down; MHD finds the end of the stream and closes. Not from MHD's callbacks. */
void http_connection_cut(struct http_connection *connection);

/** Let MHD continue with a suspended connection. */
void http_connection_resume(struct http_connection *connection);

/** Watch an idle or suspended connection for the next byte. */
void http_connection_watch(struct http_connection *connection);

/** After MHD has returned: send what TLS connections have written. */
void http_connections_flush(struct http_connections *connections);

/** After MHD has returned: suspend the connections that must wait. */
void http_connections_suspend(struct http_connections *connections);

/** Before MHD stops: resume all suspended connections, without an answer. */
void http_connections_abandon(struct http_connections *connections);
