/*
 * canned.c - see canned.h.
 */
#include "tests/unit/canned.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"

enum {
    CONNECTIONS = 16,
    REQUEST_MAX = 4 << 20,
    STOP = CONNECTIONS, /* index in `polled`, after the connections */
    LISTENER,
    POLLED,
};

struct canned {
    canned_answer *answer;
    void *self;
    int port;
    pthread_t thread;
    bool running;
    struct pollfd polled[POLLED];
    struct buf input[CONNECTIONS];
    atomic_size_t requests;
    atomic_size_t connections;
};

static int listen_at_path(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(fd >= 0 && bind(fd, (const struct sockaddr *)&address, len) == 0);
    assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void take_connection(struct canned *canned)
{
    int fd = accept(canned->polled[LISTENER].fd, NULL, NULL);

    for (size_t i = 0; fd >= 0 && i < CONNECTIONS; i++) {
        if (canned->polled[i].fd < 0) {
            canned->polled[i].fd = fd;
            atomic_fetch_add(&canned->connections, 1);
            return;
        }
    }
    if (fd >= 0)
        (void)close(fd);
}

static void drop(struct canned *canned, size_t i)
{
    (void)close(canned->polled[i].fd);
    canned->polled[i].fd = -1;
    buf_clear(&canned->input[i]);
}

/*
 * The length of the first request in `input`, 0 while it is incomplete. Bytes that are not HTTP,
 * for example TLS, count as a request at once.
 */
static size_t whole_request(struct str input)
{
    const char *end = input.len ? memmem(input.ptr, input.len, "\r\n\r\n", 4) : NULL;
    const char *length = end ? strcasestr(input.ptr, "\r\nContent-Length:") : NULL;
    size_t len = end ? (size_t)(end - input.ptr) + 4 : 0;

    if (input.len > 0 && (input.ptr[0] < 'A' || input.ptr[0] > 'Z'))
        return input.len;
    if (length && length < end)
        len += (size_t)strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);
    return len <= input.len ? len : 0;
}

static void answer_one(struct canned *canned, size_t i, size_t len)
{
    struct str request = { canned->input[i].ptr, len };
    struct str answer =
        canned->answer(canned->self, request, atomic_fetch_add(&canned->requests, 1));

    buf_clear(&canned->input[i]);
    if (answer.len > 0)
        (void)send(canned->polled[i].fd, answer.ptr, answer.len, MSG_NOSIGNAL);
    if (answer.ptr &&
        (answer.len == 0 || memmem(answer.ptr, answer.len, "\r\nConnection: close\r\n", 21)))
        drop(canned, i);
}

static void read_from(struct canned *canned, size_t i)
{
    char bytes[4096];
    ssize_t count = recv(canned->polled[i].fd, bytes, sizeof(bytes), 0);

    if (count <= 0) {
        drop(canned, i);
        return;
    }
    buf_add(&canned->input[i], (struct str){ bytes, (size_t)count });
    assert(buf_reserve(&canned->input[i], 1));
    canned->input[i].ptr[canned->input[i].len] = '\0';

    size_t len = whole_request(buf_str(&canned->input[i]));

    if (len > 0)
        answer_one(canned, i, len);
}

static void *serve(void *self)
{
    struct canned *canned = self;

    while (poll(canned->polled, POLLED, -1) >= 0 && !canned->polled[STOP].revents) {
        for (size_t i = 0; i < CONNECTIONS; i++)
            if (canned->polled[i].fd >= 0 && canned->polled[i].revents)
                read_from(canned, i);
        if (canned->polled[LISTENER].revents)
            take_connection(canned);
    }
    return NULL;
}

struct canned *canned_start(const char *path, canned_answer *answer, void *self)
{
    struct canned *canned = mem_alloc(sizeof(*canned));

    canned->answer = answer;
    canned->self = self;
    for (size_t i = 0; i < POLLED; i++)
        canned->polled[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
    for (size_t i = 0; i < CONNECTIONS; i++)
        buf_init(&canned->input[i], REQUEST_MAX);
    canned->polled[LISTENER].fd = path ? listen_at_path(path) : listen_anywhere(&canned->port);
    canned->polled[STOP].fd = eventfd(0, EFD_CLOEXEC);
    assert(listen(canned->polled[LISTENER].fd, CONNECTIONS) == 0);
    assert(pthread_create(&canned->thread, NULL, serve, canned) == 0);
    canned->running = true;
    return canned;
}

int canned_port(const struct canned *canned)
{
    return canned->port;
}

size_t canned_requests(const struct canned *canned)
{
    return atomic_load(&canned->requests);
}

size_t canned_connections(const struct canned *canned)
{
    return atomic_load(&canned->connections);
}

void canned_stop(struct canned *canned)
{
    if (!canned->running)
        return;
    canned->running = false;
    assert(eventfd_write(canned->polled[STOP].fd, 1) == 0);
    (void)pthread_join(canned->thread, NULL);
    for (size_t i = 0; i < POLLED; i++)
        if (canned->polled[i].fd >= 0)
            (void)close(canned->polled[i].fd);
}

void canned_destroy(struct canned *canned)
{
    canned_stop(canned);
    for (size_t i = 0; i < CONNECTIONS; i++)
        buf_done(&canned->input[i]);
    mem_free(canned);
}
