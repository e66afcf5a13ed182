/*
 * test_listen.c - claims about server/http/listen.h: the options that connections inherit, and the
 * place of a socket.
 */
#include "server/http/listen.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test.h"

static int option_of(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);

    CHECK(getsockopt(fd, IPPROTO_TCP, option, &value, &len) == 0);
    return value;
}

static void a_connection_is_handed_over_with_its_first_bytes(void)
{
    const struct http_listener listener = { .address = "127.0.0.1" };
    struct error err = { 0 };
    uint16_t port = 0;
    int fd = -1;

    CHECK(http_listen(&listener, &fd, &port, &err));
    CHECK(option_of(fd, TCP_DEFER_ACCEPT) > 0);
    CHECK(option_of(fd, TCP_NODELAY) > 0);

    struct http_place place = http_listen_place(fd);

    CHECK_STR(str_from_c(place.host), "127.0.0.1");
    CHECK(port > 0 && place.port == port && place.loopback);
    (void)close(fd);
}

int main(void)
{
    RUN(a_connection_is_handed_over_with_its_first_bytes);
    return test_end();
}
