/*
 * test_fetch.c - claims about base/fetch.h, against a server that plays one script a connection.
 */
#include "base/fetch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/canned.h"
#include "tests/unit/test.h"

enum ending {
    END_CLOSE,
    END_RESET,
    END_STALL, /* say no more until the client has gone */
};

struct script {
    const char *answer;
    enum ending ending;
    size_t repeat; /* how often the answer is sent; 0: once */
};

static struct {
    int listener;
    int port;
    const struct script *script;
    char request[4096]; /* what the client said */
    int checked;        /* clients' connections that were looked at */
    bool leaks;         /* one of them would be inherited by programs */
} server;

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

static void read_request(int fd)
{
    size_t len = 0;

    while (len + 1 < sizeof(server.request)) {
        ssize_t count = recv(fd, server.request + len, sizeof(server.request) - 1 - len, 0);

        if (count <= 0)
            break;
        len += (size_t)count;
        server.request[len] = '\0';
        if (strstr(server.request, "\r\n\r\n"))
            break;
    }
}

/* Would a program that is started now get the client's end of this connection, `fd` is ours? */
static bool client_leaks(int fd)
{
    struct sockaddr_in peer = { 0 };
    struct sockaddr_in own;
    socklen_t len = sizeof(peer);

    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        return false; /* the client has gone already */
    for (int other = 0; other < 1024; other++) {
        len = sizeof(own);
        own = (struct sockaddr_in){ 0 };
        if (getsockname(other, (struct sockaddr *)&own, &len) == 0 &&
            own.sin_port == peer.sin_port) {
            server.checked++;
            return !(fcntl(other, F_GETFD) & FD_CLOEXEC);
        }
    }
    return false; /* likewise */
}

static void *serve_one(void *self)
{
    const struct script *script = server.script;
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    int fd = accept(server.listener, NULL, NULL);
    char rest[100];

    if (fd < 0)
        return self; /* the client has given up before it connected */
    server.leaks |= client_leaks(fd);
    read_request(fd);
    for (size_t i = 0; i < (script->repeat ? script->repeat : 1); i++)
        if (send(fd, script->answer, strlen(script->answer), MSG_NOSIGNAL) < 0)
            break;
    if (script->ending == END_STALL)
        while (recv(fd, rest, sizeof(rest), 0) > 0)
            continue;
    if (script->ending == END_RESET)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(fd);
    return self;
}

/* Fetch from a server that plays `script`. */
static bool get(const char *url, int64_t timeout_us, struct fetch_answer *answer, struct error *err)
{
    struct fetch_client *client = fetch_client_create();
    const struct fetch_request request = { .url = url, .timeout_us = timeout_us };
    bool ok = fetch_client_run(client, &request, answer, err);

    fetch_client_destroy(client);
    return ok;
}

static bool fetch_from(const struct script *script, int64_t timeout_us, struct fetch_answer *answer,
                       struct error *err)
{
    char url[100];
    pthread_t thread;

