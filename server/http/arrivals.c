/*
 * arrivals.c - see arrivals.h.
 *
 * The bytes are peeked at until the header is complete, and only the header is read: what follows
 * belongs to GnuTLS or MHD. epoll is edge-triggered, so that bytes which stay in the socket are
 * reported once.
 */
#include "server/http/arrivals.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/http/failure.h"
#include "server/http/loop.h"
#include "server/http/proxy_header.h"

enum { BATCH = 64 };

struct waiting {
    struct list_link link;
    int64_t since_us;
    struct http_arrival arrival;
};

enum verdict { WAIT, SERVE, CLOSE };

bool http_arrivals_init(struct http_arrivals *arrivals, struct error *err)
{
    list_init(&arrivals->waiting);
    arrivals->event = epoll_create1(EPOLL_CLOEXEC);
    if (arrivals->event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "epoll");
    return true;
}

static struct waiting *oldest_waiting(const struct http_loop *loop)
{
    const struct list_link *link = list_first(&loop->arrivals.waiting);

    return link ? CONTAINER_OF(link, struct waiting, link) : NULL;
}

/* Before the descriptor leaves: a child process may hold a copy, so close() does not end this. */
static void unlink_waiting(struct http_loop *loop, struct waiting *waiting)
{
    (void)epoll_ctl(loop->arrivals.event, EPOLL_CTL_DEL, waiting->arrival.fd, NULL);
    list_remove(&waiting->link);
    mem_free(waiting);
}

static void close_waiting(struct http_loop *loop, struct waiting *waiting)
{
    struct http_arrival arrival = waiting->arrival;

    unlink_waiting(loop, waiting);
    (void)close(arrival.fd);
    http_loop_count_out(loop, arrival.proxied ? NULL : &arrival.address);
}

static enum verdict refuse(const struct http *http, const struct http_arrival *arrival,
                           const char *detail)
{
    const struct http_failure failure = { .reason = "proxy_header",
                                          .detail = detail,
                                          .address = arrival->address };

    if (http->options.failed)
        http->options.failed(http->options.self, &failure);
    return CLOSE;
}

/* Remove the header from the socket, and make the client that it names the peer. */
static enum verdict accept_header(const struct http *http, struct http_arrival *arrival,
                                  const struct http_proxy_header *header)
{
    char bytes[HTTP_PROXY_HEADER_MAX];
    ssize_t count = recv(arrival->fd, bytes, header->len, MSG_DONTWAIT);

    if (count != (ssize_t)header->len)
        return CLOSE;
    arrival->header_len = header->len;
    if (header->source.ss_family == 0)
        return SERVE;

    struct http_address client = http_address_of(&header->source);
    bool proxied = http_networks_have(&http->options.trusted_proxies, &header->source);

    if (!proxied && !http_addresses_enter(http->addresses, client))
        return CLOSE;
    arrival->peer = header->source;
    arrival->address = client;
    arrival->proxied = proxied;
    return SERVE;
}

static enum verdict judge_arrival(const struct http *http, struct http_arrival *arrival)
{
    char bytes[HTTP_PROXY_HEADER_MAX];
    struct http_proxy_header header;
    ssize_t count = recv(arrival->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? WAIT : CLOSE;
    if (count == 0)
        return CLOSE;
    switch (http_proxy_header_read((struct str){ bytes, (size_t)count }, &header)) {
    case HTTP_PROXY_MORE:
        return WAIT;
    case HTTP_PROXY_ABSENT:
        return arrival->proxied ? refuse(http, arrival, "absent") : SERVE;
    case HTTP_PROXY_INVALID:
        return refuse(http, arrival, arrival->proxied ? "invalid" : "not from trusted_proxies");
    default:
        return arrival->proxied ? accept_header(http, arrival, &header)
                                : refuse(http, arrival, "not from trusted_proxies");
    }
}

/* `ended`: no more bytes will come. */
static void look(struct http_loop *loop, struct waiting *waiting, bool ended)
{
    enum verdict verdict = judge_arrival(loop->http, &waiting->arrival);

    if (verdict == SERVE) {
        struct http_arrival arrival = waiting->arrival;

        unlink_waiting(loop, waiting);
        http_loop_serve(loop, &arrival);
    } else if (verdict == CLOSE || ended) {
        close_waiting(loop, waiting);
    }
}

/* If the kernel has no memory for the event, the connection waits until it expires. */
void http_arrivals_add(struct http_loop *loop, const struct http_arrival *arrival)
{
    struct waiting *waiting = mem_alloc(sizeof(*waiting));
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = waiting };

    waiting->since_us = clock_monotonic_us();
    waiting->arrival = *arrival;
    list_append(&loop->arrivals.waiting, &waiting->link);
    (void)epoll_ctl(loop->arrivals.event, EPOLL_CTL_ADD, arrival->fd, &event);
}

void http_arrivals_take(struct http_loop *loop)
{
    struct epoll_event events[BATCH];
    int count = epoll_wait(loop->arrivals.event, events, BATCH, 0);

    for (int i = 0; i < count; i++)
        look(loop, events[i].data.ptr,
             (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

/* In a drain a connection without a header is an idle one. */
static int64_t arrival_limit_us(const struct http *http)
{
    int64_t idle_us = atomic_load_explicit(&http->idle_limit_us, memory_order_relaxed);

    return idle_us < http->options.deadline_us ? idle_us : http->options.deadline_us;
}

int64_t http_arrivals_expire(struct http_loop *loop)
{
    int64_t now_us = clock_monotonic_us();
    struct waiting *oldest;

    while ((oldest = oldest_waiting(loop)) &&
           oldest->since_us + arrival_limit_us(loop->http) <= now_us) {
        char byte;

        if (recv(oldest->arrival.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
            (void)refuse(loop->http, &oldest->arrival, "late");
        close_waiting(loop, oldest);
    }
    return oldest ? oldest->since_us + arrival_limit_us(loop->http) : INT64_MAX;
}

bool http_arrivals_evict(struct http_loop *loop, int64_t age_us)
{
    struct waiting *oldest = oldest_waiting(loop);

    if (!oldest || clock_monotonic_us() - oldest->since_us < age_us)
        return false;
    close_waiting(loop, oldest);
    return true;
}

void http_arrivals_close(struct http_loop *loop)
{
    struct waiting *oldest;

    while ((oldest = oldest_waiting(loop)))
        close_waiting(loop, oldest);
    if (loop->arrivals.event >= 0)
        (void)close(loop->arrivals.event);
    loop->arrivals.event = -1;
}
