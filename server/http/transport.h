/*
 * transport.h - the bytes of a TLS connection between GnuTLS and the socket: read ahead, and sent
 * together.
 *
 * GnuTLS reads each record in two steps and writes each one by itself. A transport reads what has
 * come in one step, and collects what is written until http_transport_flush(). When the kernel does
 * not accept more, it accepts no more either, so that MHD waits as without it.
 *
 * Threads: a transport belongs to its connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/attr.h"

/* Set `fd` and zero the rest. */
struct http_transport {
    int fd;
    /* The reader waits for new bytes on an epoll that reports them even if they are there already.
     * Then a short read shows that there are no more for now. */
    bool trusts_short_reads;
    bool may_be_corked; /* MHD may have set TCP_CORK */

    /* Private: */
    bool is_drained; /* the last read was short */
    int error;       /* of a failed send */
    char *in;        /* NULL: nothing was read ahead */
    size_t in_at;
    size_t in_len;
    char *out; /* NULL: nothing waits */
    size_t out_len;
};

/** As recv(2). */
ssize_t http_transport_read(struct http_transport *transport, void *bytes, size_t size);

/** Copy what was read ahead and not taken yet. Returns its length, at most `size`. */
size_t http_transport_peek(const struct http_transport *transport, void *bytes, size_t size);

/** As writev(2), but what is accepted may wait for http_transport_flush(). */
ssize_t http_transport_write(struct http_transport *transport, const struct iovec *parts,
                             int count);

/** Does something wait? */
static inline bool http_transport_is_waiting(const struct http_transport *transport)
{
    return transport->out_len > 0;
}

/** Send what waits. False: the kernel does not accept all of it now. */
bool http_transport_flush(struct http_transport *transport);

/** Free the memory; what waits is lost. */
void http_transport_done(struct http_transport *transport);
