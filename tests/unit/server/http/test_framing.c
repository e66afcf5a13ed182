/*
 * test_framing.c - requests whose end can be read in two ways, over real sockets.
 *
 * Each row is sent with a second request behind it that would be answered 200 if the first one's
 * end were misread. What must come is one refusal and the end of the connection.
 */
#include <stdio.h>

#include "base/attr.h"
#include "tests/unit/http_client.h"
#include "tests/unit/http_toy.h"
#include "tests/unit/test.h"

#define POST      "POST /echo HTTP/1.1\r\nHost: h\r\n"
#define SMUGGLED  "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
#define ROW(text) STR_INIT(text)

static const struct {
    const char *name;
    struct str request;
    int status;
} doubtful[] = {
    { "two lengths", ROW(POST "Content-Length: 0\r\nContent-Length: 34\r\n\r\n" SMUGGLED), 400 },
    { "two lengths, the other way",
      ROW(POST "Content-Length: 34\r\nContent-Length: 0\r\n\r\n" SMUGGLED), 400 },
    { "the same length twice", ROW(POST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" SMUGGLED),
      400 },
    { "length and chunks",
      ROW(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
    { "chunks and length",
      ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
    { "two codings",
      ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
               "0\r\n\r\n" SMUGGLED),
      501 },
    { "two codings in a list",
      ROW(POST "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 501 },
    { "gzip", ROW(POST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" SMUGGLED), 501 },
    { "identity", ROW(POST "Transfer-Encoding: identity\r\n\r\n" SMUGGLED), 501 },
    { "a coding that is nearly chunked",
      ROW(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED), 501 },
    { "space before the colon", ROW(POST "Content-Length : 34\r\n\r\n" SMUGGLED), 400 },
    { "tab before the colon", ROW(POST "Content-Length\t: 34\r\n\r\n" SMUGGLED), 400 },
    { "a folded line before the length", ROW(POST "x: y\r\n Content-Length: 34\r\n\r\n" SMUGGLED),
      400 },
    { "a folded length", ROW(POST "Content-Length:\r\n 34\r\n\r\n" SMUGGLED), 400 },
    { "a fold that makes a length",
      ROW("GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Lengt: 34\r\n h\r\n\r\n" SMUGGLED), 400 },
    { "a fold that makes a coding",
      ROW("GET /healthz HTTP/1.1\r\nHost: h\r\nTransfer-Encodin: chunked\r\n g\r\n\r\n"
          "0\r\n\r\n" SMUGGLED),
      400 },
    { "a header without a name", ROW(POST "Content-Length: 0\r\n: y\r\n" SMUGGLED), 400 },
    { "a line that starts with NUL", ROW(POST "\0x: y\r\nContent-Length: 34\r\n\r\n" SMUGGLED),
      400 },
    { "a line that starts with NUL behind a length",
      ROW(POST "Content-Length: 0\r\n\0x: y\r\n" SMUGGLED), 400 },
    { "NUL behind a length", ROW(POST "Content-Length: 0\0 34\r\n\r\n" SMUGGLED), 400 },
    { "NUL behind chunked", ROW(POST "Transfer-Encoding: chunked\0x\r\n\r\n0\r\n\r\n" SMUGGLED),
      400 },
    { "a bare LF before a length",
      ROW("GET /healthz HTTP/1.1\r\nHost: h\r\nx: y\n"
          "Content-Length: 34\r\n\r\n" SMUGGLED),
      400 },
    { "a bare CR in a value", ROW(POST "x: a\rb\r\nContent-Length: 0\r\n\r\n" SMUGGLED), 400 },
    { "length in letters", ROW(POST "Content-Length: abc\r\n\r\n" SMUGGLED), 400 },
    { "length below zero", ROW(POST "Content-Length: -1\r\n\r\n" SMUGGLED), 400 },
    { "length with a plus", ROW(POST "Content-Length: +5\r\n\r\n" SMUGGLED), 400 },
    { "a list of lengths", ROW(POST "Content-Length: 5,5\r\n\r\n" SMUGGLED), 400 },
    { "no Host", ROW("POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n" SMUGGLED), 400 },
    { "two Hosts", ROW(POST "Host: g\r\nContent-Length: 0\r\n\r\n" SMUGGLED), 400 },
    { "chunks with 1.0",
      ROW("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
    { "a chunk without a size",
      ROW(POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" SMUGGLED), 400 },
    { "a chunk longer than it says",
      ROW(POST "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" SMUGGLED), 400 },
    { "an absolute target without a host",
      ROW("GET http:///healthz HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED), 400 },
    { "a star", ROW("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED), 400 },
    { "CONNECT", ROW("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED), 400 },
    { "HTTP/2", ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SMUGGLED), 505 },
    { "HTTP/0.9", ROW("GET /healthz\r\n\r\n" SMUGGLED), 400 },
};

static void refuses_and_closes_when_the_end_is_in_doubt(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(doubtful); i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(doubtful[i].name);
        CHECK(http_client_send(fd, doubtful[i].request));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, doubtful[i].status);
        CHECK(http_client_is_closed(fd)); /* it comes once */
        http_client_close(fd);
    }
    CHECK(http_toy_await_connections(&toy, 0));
    CHECK_INT((int64_t)toy.handled, 0);
    http_toy_stop(&toy);
}

static void never_takes_one_request_for_two(void)
{
    static const struct {
        const char *name;
        struct str request;
        size_t handled;
        bool closes;
        bool may_refuse; /* from 1.0 on MHD refuses it */
    } cases[] = {
        { "a request in a body", ROW(POST "Content-Length: 34\r\n\r\n" SMUGGLED), 1, false, false },
        { "a request in a refused body",
          ROW("POST /guarded HTTP/1.1\r\nHost: h\r\nContent-Length: 34\r\n\r\n" SMUGGLED), 0, false,
          false },
        { "a request in the body of a GET",
          ROW("GET /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 34\r\n\r\n" SMUGGLED), 0, false,
          false },
        { "a request in a chunk",
          ROW(POST "Transfer-Encoding: chunked\r\n\r\n22\r\n" SMUGGLED "\r\n0\r\n\r\n"), 1, true,
          false },
        { "a request behind chunks",
          ROW(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 1, true, false },
        { "a request behind an odd trailer",
          ROW(POST "Transfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n: c\r\n" SMUGGLED), 1, true,
          true },
        { "a request behind a trailer of NUL",
          ROW(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\0a: b\r\n" SMUGGLED), 1, true, true },
        { "a request in an extension of a chunk",
          ROW(POST "Transfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n" SMUGGLED), 1, true,
          true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_answer answer = { 0 };
        struct http_toy toy;

        TEST_CASE(cases[i].name);
        http_toy_start(&toy, http_toy_options());

        int fd = http_client_open(toy.port);

        CHECK(http_client_send(fd, cases[i].request));
        CHECK(http_client_read(fd, &answer));
        (void)http_toy_await(&toy, 1);
        CHECK(cases[i].closes ? http_client_is_closed(fd) : http_client_is_quiet(fd));
        if (!cases[i].may_refuse || answer.status != 400)
            CHECK_INT((int64_t)toy.handled, (int64_t)cases[i].handled);
        http_client_close(fd);
        http_toy_stop(&toy);
    }
}

/* From 1.0 to 1.0.9 MHD reads at NULL, or appends the body to the request line. */
static void survives_long_targets_with_a_query_and_without_headers(void)
{
    static const char *const queries[] = { "?a", "?", "?a=b", "?a&", "?a=b&c", "?&", "?=" };
    static char request[8000];
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        for (int filler = 6500; filler <= 7600; filler += 50) {
            struct http_answer answer = { 0 };
            int fd = http_client_open(toy.port);
            int len = snprintf(request, sizeof(request), "GET /%0*d%s HTTP/1.0\r\n\r\n", filler, 0,
                               queries[i]);

            TEST_CASE(queries[i]);
            CHECK(http_client_send(fd, (struct str){ request, (size_t)len }));
            CHECK(http_client_read(fd, &answer));
            CHECK_INT(answer.status, 404);
            http_client_close(fd);
        }
    http_toy_stop(&toy);
}

int main(void)
{
    RUN(refuses_and_closes_when_the_end_is_in_doubt);
    RUN(never_takes_one_request_for_two);
    RUN(survives_long_targets_with_a_query_and_without_headers);
    return test_end();
}
