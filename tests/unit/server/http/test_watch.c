/*
 * test_watch.c - claims about server/http/watch.h, on real connections.
 */
#include "server/http/watch.h"

#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/listen.h"
#include "tests/unit/http_client.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

/* A connection's two ends. */
struct pair {
    int client;
    int server;
};

static struct pair open_pair(void)
{
    const struct http_listener listener = { .address = "127.0.0.1" };
    struct error err;
    uint16_t port = 0;
    int listening = -1;

    assert(http_listen(&listener, &listening, &port, &err));

    struct pollfd event = { .fd = listening, .events = POLLIN };
    int client = http_client_open(port);

    assert(poll(&event, 1, 10000) == 1);

    struct pair pair = { client, accept4(listening, NULL, NULL, SOCK_NONBLOCK) };

    assert(pair.server >= 0);
    (void)close(listening);
    return pair;
}

static void close_pair(struct pair pair)
{
    http_client_close(pair.client);
    (void)close(pair.server);
}

static struct http_connection *reported; /* the last one that the watch reported */
static int report_count;

static void on_begun(struct http_connection *connection)
{
    reported = connection;
    report_count++;
}

static bool is_reported(const struct http_watch *watch, int timeout_ms)
{
    struct pollfd event = { .fd = watch->event, .events = POLLIN };
    int before = report_count;

    (void)poll(&event, 1, timeout_ms);
    http_watch_take(watch, on_begun);
    return report_count > before;
}

static void reports_bytes_once(void)
{
    struct pair pair = open_pair();
    struct http_watch watch;
    struct error err;
    int marker;
    struct http_connection *connection = (struct http_connection *)(void *)&marker;

    CHECK(http_watch_init(&watch, &err));
    http_watch_add(&watch, pair.server, connection, false);
    CHECK(!is_reported(&watch, 0));
    CHECK(http_client_send(pair.client, STR("x")));
    CHECK(is_reported(&watch, 10000));
    CHECK(reported == connection);
    CHECK(http_client_send(pair.client, STR("y")));
    CHECK(!is_reported(&watch, 20));

    TEST_CASE("what is there already");
    http_watch_add(&watch, pair.server, connection, true);
    CHECK(is_reported(&watch, 10000));

    TEST_CASE("the end");
    shutdown(pair.client, SHUT_WR);
    http_watch_add(&watch, pair.server, connection, true);
    CHECK(is_reported(&watch, 10000));
    http_watch_done(&watch);
    CHECK_INT(watch.event, -1);
    http_watch_done(&watch);
    close_pair(pair);
}

static bool has_ended(void *self)
{
    return http_watch_is_ended(*(int *)self);
}

static void knows_the_end_of_the_stream(void)
{
    struct pair pair = open_pair();
    char byte;

    CHECK(!http_watch_is_ended(pair.server));
    CHECK(http_client_send_last(pair.client, STR("x")));
    CHECK(!http_watch_is_ended(pair.server)); /* the byte comes first */
    CHECK(recv(pair.server, &byte, 1, 0) == 1);
    CHECK(wait_until(has_ended, &pair.server));
    close_pair(pair);
}

static bool has_heard(void *self)
{
    return http_watch_has_received_more(*(int *)self, 0);
}

static void knows_whether_bytes_have_come(void)
{
    struct pair pair = open_pair();
    const int64_t long_us = INT64_C(3600) * 1000000;
    char byte;

    CHECK(!http_watch_has_received_more(pair.server, 0));
    CHECK(http_client_send(pair.client, STR("x")));
    CHECK(wait_until(has_heard, &pair.server));
    CHECK(recv(pair.server, &byte, 1, 0) == 1);
    CHECK(http_watch_has_received_more(pair.server, 0)); /* also when they are read */
    CHECK(!http_watch_has_received_more(pair.server, 1));
    CHECK(http_watch_has_received(pair.server, long_us));
    CHECK(!http_watch_has_received(pair.server, 0));
    CHECK(!http_watch_has_received(-1, long_us));
    CHECK(!http_watch_has_received_more(-1, 0));
    close_pair(pair);
}

int main(void)
{
    RUN(reports_bytes_once);
    RUN(knows_the_end_of_the_stream);
    RUN(knows_whether_bytes_have_come);
    return test_end();
}
