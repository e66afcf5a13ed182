/*
 * test_transport.c - what is read ahead, what is sent together, and that nothing is lost in between
 */
#include "server/http/transport.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "server/http/linger.h"
#include "tests/unit/test.h"

enum { OURS, PEERS, ENDS, BIG = 100000, BUFFER = 8192 };

static int ends[ENDS];

static struct http_transport begin(void)
{
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return (struct http_transport){ .fd = ends[OURS] };
}

static void end(struct http_transport *transport)
{
    http_transport_done(transport);
    (void)close(ends[OURS]);
    (void)close(ends[PEERS]);
}

static void say(const char *text)
{
    CHECK(send(ends[PEERS], text, strlen(text), 0) == (ssize_t)strlen(text));
}

/* The next `size` bytes at most; "EAGAIN", "end" or "error" if there are none. */
static const char *read_some(struct http_transport *transport, size_t size)
{
    static char text[BUFFER + 1];
    ssize_t count = http_transport_read(transport, text, size);

    if (count <= 0)
        return count == 0 ? "end" : errno == EAGAIN ? "EAGAIN" : "error";
    text[count] = '\0';
    return text;
}

/* What the peer has got. */
static struct str heard(void)
{
    static char text[2 * BIG];
    size_t len = 0;
    ssize_t count;

    while ((count = recv(ends[PEERS], text + len, sizeof(text) - len, 0)) > 0)
        len += (size_t)count;
    return (struct str){ text, len };
}

static ssize_t write_text(struct http_transport *transport, const char *a, const char *b)
{
    char first[2 * BUFFER];
    char second[BUFFER];
    const struct iovec parts[] = { { first, strlen(a) }, { second, strlen(b) } };

    (void)snprintf(first, sizeof(first), "%s", a);
    (void)snprintf(second, sizeof(second), "%s", b);
    return http_transport_write(transport, parts, COUNT_OF(parts));
}

static void reads_ahead_what_is_there(void)
{
    struct http_transport transport = begin();
    char left[10];

    say("abcdefg");
    CHECK_STR(str_from_c(read_some(&transport, 3)), "abc");
    CHECK_STR(heard(), ""); /* and takes it from the socket */
    say("hij");
    CHECK_INT((int64_t)http_transport_peek(&transport, left, sizeof(left)), 4);
    CHECK(memcmp(left, "defg", 4) == 0);
    CHECK_STR(str_from_c(read_some(&transport, 100)), "defg");
    CHECK_INT((int64_t)http_transport_peek(&transport, left, sizeof(left)), 0);
    CHECK_STR(str_from_c(read_some(&transport, BUFFER)), "hij"); /* a large read goes past */
    CHECK_STR(str_from_c(read_some(&transport, 3)), "EAGAIN");
    CHECK_STR(str_from_c(read_some(&transport, BUFFER)), "EAGAIN");
    CHECK(!transport.in);
    (void)shutdown(ends[PEERS], SHUT_WR);
    CHECK_STR(str_from_c(read_some(&transport, 3)), "end");
    end(&transport);
}

/* Only one time: the caller then waits for the socket. */
static void a_short_read_is_the_last_one(void)
{
    struct http_transport transport = begin();

    transport.trusts_short_reads = true;
    say("abc");
    CHECK_STR(str_from_c(read_some(&transport, 3)), "abc");
    say("def");
    CHECK_STR(str_from_c(read_some(&transport, 3)), "EAGAIN");
    CHECK_STR(str_from_c(read_some(&transport, 3)), "def");
    transport.trusts_short_reads = false;
    say("ghi");
    CHECK_STR(str_from_c(read_some(&transport, 3)), "ghi");
    (void)shutdown(ends[PEERS], SHUT_WR);
    CHECK_STR(str_from_c(read_some(&transport, 3)), "end");
    end(&transport);
}