    server.script = script;
    server.request[0] = '\0';
    server.listener = listen_anywhere(&server.port);
    assert(listen(server.listener, 5) == 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/path?a=b", server.port);
    assert(pthread_create(&thread, NULL, serve_one, NULL) == 0);

    bool ok = get(url, timeout_us, answer, err);

    (void)shutdown(server.listener, SHUT_RDWR); /* ends accept() */
    (void)pthread_join(thread, NULL);
    (void)close(server.listener);
    return ok;
}

static void any_status_is_an_answer(void)
{
    static const struct {
        const char *name;
        struct script script;
        int status;
        const char *body;
    } cases[] = {
        { "200", { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" }, 200, "hello" },
        { "no body", { .answer = "HTTP/1.1 204 No Content\r\n\r\n" }, 204, "" },
        { "404",
          { .answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n" },
          404,
          "no\n" },
        { "503", { .answer = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n" }, 503, "" },
        { "chunks",
          { .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" },
          200,
          "abcde" },
        { "until the end", { .answer = "HTTP/1.0 200 OK\r\n\r\nall of it" }, 200, "all of it" },
        { "a redirect is not followed",
          { .answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                      "Content-Length: 2\r\n\r\ngo" },
          302,
          "go" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetch_answer answer = { 0 };
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        buf_init(&answer.body, 1000);
        CHECK(fetch_from(&cases[i].script, 10000000, &answer, &err));
        CHECK_STR(str_from_c(err.text), "");
        CHECK_INT(answer.status, cases[i].status);
        CHECK_STR(buf_str(&answer.body), cases[i].body);
        CHECK(str_starts_with(str_from_c(server.request), STR("GET /path?a=b HTTP/1.1\r\n")));
        buf_done(&answer.body);
    }
}

static void no_whole_answer_is_a_failure(void)
{
    static const struct {
        const char *name;
        struct script script;
        int64_t timeout_us;
    } cases[] = {
        { "closed at once", { .answer = "" }, 10000000 },
        { "reset", { .answer = "", .ending = END_RESET }, 10000000 },
        { "cut short",
          { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" },
          10000000 },
        { "cut chunk",
          { .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab" },
          10000000 },
        { "no HTTP", { .answer = "SSH-2.0-OpenSSH_9.2\r\n" }, 10000000 },
        { "a silent server", { .answer = "", .ending = END_STALL }, 100000 },
        { "silent in the middle",
          { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", .ending = END_STALL },
          100000 },
        { "less than a millisecond", { .answer = "", .ending = END_STALL }, 500 },
        { "no time at all", { .answer = "", .ending = END_STALL }, 0 },
        { "a deadline that has passed", { .answer = "", .ending = END_STALL }, -5000000 },
        { "a body over the maximum", { .answer = "HTTP/1.0 200 OK\r\n\r\n0123456789" }, 10000000 },
        { "a body without end",
          { .answer = "HTTP/1.0 200 OK\r\n\r\n", .repeat = 100000 },
          10000000 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetch_answer answer = { .status = -1 };
        struct error err = { 0 };
        int64_t before = clock_monotonic_us();

        TEST_CASE(cases[i].name);
        buf_init(&answer.body, 9);
        CHECK(!fetch_from(&cases[i].script, cases[i].timeout_us, &answer, &err));
        CHECK_INT(err.code, ERR_UNREACHABLE);
        CHECK(err.text[0] != '\0');
        CHECK_INT(answer.status, -1);
        CHECK(answer.body.len <= 9);
        CHECK(clock_monotonic_us() - before < 9000000);
        buf_done(&answer.body);
    }
}

static void nobody_there_is_a_failure(void)
{
    struct fetch_answer answer = { 0 };
    struct error err = { 0 };
    char url[100];
    int port;
    int fd = listen_anywhere(&port); /* bound, not listening: connections are refused */

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    buf_init(&answer.body, 100);
    CHECK(!get(url, 10000000, &answer, &err));
    CHECK_INT(err.code, ERR_UNREACHABLE);
    (void)close(fd);
    buf_done(&answer.body);
}

static void only_http_is_spoken(void)
{
    static const char *const urls[] = {
        "file:///etc/passwd",
        "ftp://127.0.0.1:1/x",
        "gopher://127.0.0.1:1/x",
        "dict://127.0.0.1:1/x",
        "",
        "no url",
        "http://",
        "http:///x",
    };

    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct fetch_answer answer = { .status = -1 };
        struct error err = { 0 };

        TEST_CASE(urls[i]);
        buf_init(&answer.body, 100000);
        CHECK(!get(urls[i], 5000000, &answer, &err));
        CHECK_INT(err.code, ERR_UNREACHABLE);
        CHECK_INT((int64_t)answer.body.len, 0);
        buf_done(&answer.body);
    }
}

static void no_proxy_is_used(void)
{
    static const struct script script = { .answer =
                                              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" };
    struct fetch_answer answer = { 0 };
    struct error err = { 0 };

    (void)setenv("http_proxy", "http://127.0.0.1:1/", 1); /* NOLINT(concurrency-mt-unsafe) */
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);  /* NOLINT(concurrency-mt-unsafe) */
    buf_init(&answer.body, 100);
    CHECK(fetch_from(&script, 10000000, &answer, &err));
    CHECK_INT(answer.status, 200);
    buf_done(&answer.body);
}

static struct str say_hello(void *self, struct str request, size_t nth)
{
    (void)self;
    (void)request;
    (void)nth;
    return STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

/* libcurl does not know which certificates verified a connection. */
static void connections_are_kept_for_one_ca_file(void)
{
    static const struct {
        const char *ca_file;
        int64_t connections; /* after the request */
    } requests[] = { { "/a.pem", 1 }, { "/a.pem", 1 }, { "/b.pem", 2 }, { "/b.pem", 3 },
                     { "/a.pem", 3 }, { NULL, 4 },     { "/a.pem", 4 } };
    struct canned *canned = canned_start(NULL, say_hello, NULL);
    struct fetch_client *client = fetch_client_create();
    struct fetch_answer answer;
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(canned));
    fetch_answer_init(&answer, 100);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        const struct fetch_request request = { .url = url,
                                               .timeout_us = 30 * US_PER_S,
                                               .ca_file = requests[i].ca_file };
        struct error err = { 0 };

        CHECK(fetch_client_run(client, &request, &answer, &err));
        CHECK_INT((int64_t)canned_connections(canned), requests[i].connections);
    }
    fetch_answer_done(&answer);
    fetch_client_destroy(client);
    canned_destroy(canned);
}

static void programs_do_not_inherit_connections(void)
{
    CHECK(server.checked > 0); /* by the tests above */
    CHECK(!server.leaks);
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(any_status_is_an_answer);
    RUN(no_whole_answer_is_a_failure);
    RUN(nobody_there_is_a_failure);
    RUN(only_http_is_spoken);
    RUN(no_proxy_is_used);
    RUN(connections_are_kept_for_one_ca_file);
    RUN(programs_do_not_inherit_connections);
    return test_end();
}
