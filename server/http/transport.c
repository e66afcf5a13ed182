/*
 * transport.c - see transport.h.
 *
 * MHD sets TCP_CORK before its first short answer and leaves it set; it pushes each answer with
 * TCP_NODELAY, before it is sent here. So the socket is uncorked once, at the first flush that
 * finds it corked: MHD does not cork it again.
 */
#include "server/http/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

enum {
    IN_SIZE = 4096,  /* the usual ClientHello or request */
    OUT_SIZE = 8192, /* a ServerHello with its certificates; an answer */
};

static void free_input(struct http_transport *transport)
{
    mem_free(transport->in);
    transport->in = NULL;
    transport->in_at = 0;
    transport->in_len = 0;
}

static void free_output(struct http_transport *transport)
{
    mem_free(transport->out);
    transport->out = NULL;
    transport->out_len = 0;
}

/* As recv(2), into `in`. */
static ssize_t fill(struct http_transport *transport)
{
    ssize_t count = -1;

    if (transport->is_drained && transport->trusts_short_reads) {
        errno = EAGAIN;
    } else {
        if (!transport->in)
            transport->in = mem_realloc(NULL, IN_SIZE);
        count = recv(transport->fd, transport->in, IN_SIZE, 0);
    }
    transport->is_drained = count > 0 && count < IN_SIZE;
    if (count > 0) {
        transport->in_at = 0;
        transport->in_len = (size_t)count;
        return count;
    }

    int error = errno;

    free_input(transport);
    errno = error;
    return count;
}

ssize_t http_transport_read(struct http_transport *transport, void *bytes, size_t size)
{
    size_t len;

    if (transport->in_at == transport->in_len) {
        if (size >= IN_SIZE)
            return recv(transport->fd, bytes, size, 0);

        ssize_t count = fill(transport);

        if (count <= 0)
            return count;
    }
    len = http_transport_peek(transport, bytes, size);
    transport->in_at += len;
    return (ssize_t)len;
}

size_t http_transport_peek(const struct http_transport *transport, void *bytes, size_t size)
{
    size_t len = transport->in_len - transport->in_at;

    if (len > size)
        len = size;
    if (len > 0)
        memcpy(bytes, transport->in + transport->in_at, len);
    return len;
}

static void uncork(struct http_transport *transport)
{
    int corked = 0;
    socklen_t len = sizeof(corked);

    if (!transport->may_be_corked ||
        getsockopt(transport->fd, IPPROTO_TCP, TCP_CORK, &corked, &len) != 0 || !corked)
        return;
    corked = 0;
    (void)setsockopt(transport->fd, IPPROTO_TCP, TCP_CORK, &corked, sizeof(corked));
    transport->may_be_corked = false;
}

bool http_transport_flush(struct http_transport *transport)
{
    size_t sent = 0;

    if (transport->out_len == 0)
        return true;
    while (sent < transport->out_len) {
        ssize_t count =
            send(transport->fd, transport->out + sent, transport->out_len - sent, MSG_NOSIGNAL);

        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            transport->error = errno;
            free_output(transport); /* the peer is gone */
            return true;
        }
        if (count < 0)
            break;
        sent += (size_t)count;
    }
    uncork(transport);
    transport->out_len -= sent;
    if (transport->out_len > 0) {
        memmove(transport->out, transport->out + sent, transport->out_len);
        return false;
    }
    free_output(transport);
    return true;
}

static size_t length_of(const struct iovec *parts, int count)
{
    size_t len = 0;

    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    return len;
}

static void collect(struct http_transport *transport, const struct iovec *parts, int count)
{
    if (!transport->out)
        transport->out = mem_realloc(NULL, OUT_SIZE);
    for (int i = 0; i < count; i++) {
        memcpy(transport->out + transport->out_len, parts[i].iov_base, parts[i].iov_len);
        transport->out_len += parts[i].iov_len;
    }
}

ssize_t http_transport_write(struct http_transport *transport, const struct iovec *parts, int count)
{
    size_t len = length_of(parts, count);

    if (transport->out_len + len > OUT_SIZE && !http_transport_flush(transport)) {
        errno = EAGAIN;
        return -1;
    }
    if (transport->error) {
        errno = transport->error;
        return -1;
    }
    if (len > OUT_SIZE)
        return writev(transport->fd, parts, count); /* SIGPIPE is ignored */
    collect(transport, parts, count);
    return (ssize_t)len;
}

void http_transport_done(struct http_transport *transport)
{
    free_input(transport);
    free_output(transport);
}