static void sends_together(void)
{
    struct http_transport transport = begin();

    CHECK(!http_transport_is_waiting(&transport));
    CHECK(http_transport_flush(&transport));
    CHECK_INT(write_text(&transport, "ab", "c"), 3);
    CHECK_INT(write_text(&transport, "de", ""), 2);
    CHECK(http_transport_is_waiting(&transport));
    CHECK_STR(heard(), "");
    CHECK(http_transport_flush(&transport));
    CHECK_STR(heard(), "abcde");
    CHECK(!http_transport_is_waiting(&transport) && !transport.out);
    end(&transport);
}

/* Larger pieces go past the buffer, behind what waits in it. */
static void keeps_the_order_of_large_pieces(void)
{
    static char large[BUFFER + 2];
    static char half[BUFFER / 2 + 2];
    struct http_transport transport = begin();
    struct str got;

    memset(large, 'L', sizeof(large) - 1);
    memset(half, 'h', sizeof(half) - 1);
    CHECK_INT(write_text(&transport, "a", ""), 1);
    CHECK_INT(write_text(&transport, large, ""), BUFFER + 1);
    CHECK(!http_transport_is_waiting(&transport));
    CHECK_INT(write_text(&transport, half, ""), BUFFER / 2 + 1);
    CHECK_INT(write_text(&transport, half, "b"), BUFFER / 2 + 2); /* does not fit beside it */
    CHECK(http_transport_flush(&transport));
    got = heard();
    CHECK_INT((int64_t)got.len, 1 + (BUFFER + 1) + 2 * (BUFFER / 2 + 1) + 1);
    CHECK(got.ptr[0] == 'a' && got.ptr[1] == 'L' && got.ptr[BUFFER + 2] == 'h' &&
          got.ptr[got.len - 1] == 'b');
    end(&transport);
}

/* Writes pieces with a count until nothing more is accepted; returns the number of bytes. */
static size_t write_until_full(struct http_transport *transport, size_t *pieces)
{
    size_t len = 0;
    char piece[17];

    for (*pieces = 0;; ++*pieces) {
        ssize_t count;

        (void)snprintf(piece, sizeof(piece), "%015u ", (unsigned)*pieces);
        count = write_text(transport, piece, "");
        if (count < 0)
            return len;
        CHECK_INT(count, 16);
        len += 16;
    }
}

static void check_pieces(struct str got, size_t pieces)
{
    char piece[17];

    CHECK_INT((int64_t)got.len, (int64_t)pieces * 16);
    for (size_t i = 0; i < pieces && i * 16 + 16 <= got.len; i++) {
        (void)snprintf(piece, sizeof(piece), "%015u ", (unsigned)i);
        if (memcmp(got.ptr + i * 16, piece, 16) != 0) {
            CHECK_STR(((struct str){ got.ptr + i * 16, 16 }), piece);
            return;
        }
    }
}

