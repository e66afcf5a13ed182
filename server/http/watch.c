/*
 * watch.c - see watch.h.
 */
#include "server/http/watch.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    BATCH = 64,
    SLACK_US = 12 * US_PER_MS, /* the kernel counts in ticks of up to 10 ms */
};

bool http_watch_init(struct http_watch *watch, struct error *err)
{
    watch->event = epoll_create1(EPOLL_CLOEXEC);
    if (watch->event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "epoll");
    return true;
}

void http_watch_done(struct http_watch *watch)
{
    if (watch->event >= 0)
        (void)close(watch->event);
    watch->event = -1;
}

/* If the kernel has no memory for it, the connection stays idle until its timeout. */
void http_watch_add(const struct http_watch *watch, int fd, struct http_connection *connection,
                    bool again)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
        .data.ptr = connection,
    };

    (void)epoll_ctl(watch->event, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

void http_watch_drop(const struct http_watch *watch, int fd)
{
    (void)epoll_ctl(watch->event, EPOLL_CTL_DEL, fd, NULL);
}

void http_watch_take(const struct http_watch *watch, void (*on_bytes)(struct http_connection *))
{
    struct epoll_event events[BATCH];
    int count = BATCH;

    while (count == BATCH) {
        count = epoll_wait(watch->event, events, BATCH, 0);
        for (int i = 0; i < count; i++)
            on_bytes(events[i].data.ptr);
    }
}

bool http_watch_is_ended(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool read_tcp_info(int fd, struct tcp_info *info)
{
    socklen_t len = sizeof(*info);

    *info = (struct tcp_info){ 0 };
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0 &&
           len >=
               offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info->tcpi_bytes_received);
}

/* The end of the stream counts as a byte. */
bool http_watch_is_unanswered(int fd, size_t known)
{
    struct tcp_info info;

    return read_tcp_info(fd, &info) && info.tcpi_data_segs_out == 0 &&
           info.tcpi_bytes_received > known + (http_watch_is_ended(fd) ? 1 : 0);
}

bool http_watch_has_received_more(int fd, size_t known)
{
    struct tcp_info info;

    return read_tcp_info(fd, &info) && info.tcpi_bytes_received > known;
}

bool http_watch_has_received(int fd, int64_t age_us)
{
    struct tcp_info info;

    return read_tcp_info(fd, &info) &&
           (int64_t)info.tcpi_last_data_recv * US_PER_MS < age_us - SLACK_US;
}
