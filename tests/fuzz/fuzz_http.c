/*
 * fuzz_http.c - whatever bytes come on a connection, in whatever pieces: what leaves looks like
 * HTTP, the connection ends with them, and nothing of the limits stays taken.
 *
 * The first byte says how the rest is cut into pieces, and whether they go to the TLS side.
 */
#include <assert.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "server/http/addresses.h"
#include "server/http/http.h"
#include "server/http/http_internal.h"
#include "server/http/loop.h"
#include "server/http/tls.h"
#include "tests/unit/tls_files.h"

enum {
    TLS_BIT = 0x80,
    PIECE_BITS = 0x7f,
    MAX_BODY = 1000,
    LONG_US = 20 * 1000 * 1000,
    YEAR_DAYS = 365,
    SPINS = 20 * 1000 * 1000, /* a server that hangs ends the fuzzer, not the day */
};

static struct http *server;

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum handler_step echo(void *self, struct request *request, struct response *response)
{
    (void)self;
    assert(request->body.len <= MAX_BODY);
    assert(request->id.len > 0);
    response->status = 200;
    response->body = arena_copy(request->arena, request->body);
    return HANDLER_DONE;
}

static bool admit(void *self, const struct request *request, struct response *response)
{
    (void)self;
    if (!str_equal(request->header(request->connection, "X-Key"), STR("no")))
        return true;
    response_refuse(response, request->arena, 401, NULL);
    return false;
}

static void answered(void *self, const struct http_exchange_summary *summary)
{
    (void)self;
    assert(summary->status == 0 || (summary->status >= 100 && summary->status < 600));
    assert(summary->path.len > 0 && summary->method.len > 0);
}

static struct http_tls *make_tls(void)
{
    struct folder folder;
    struct http_tls *tls = NULL;
    struct error err = { 0 };

    folder_init(&folder);
    tls_files_write(&folder, "pair", (int64_t)YEAR_DAYS * TLS_FILES_DAY);

    struct tls_files files = tls_files_paths(&folder, "pair");
    bool made = http_tls_create(files.cert, files.key, &tls, &err);

    folder_done(&folder);
    if (!made)
        abort();
    return tls;
}

static void start(void)
{
    const struct handler handlers[] = {
        { .path = "/events", .method = HANDLER_POST, .admit = admit, .handle = echo },
        { .path = "/healthz", .handle = echo, .is_probe = true },
    };
    const struct http_listener listeners[] = {
        { "127.0.0.1", 0, { handlers, COUNT_OF(handlers) }, NULL, 0 },
        { "127.0.0.1", 0, { handlers, COUNT_OF(handlers) }, make_tls(), 0 },
    };
    struct error err = { 0 };

    log_configure(LOG_ERROR, LOG_TEXT);
    if (!http_start(&(struct http_options){ .listeners = listeners,
                                            .listener_count = COUNT_OF(listeners),
                                            .threads = 1,
                                            .max_connections = 100,
                                            .max_head = 16384,
                                            .max_body = MAX_BODY,
                                            .max_inflight_bytes = 1 << 20,
                                            .deadline_us = LONG_US,
                                            .idle_timeout_us = LONG_US,
                                            .answered = answered },
                    &server, &err))
        abort();
}

static int connect_to(const struct http_endpoint *endpoint)
{
    struct http_arrival arrival = { .endpoint = endpoint };
    struct sockaddr_in *peer = (struct sockaddr_in *)(void *)&arrival.peer;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        abort();
    peer->sin_family = AF_INET;
    peer->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    arrival.fd = fds[1];
    if (ioctl(arrival.fd, FIONBIO, &(int){ 1 }) != 0)
        abort();
    arrival.address = http_address_of(&arrival.peer); /* counted in, as by the acceptor */
    if (!http_addresses_enter(server->addresses, arrival.address))
        abort();
    atomic_fetch_add(&server->connections, 1);
    http_loop_add(server->loops[0], &arrival);
    return fds[0];
}

/* Wait until the server has read all, or has stopped reading. */
static void await_read(int fd)
{
    int left = 1;

    for (int i = 0; left > 0 && i < SPINS; i++) {
        char byte;

        if (ioctl(fd, SIOCOUTQ, &left) != 0 || recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            return;
        (void)sched_yield();
    }
}

static void send_pieces(int fd, const uint8_t *data, size_t size, size_t piece)
{
    while (size > 0) {
        size_t len = size < piece ? size : piece;
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent <= 0)
            return; /* it has closed, or unread answers stop it */
        data += sent;
        size -= (size_t)sent;
        await_read(fd);
    }
}

/* All that the server says until it closes. */
static void check_answers(int fd, bool tls)
{
    static const char start_of_answer[] = "HTTP/1.";
    char bytes[4096];
    size_t total = 0;
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        if (!tls && total == 0 && got >= (ssize_t)sizeof(start_of_answer))
            assert(memcmp(bytes, start_of_answer, sizeof(start_of_answer) - 1) == 0);
        total += (size_t)got;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (!server)
        start();

    bool tls = (data[0] & TLS_BIT) != 0;
    size_t piece = (data[0] & PIECE_BITS) ? (size_t)(data[0] & PIECE_BITS) * 8 : 1;
    int fd = connect_to(&server->endpoints[tls ? 1 : 0]);

    send_pieces(fd, data + 1, size - 1, piece);
    (void)shutdown(fd, SHUT_WR);
    check_answers(fd, tls);
    (void)close(fd);
    for (int i = 0; http_connections(server) > 0; i++) {
        assert(i < SPINS);
        (void)sched_yield();
    }
    assert(atomic_load(&server->in_flight.used) == 0);
    assert(atomic_load(&server->bytes.used) == 0);
    return 0;
}