static void accepts_nothing_while_the_kernel_does_not(void)
{
    struct http_transport transport = begin();
    int small = 4096;
    size_t pieces = 0;
    static char all[BIG];
    size_t len = 0;
    struct str got;

    CHECK(setsockopt(ends[OURS], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    CHECK(write_until_full(&transport, &pieces) >= BUFFER);
    CHECK_INT(errno, EAGAIN);
    CHECK(!http_transport_flush(&transport));
    CHECK_INT(write_text(&transport, "x", ""), 1); /* there is room behind what waits */
    for (bool done = false; !done;) {
        done = http_transport_flush(&transport);
        got = heard();
        memcpy(all + len, got.ptr, got.len);
        len += got.len;
    }
    CHECK(len > 0 && all[len - 1] == 'x');
    check_pieces((struct str){ all, len - 1 }, pieces);
    end(&transport);
}

static void a_connection_that_is_gone_accepts_nothing(void)
{
    struct http_transport transport = begin();

    (void)close(ends[PEERS]);
    CHECK_INT(write_text(&transport, "abc", ""), 3);
    CHECK(http_transport_flush(&transport)); /* the peer does not get it */
    CHECK_INT(write_text(&transport, "abc", ""), -1);
    CHECK_INT(errno, EPIPE);
    end(&transport);
}

/* MHD corks the socket and pushes before the bytes are sent. */
static void uncorks_the_socket(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct http_transport transport = { .may_be_corked = true };
    socklen_t len = sizeof(address);
    int on = 1;
    socklen_t on_len = sizeof(on);
    char byte;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 1) == 0 &&
           getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    ends[PEERS] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(connect(ends[PEERS], (struct sockaddr *)&address, len) == 0);
    ends[OURS] = accept(listener, NULL, NULL);
    transport.fd = ends[OURS];
    CHECK_INT(write_text(&transport, "a", ""), 1);
    CHECK(http_transport_flush(&transport) && transport.may_be_corked); /* it was not */
    CHECK(recv(ends[PEERS], &byte, 1, 0) == 1);
    CHECK(setsockopt(ends[OURS], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0);
    CHECK_INT(write_text(&transport, "b", ""), 1);
    CHECK(http_transport_flush(&transport) && !transport.may_be_corked);
    CHECK(recv(ends[PEERS], &byte, 1, 0) == 1 && byte == 'b');
    CHECK(getsockopt(ends[OURS], IPPROTO_TCP, TCP_CORK, &on, &on_len) == 0 && on == 0);
    (void)close(listener);
    end(&transport);
}

static void what_the_kernel_did_not_accept_is_sent_after_the_end(void)
{
    struct http_transport transport = begin();
    struct http_linger linger;
    int small = 4096;
    size_t pieces = 0;
    static char all[BIG];
    size_t len = 0;
    ssize_t count;

    CHECK(setsockopt(ends[OURS], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    http_linger_init(&linger);
    CHECK(http_linger_due_us(&linger) == INT64_MAX);
    (void)write_until_full(&transport, &pieces);
    http_linger_add(&linger, &transport);
    CHECK(!http_transport_is_waiting(&transport));
    (void)close(ends[OURS]);
    ends[OURS] = -1;
    CHECK(http_linger_due_us(&linger) < INT64_MAX);
    while (linger.count > 0) {
        http_linger_run(&linger);
        while ((count = recv(ends[PEERS], all + len, sizeof(all) - len, 0)) > 0)
            len += (size_t)count;
    }
    check_pieces((struct str){ all, len }, pieces);
    CHECK(recv(ends[PEERS], all, 1, 0) == 0); /* the end */
    http_linger_done(&linger);
    end(&transport);
}

static void a_client_that_is_gone_or_one_of_too_many_is_dropped(void)
{
    struct http_linger linger;
    int small = 4096;
    size_t pieces;

    http_linger_init(&linger);
    for (int i = 0; i < 300; i++) {
        struct http_transport transport = begin();

        CHECK(setsockopt(ends[OURS], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
        (void)write_until_full(&transport, &pieces);
        http_linger_add(&linger, &transport);
        end(&transport); /* closes the peer's end, too */
    }
    CHECK_INT((int64_t)linger.count, 256);
    http_linger_run(&linger);
    CHECK_INT((int64_t)linger.count, 0);

    struct http_transport transport = begin();

    CHECK(setsockopt(ends[OURS], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    (void)write_until_full(&transport, &pieces);
    http_linger_add(&linger, &transport);
    http_linger_run(&linger);
    CHECK_INT((int64_t)linger.count, 1); /* the client may still read */
    http_linger_done(&linger);
    CHECK_INT((int64_t)linger.count, 0);
    end(&transport);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(reads_ahead_what_is_there);
    RUN(a_short_read_is_the_last_one);
    RUN(sends_together);
    RUN(keeps_the_order_of_large_pieces);
    RUN(accepts_nothing_while_the_kernel_does_not);
    RUN(a_connection_that_is_gone_accepts_nothing);
    RUN(uncorks_the_socket);
    RUN(what_the_kernel_did_not_accept_is_sent_after_the_end);
    RUN(a_client_that_is_gone_or_one_of_too_many_is_dropped);
    return test_end();
}
