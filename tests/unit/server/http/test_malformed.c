/*
 * test_malformed.c - requests that break RFC 9112, over real sockets.
 *
 * Each row is sent with a good request after it. It gets one status; if the row's end is beyond
 * doubt, the good request is answered too, otherwise the connection ends.
 * Rows whose end could be read in two ways are in test_framing.c.
 */
#include "base/attr.h"
#include "tests/unit/http_client.h"
#include "tests/unit/http_toy.h"
#include "tests/unit/test.h"

#define POST      "POST /echo HTTP/1.1\r\nHost: h\r\n"
#define GET       "GET /healthz HTTP/1.1\r\nHost: h\r\n"
#define GOOD      GET "\r\n"
#define ROW(text) STR_INIT(text)

/* clang-format off */
static const struct {
    const char *name;
    struct str request;
    int status;  /* 0: no answer */
    bool closes; /* the good request after it is not read */
} rows[] = {
    { "space in target", ROW("GET /health z HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "space in query", ROW("GET /healthz?a b HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "two spaces", ROW("GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "two spaces before version", ROW("GET /healthz  HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "tab as separator", ROW("GET\t/healthz\tHTTP/1.1\r\nHost: h\r\n\r\n"), 0, true },
    { "trailing space after version", ROW("GET /healthz HTTP/1.1 \r\nHost: h\r\n\r\n"), 400, true },
    { "leading space", ROW(" GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 0, true },
    { "leading empty line", ROW("\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 200, false },
    { "NUL in target", ROW("GET /heal\000thz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "NUL in query", ROW("GET /healthz?\000a HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "NUL in method", ROW("GE\000T /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "DEL in target", ROW("GET /healthz\177 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "control in query", ROW("GET /healthz?\001 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "CR in target", ROW("GET /heal\rthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "no target", ROW("GET HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "only a method", ROW("GET\r\n\r\n"), 0, true },
    { "lower-case http", ROW("GET /healthz http/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "HTTP/1.2", ROW("GET /healthz HTTP/1.2\r\nHost: h\r\n\r\n"), 400, true },
    { "HTTP/2.0", ROW("GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n"), 505, true },
    { "HTTP/0.9 with version", ROW("GET /healthz HTTP/0.9\r\nHost: h\r\n\r\n"), 505, true },
    { "HTTP/1.10", ROW("GET /healthz HTTP/1.10\r\nHost: h\r\n\r\n"), 400, true },
    { "HTTP/01.1", ROW("GET /healthz HTTP/01.1\r\nHost: h\r\n\r\n"), 400, true },
    { "HTTP/1", ROW("GET /healthz HTTP/1\r\nHost: h\r\n\r\n"), 400, true },
    { "HTTPS/1.1", ROW("GET /healthz HTTPS/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "bad method chars", ROW("G(T /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "lower-case method", ROW("get /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 405, false },
    { "path without slash", ROW("GET healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "authority form", ROW("GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, true },
    { "header without colon", ROW(GET "abc\r\n\r\n"), 400, true },
    { "header of colon only", ROW(GET ": x\r\n\r\n"), 400, true },
    { "empty header name with space", ROW(GET " : x\r\n\r\n"), 400, true },
    { "space in name", ROW(GET "a b: x\r\n\r\n"), 400, true },
    { "leading space first header", ROW("GET /healthz HTTP/1.1\r\n Host: h\r\n\r\n"), 400, true },
    { "fold", ROW(GET "a: b\r\n c\r\n\r\n"), 400, true },
    { "fold tab", ROW(GET "a: b\r\n\tc\r\n\r\n"), 400, true },
    { "NUL in value", ROW(GET "a: b\000c\r\n\r\n"), 400, true },
    { "NUL in name", ROW(GET "a\000b: c\r\n\r\n"), 400, true },
    { "NUL at the end of a value", ROW(GET "a: b\000\r\nc: d\r\n\r\n"), 400, true },
    { "NUL at the end of the last value", ROW(GET "a: b\000\r\n\r\n"), 400, true },
    { "blanks before a value", ROW(GET "a: \t b \r\nc:\r\nd: \r\n\r\n"), 200, false },
    { "bare LF at the end", ROW(GET "a: b\r\n\n"), 400, true },
    { "NUL line", ROW(GET "\000\r\n\r\n"), 400, true },
    { "control in value", ROW(GET "a: b\001c\r\n\r\n"), 400, true },
    { "DEL in value", ROW(GET "a: b\177c\r\n\r\n"), 400, true },
    { "ESC in value", ROW(GET "a: \033[31m\r\n\r\n"), 400, true },
    { "bare LF line ends", ROW("GET /healthz HTTP/1.1\nHost: h\n\n"), 400, true },
    { "bare LF in the middle", ROW(GET "a: b\nc: d\r\n\r\n"), 400, true },
    { "CRCRLF", ROW(GET "a: b\r\r\n\r\n"), 400, true },
    { "non-ascii name", ROW(GET "\344: b\r\n\r\n"), 400, true },
    { "parens in name", ROW(GET "a(b): c\r\n\r\n"), 400, true },
    { "slash in name", ROW(GET "a/b: c\r\n\r\n"), 400, true },
    { "empty host", ROW("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"), 200, false },
    { "two types", ROW(POST "Content-Type: application/json\r\nContent-Type: text/json\r\nContent-Length: 2\r\n\r\n{}"), 400, true },
    { "two authorizations", ROW(POST "Authorization: a\r\nAuthorization: b\r\nContent-Length: 2\r\n\r\n{}"), 400, true },
    { "length empty", ROW(POST "Content-Length:\r\n\r\n{}"), 400, true },
    { "length hex", ROW(POST "Content-Length: 0x2\r\n\r\n{}"), 400, true },
    { "length with dot", ROW(POST "Content-Length: 2.0\r\n\r\n{}"), 400, true },
    { "length with spaces inside", ROW(POST "Content-Length: 1 2\r\n\r\n{}"), 400, true },
    { "length 2^64", ROW(POST "Content-Length: 18446744073709551616\r\n\r\n{}"), 400, true },
    { "length 2^64-1", ROW(POST "Content-Length: 18446744073709551615\r\n\r\n{}"), 400, true },
    { "length 19 digits", ROW(POST "Content-Length: 1000000000000000000\r\n\r\n{}"), 400, true },
    { "length leading zeros", ROW(POST "Content-Length: 0000000002\r\n\r\n{}"), 200, false },
    { "length negative zero", ROW(POST "Content-Length: -0\r\n\r\n"), 400, true },
    { "length quoted", ROW(POST "Content-Length: \"2\"\r\n\r\n{}"), 400, true },
    { "no length", ROW(POST "\r\n"), 411, true },
    { "coding: chunked chunked", ROW(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 501, true },
    { "coding: chunked twice", ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 501, true },
    { "coding: CHUNKED", ROW(POST "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"), 200, true },
    { "coding: chunked space", ROW(POST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"), 501, true },
    { "coding: empty", ROW(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), 501, true },
    { "coding: vtab", ROW(POST "Transfer-Encoding: \013chunked\r\n\r\n0\r\n\r\n"), 400, true },
    { "coding: semicolon", ROW(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"), 501, true },
    { "chunk no size", ROW(POST "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n"), 400, true },
    { "chunk 0x", ROW(POST "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n"), 400, true },
    { "chunk negative", ROW(POST "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n"), 400, true },
    { "chunk plus", ROW(POST "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n"), 400, true },
    { "chunk space", ROW(POST "Transfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n"), 400, true },
    { "chunk overflow", ROW(POST "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n"), 413, true },
    { "chunk no crlf after", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n"), 400, true },
    { "chunk lf", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n"), 200, true },
    { "chunk cr only", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r{}\r0\r\r"), 400, true },
    { "chunk ext", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n"), 200, true },
    { "chunk ext bare", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n"), 200, true },
    { "chunk trailer", ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"), 200, true },
    { "upgrade", ROW(GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), 200, false },
    { "TLS hello", ROW("\026\003\001\002\000\001\000\001\374\003\003"), 400, true },
    { "SSH", ROW("SSH-2.0-OpenSSH_9.2\r\n"), 0, true },
    { "expect without a body", ROW(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"), 400, true },
    { "expect with GET", ROW(GET "Expect: 100-Continue\r\n\r\n"), 400, true },
    { "expect other", ROW(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}"), 200, false },
    { "TRACE", ROW("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 404, false },
};
/* clang-format on */

/* The status of some of them with libmicrohttpd 1.0 and later. 0: no answer */
static const struct {
    const char *name;
    int status;
} other_outcomes[] = {
    { "NUL in target", 0 },           { "NUL in query", 0 }, { "NUL in method", 0 },
    { "coding: chunked space", 200 }, { "chunk lf", 400 },   { "chunk ext", 400 },
    { "chunk ext bare", 400 },        { "TLS hello", 0 },
};

static bool has_id(const struct http_answer *answer)
{
    return http_answer_header(answer, "X-Request-Id").ptr != NULL;
}

static bool is_expected(size_t row, int status)
{
    if (status == rows[row].status)
        return true;
    for (size_t i = 0; i < COUNT_OF(other_outcomes); i++)
        if (strcmp(other_outcomes[i].name, rows[row].name) == 0)
            return status == other_outcomes[i].status;
    return false;
}

static void check_row(uint16_t port, size_t i)
{
    struct http_answer answer = { 0 };
    int fd = http_client_open(port);

    TEST_CASE(rows[i].name);
    (void)http_client_send(fd, rows[i].request);
    (void)http_client_send(fd, STR(GOOD));

    bool answered = http_client_read(fd, &answer);

    if (!is_expected(i, answer.status))
        CHECK_INT(answer.status, rows[i].status);
    if (rows[i].closes) {
        CHECK(!answered || http_client_is_closed(fd)); /* it comes once */
    } else {
        CHECK(has_id(&answer));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, 200);
    }
    http_client_close(fd);
}

static void each_malformed_request_has_its_one_outcome(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    CHECK(COUNT_OF(rows) >= 60);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(toy.port, i);
    CHECK(http_toy_await_connections(&toy, 0));
    http_toy_stop(&toy);
}

int main(void)
{
    RUN(each_malformed_request_has_its_one_outcome);
    return test_end();
}
