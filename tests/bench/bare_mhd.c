/*
 * bare_mhd.c - what libmicrohttpd alone costs: the yardstick of `make bench`.
 *
 * The same shape as the server (an acceptor, loop threads with one external-epoll daemon each),
 * but every POST is read, thrown away and answered with a fixed body.
 *
 *     bare_mhd THREADS BODY_BYTES      prints the port it listens on
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_THREADS = 64,
    MAX_FRESH = 1024,
    MAX_BODY = 65536,
    POOL_BYTES = 24 * 1024, /* as the server, for heads of 16 KiB */
    IDLE_SECONDS = 30
};

struct loop {
    struct MHD_Daemon *daemon;
    struct MHD_Response *answer;
    int wake;             /* eventfd: new connections are there */
    pthread_mutex_t lock; /* guards the two below */
    int fresh[MAX_FRESH];
    size_t fresh_count;
};

static char body[MAX_BODY];
static struct loop loops[MAX_THREADS];

/* NOLINTNEXTLINE(readability-function-size): the parameters are MHD's choice */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    const struct loop *loop = self;
    static int begun;

    (void)url;
    (void)method;
    (void)version;
    (void)data;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, loop->answer);
}

static void take_connections(struct loop *loop)
{
    int fds[MAX_FRESH];
    size_t count = 0;
    uint64_t ignored = 0;

    (void)!read(loop->wake, &ignored, sizeof(ignored));
    (void)pthread_mutex_lock(&loop->lock);
    count = loop->fresh_count;
    memcpy(fds, loop->fresh, count * sizeof(int));
    loop->fresh_count = 0;
    (void)pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < count; i++) {
        struct sockaddr_in peer = { .sin_family = AF_INET };

        (void)MHD_add_connection(loop->daemon, fds[i], (struct sockaddr *)&peer, sizeof(peer));
    }
}

static void *run_loop(void *self)
{
    struct loop *loop = self;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = { { .fd = info->epoll_fd, .events = POLLIN },
                            { .fd = loop->wake, .events = POLLIN } };

    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout = 0;
        int wait = MHD_get_timeout(loop->daemon, &timeout) == MHD_YES ? (int)timeout : -1;

        (void)poll(fds, 2, wait);
        if (fds[1].revents & POLLIN)
            take_connections(loop);
        (void)MHD_run(loop->daemon);
    }
    return NULL;
}

static bool start_loop(struct loop *loop, size_t body_bytes)
{
    pthread_t thread;

    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)pthread_mutex_init(&loop->lock, NULL);
    loop->answer = MHD_create_response_from_buffer(body_bytes, body, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(loop->answer, "Content-Type", "application/json");
    loop->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                         NULL, NULL, on_request, loop, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT, 100000U,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    return loop->daemon && pthread_create(&thread, NULL, run_loop, loop) == 0;
}

static void hand_over(struct loop *loop, int fd)
{
    const uint64_t one = 1;
    bool taken = false;

    (void)pthread_mutex_lock(&loop->lock);
    if (loop->fresh_count < MAX_FRESH) {
        loop->fresh[loop->fresh_count++] = fd;
        taken = true;
    }
    (void)pthread_mutex_unlock(&loop->lock);
    if (!taken)
        (void)close(fd);
    (void)!write(loop->wake, &one, sizeof(one));
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    (void)printf("%u\n", (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    size_t body_bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 400;
    const int on = 1;

    if (threads < 1 || threads > MAX_THREADS || body_bytes > MAX_BODY)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    memset(body, 'x', sizeof(body));
    for (size_t i = 0; i < threads; i++)
        if (!start_loop(&loops[i], body_bytes))
            return 3;

    int listener = listen_somewhere();

    if (listener < 0)
        return 3;
    for (size_t next = 0;; next = (next + 1) % threads) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        hand_over(&loops[next], fd);
    }
}
