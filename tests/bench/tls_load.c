/*
 * tls_load.c - a TLS client for measurements, which counts what really happened.
 *
 *     tls_load PORT CONNECTIONS SECONDS VERSION BODY [resume] [keep-alive] [rate=N]
 *
 * VERSION is 1.2 or 1.3, and nothing else is spoken, with the cipher AES-128-GCM and key shares of
 * X25519. BODY is a file to POST. Each request has a connection of its own with a full handshake;
 * `resume`: each with the session of the connection before it; `keep-alive`: connections stay open.
 * `rate`: N connections a second, at most CONNECTIONS at a time; the time of one that has to wait
 * for another counts from when it was due. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    REQUEST_MAX = 65536,
    ANSWER_MAX = 16384,
    TIMES_MAX = 1000000,
    EVENTS = 64,
    NS_PER_US = 1000,
    GRACE_NS = 2000000000,
};

struct client {
    SSL *tls;
    SSL_SESSION *session; /* of an earlier connection */
    size_t sent;
    size_t got;
    int64_t since_ns;
    int fd;            /* -1: it is done */
    bool is_connected; /* the handshake is complete */
    char answer[ANSWER_MAX];
};

static struct {
    struct sockaddr_in address;
    SSL_CTX *tls;
    int epoll;
    int64_t start_ns;
    int64_t end_ns;
    int64_t interval_ns; /* between two connections; 0: each begins when another one ends */
    int64_t due_ns;      /* when the next one begins, if there is an interval */
    bool resumes;
    bool keeps;
    char request[REQUEST_MAX];
    size_t request_len;
    long requests;
    long handshakes;
    long resumed;
    long retried; /* HelloRetryRequests */
    long failed;  /* no whole answer, or not 200 */
    float *times_us;
    size_t time_count;
} load;

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int keep_session(SSL *tls, SSL_SESSION *session)
{
    struct client *client = SSL_get_app_data(tls);

    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

/* Two ServerHellos are a HelloRetryRequest and the answer to the second ClientHello. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are OpenSSL's choice */
static void count_hellos(int is_sent, int version, int kind, const void *bytes, size_t len,
                         SSL *tls, void *self)
{
    static const unsigned char retry[] = { 0xcf, 0x21, 0xad, 0x74 }; /* RFC 8446, 4.1.3 */

    (void)version;
    (void)tls;
    (void)self;
    if (!is_sent && kind == SSL3_RT_HANDSHAKE && len > 10 &&
        ((const unsigned char *)bytes)[0] == SSL3_MT_SERVER_HELLO &&
        memcmp((const char *)bytes + 6, retry, sizeof(retry)) == 0)
        load.retried++;
}

static void begin(struct client *client, int64_t since_ns)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client };
    int on = 1;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert(client->fd >= 0);
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    client->since_ns = since_ns;
    client->is_connected = false;
    client->sent = client->got = 0;
    (void)connect(client->fd, (const struct sockaddr *)&load.address, sizeof(load.address));
    client->tls = SSL_new(load.tls);
    SSL_set_app_data(client->tls, client);
    (void)SSL_set_fd(client->tls, client->fd);
    SSL_set_connect_state(client->tls);
    (void)SSL_set_tlsext_host_name(client->tls, "localhost");
    if (load.resumes && client->session)
        (void)SSL_set_session(client->tls, client->session);
    (void)epoll_ctl(load.epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void end(struct client *client)
{
    (void)SSL_shutdown(client->tls);
    SSL_free(client->tls);
    ERR_clear_error();
    (void)close(client->fd);
    client->fd = -1;
}

static void next(struct client *client)
{
    int64_t now = now_ns();

    end(client);
    if (load.interval_ns == 0 && now < load.end_ns)
        begin(client, now);
}

/* At a given rate: begin what is due. */
static void begin_due(struct client *clients, size_t count)
{
    for (size_t i = 0; i < count && load.due_ns < load.end_ns && load.due_ns <= now_ns(); i++)
        if (clients[i].fd < 0) {
            begin(&clients[i], load.due_ns);
            load.due_ns += load.interval_ns;
        }
}

/* Must the caller wait? Otherwise it has failed, and there is a new connection. */
static bool waits(struct client *client, int result)
{
    int error = SSL_get_error(client->tls, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return true;
    load.failed++;
    next(client);
    return false;
}

/* The length of the whole answer, once its head is there. */
static size_t answer_len(struct client *client)
{
    const char *head_end;
    const char *length;

    client->answer[client->got] = '\0';
    head_end = strstr(client->answer, "\r\n\r\n");
    length = strcasestr(client->answer, "\r\ncontent-length:");
    if (!head_end || !length)
        return SIZE_MAX;
    return (size_t)(head_end + 4 - client->answer) + strtoul(length + 17, NULL, 10);
}

static void count_answer(struct client *client)
{
    int64_t now = now_ns();

    load.requests++;
    load.failed += strncmp(client->answer, "HTTP/1.1 200", 12) != 0;
    if (load.time_count < TIMES_MAX)
        load.times_us[load.time_count++] = (float)(now - client->since_ns) / NS_PER_US;
    client->sent = client->got = 0;
    client->since_ns = now;
}

/* True: go on with this client. */
static bool shake(struct client *client)
{
    int result = SSL_do_handshake(client->tls);

    if (result != 1)
        return !waits(client, result) && client->fd >= 0;
    client->is_connected = true;
    load.handshakes++;
    load.resumed += SSL_session_reused(client->tls);
    return true;
}

static bool ask(struct client *client)
{
    int result = SSL_write(client->tls, load.request, (int)load.request_len);

    if (result <= 0)
        return !waits(client, result) && client->fd >= 0;
    client->sent = load.request_len;
    return true;
}

static bool listen_to(struct client *client)
{
    int result = SSL_read(client->tls, client->answer + client->got,
                          (int)(sizeof(client->answer) - 1 - client->got));

    if (result <= 0)
        return !waits(client, result) && client->fd >= 0;
    client->got += (size_t)result;
    if (client->got < answer_len(client))
        return true;
    count_answer(client);
    if (!load.keeps || now_ns() >= load.end_ns)
        next(client);
    return client->fd >= 0;
}

static void go_on(struct client *client)
{
    bool goes_on = client->fd >= 0;

    while (goes_on)
        goes_on = !client->is_connected ? shake(client)
                  : client->sent == 0   ? ask(client)
                                        : listen_to(client);
}

static void set_up_tls(const char *version)
{
    int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;

    load.tls = SSL_CTX_new(TLS_client_method());
    assert(SSL_CTX_set_min_proto_version(load.tls, number) == 1 &&
           SSL_CTX_set_max_proto_version(load.tls, number) == 1 &&
           SSL_CTX_set1_groups_list(load.tls, "X25519:P-256") == 1 &&
           SSL_CTX_set_ciphersuites(load.tls, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set_cipher_list(load.tls, "ECDHE+AES128+AESGCM") == 1);
    SSL_CTX_set_session_cache_mode(load.tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(load.tls, keep_session);
    SSL_CTX_set_msg_callback(load.tls, count_hellos);
}

static void read_request(const char *file, int port)
{
    char body[REQUEST_MAX / 2];
    FILE *in = fopen(file, "rb");
    size_t len;

    assert(in);
    len = fread(body, 1, sizeof(body) - 1, in);
    body[len] = '\0';
    (void)fclose(in);
    load.request_len = (size_t)snprintf(
        load.request, sizeof(load.request),
        "POST /events HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: "
        "Amazon/EventBridge/ApiDestinations\r\nContent-Type: application/json; charset=utf-8\r\n"
        "Range: bytes=0-1048575\r\nAccept-Encoding: gzip,deflate\r\n%sContent-Length: "
        "%zu\r\n\r\n%s",
        port, load.keeps ? "" : "Connection: close\r\n", len, body);
}

static int by_time(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;

    return (x > y) - (x < y);
}

static double quantile_us(double q)
{
    size_t at = (size_t)((double)load.time_count * q);

    if (load.time_count == 0)
        return 0;
    return load.times_us[at < load.time_count ? at : load.time_count - 1];
}

static void report(void)
{
    qsort(load.times_us, load.time_count, sizeof(*load.times_us), by_time);
    printf("{\"requests\":%ld,\"failed\":%ld,\"handshakes\":%ld,\"resumed\":%ld,\"retried\":%ld,"
           "\"duration_us\":%lld,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
           load.requests, load.failed, load.handshakes, load.resumed, load.retried,
           (long long)((now_ns() - load.start_ns) / NS_PER_US), quantile_us(0.5),
           quantile_us(0.99));
}

static void run(struct client *clients, size_t count)
{
    struct epoll_event events[EVENTS];
    size_t live = count;

    while (live > 0 && now_ns() < load.end_ns + GRACE_NS) {
        int ready = epoll_wait(load.epoll, events, EVENTS, load.interval_ns ? 0 : 50);

        for (int i = 0; i < ready; i++)
            go_on(events[i].data.ptr);
        if (load.interval_ns)
            begin_due(clients, count);
        live = load.interval_ns && load.due_ns < load.end_ns;
        for (size_t i = 0; i < count; i++)
            live += clients[i].fd >= 0;
    }
}

int main(int argc, char **argv)
{
    static struct client clients[CONNECTIONS_MAX];
    size_t count;

    if (argc < 6)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 6; i < argc; i++) {
        load.resumes = load.resumes || strcmp(argv[i], "resume") == 0;
        load.keeps = load.keeps || strcmp(argv[i], "keep-alive") == 0;
        if (strncmp(argv[i], "rate=", 5) == 0)
            load.interval_ns = (int64_t)(1e9 / strtod(argv[i] + 5, NULL));
    }
    load.address.sin_family = AF_INET;
    load.address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    count = strtoul(argv[2], NULL, 10);
    assert(count <= CONNECTIONS_MAX);
    set_up_tls(argv[4]);
    read_request(argv[5], ntohs(load.address.sin_port));
    load.times_us = malloc(TIMES_MAX * sizeof(*load.times_us));
    load.epoll = epoll_create1(0);
    load.start_ns = now_ns();
    load.due_ns = load.start_ns;
    load.end_ns = load.start_ns + (int64_t)(strtod(argv[3], NULL) * 1e9);
    for (size_t i = 0; i < count; i++) {
        clients[i].fd = -1;
        if (load.interval_ns == 0)
            begin(&clients[i], load.start_ns);
    }
    run(clients, count);
    report();
    return 0;
}
