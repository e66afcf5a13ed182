/*
 * listen.c - see listen.h.
 */
#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/*
 * Accepted sockets inherit TCP_NODELAY (Linux), which saves a system call for each. With
 * TCP_DEFER_ACCEPT the kernel hands a connection over when its first bytes are there, or after a
 * second without any. Not with TLS: a session is set up while the client makes its ClientHello.
 */
static bool prepare(int fd, const struct addrinfo *info, bool has_tls)
{
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           (has_tls || set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1)) &&
           (info->ai_family != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
           bind(fd, info->ai_addr, info->ai_addrlen) == 0;
}

static bool is_loopback4(const void *bytes)
{
    return *(const uint8_t *)bytes == IN_LOOPBACKNET;
}

struct http_place http_listen_place(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    struct http_place place = { 0 };
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    (void)getsockname(fd, (struct sockaddr *)&address, &len);
    memcpy(&v4, &address, sizeof(v4));
    memcpy(&v6, &address, sizeof(v6));
    if (address.ss_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, place.host, sizeof(place.host));
        place.port = ntohs(v6.sin6_port);
        place.loopback =
            IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
            (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && is_loopback4(&v6.sin6_addr.s6_addr[12]));
        return place;
    }
    (void)inet_ntop(AF_INET, &v4.sin_addr, place.host, sizeof(place.host));
    place.port = ntohs(v4.sin_port);
    place.loopback = is_loopback4(&v4.sin_addr);
    return place;
}

static bool fail_to_listen(struct error *err, int errnum, const struct http_listener *listener)
{
    bool v6 = strchr(listener->address, ':') != NULL;

    return fail_errno(err, ERR_SYSTEM, errnum, "cannot listen on %s%s%s:%u", v6 ? "[" : "",
                      listener->address, v6 ? "]" : "", (unsigned)listener->port);
}

/* A socket that is bound and does not listen yet. */
static bool bind_socket(const struct http_listener *listener, int *fd, struct error *err)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *info = NULL;
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", (unsigned)listener->port);
    if (getaddrinfo(listener->address, service, &hints, &info) != 0)
        return fail_to_listen(err, EADDRNOTAVAIL, listener);

    int bound = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ready = bound >= 0 && prepare(bound, info, listener->tls != NULL);
    int errnum = errno;

    freeaddrinfo(info);
    if (!ready) {
        if (bound >= 0)
            (void)close(bound);
        return fail_to_listen(err, errnum, listener);
    }
    *fd = bound;
    return true;
}

bool http_can_listen(const char *address, uint16_t port, struct error *err)
{
    const struct http_listener listener = { .address = address, .port = port };
    int fd = -1;

    if (!bind_socket(&listener, &fd, err))
        return false;
    (void)close(fd);
    return true;
}

bool http_listen(const struct http_listener *listener, int *fd, uint16_t *port, struct error *err)
{
    int listening = listener->socket;

    if (!listening && !bind_socket(listener, &listening, err))
        return false;
    if (!listener->socket && listen(listening, SOMAXCONN) != 0) {
        int errnum = errno;

        (void)close(listening);
        return fail_to_listen(err, errnum, listener);
    }
    *fd = listening;
    *port = http_listen_place(listening).port;
    return true;
}
