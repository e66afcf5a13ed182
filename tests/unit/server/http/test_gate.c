/*
 * test_gate.c - claims about server/http/gate.h: which requests are in doubt, by table.
 */
#include "server/http/gate.h"

#include "base/attr.h"
#include "tests/unit/test.h"

enum { MAX_HEADERS = 6, MAX_HEAD = 16 * 1024 };

struct header {
    const char *name;
    const char *value;
};

static int judge(struct http_gate *gate, struct http_line line, const struct header *headers)
{
    for (size_t i = 0; i < MAX_HEADERS && headers[i].name; i++)
        http_gate_header(gate, str_from_c(headers[i].name), str_from_c(headers[i].value));
    return http_gate_judge(gate, &line, MAX_HEAD);
}

static const struct {
    const char *name;
    struct header headers[MAX_HEADERS];
    int status;
} requests[] = {
    { "a length", { { "Host", "h" }, { "Content-Length", "5" } }, 0 },
    { "length 0", { { "Host", "h" }, { "Content-Length", "0" } }, 0 },
    { "a length with space around", { { "Host", "h" }, { "Content-Length", " 5 " } }, 0 },
    { "chunks", { { "Host", "h" }, { "Transfer-Encoding", "chunked" } }, 0 },
    { "any case", { { "hOST", "h" }, { "transfer-encodinG", "Chunked" } }, 0 },
    { "an empty Host", { { "Host", "" }, { "Content-Length", "5" } }, 0 },
    { "neither length nor chunks", { { "Host", "h" } }, 411 },
    { "no Host", { { "Content-Length", "5" } }, 400 },
    { "two Hosts", { { "Host", "h" }, { "Host", "h" }, { "Content-Length", "5" } }, 400 },
    { "two lengths",
      { { "Host", "h" }, { "Content-Length", "5" }, { "Content-Length", "6" } },
      400 },
    { "two equal lengths",
      { { "Host", "h" }, { "Content-Length", "5" }, { "content-length", "5" } },
      400 },
    { "length and chunks",
      { { "Host", "h" }, { "Content-Length", "5" }, { "Transfer-Encoding", "chunked" } },
      400 },
    { "two codings",
      { { "Host", "h" }, { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "x" } },
      501 },
    { "chunks twice",
      { { "Host", "h" }, { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } },
      501 },
    { "gzip", { { "Host", "h" }, { "Transfer-Encoding", "gzip" } }, 501 },
    { "identity", { { "Host", "h" }, { "Transfer-Encoding", "identity" } }, 501 },
    { "a list", { { "Host", "h" }, { "Transfer-Encoding", "gzip, chunked" } }, 501 },
    { "chunked with a tail", { { "Host", "h" }, { "Transfer-Encoding", "chunked " } }, 501 },
    { "an Expect for nothing",
      { { "Host", "h" }, { "Content-Length", "0" }, { "Expect", "100-Continue" } },
      400 },
    { "an Expect for a body",
      { { "Host", "h" }, { "Content-Length", "1" }, { "Expect", "100-continue" } },
      0 },
    { "no coding", { { "Host", "h" }, { "Transfer-Encoding", "" } }, 501 },
    { "length in letters", { { "Host", "h" }, { "Content-Length", "abc" } }, 400 },
    { "length below zero", { { "Host", "h" }, { "Content-Length", "-1" } }, 400 },
    { "length with a plus", { { "Host", "h" }, { "Content-Length", "+5" } }, 400 },
    { "a list of lengths", { { "Host", "h" }, { "Content-Length", "5,5" } }, 400 },
    { "a length in hex", { { "Host", "h" }, { "Content-Length", "0x5" } }, 400 },
    { "no digits", { { "Host", "h" }, { "Content-Length", "" } }, 400 },
    { "too many digits", { { "Host", "h" }, { "Content-Length", "18446744073709551621" } }, 400 },
    { "space before the colon", { { "Host", "h" }, { "Content-Length ", "5" } }, 400 },
    { "a folded name", { { "Host", "h" }, { "Content-Length\r\n", "5" } }, 400 },
    { "an empty name", { { "Host", "h" }, { "", "5" }, { "Content-Length", "5" } }, 400 },
    { "a name with a bracket",
      { { "Host", "h" }, { "a(b", "5" }, { "Content-Length", "5" } },
      400 },
    { "a bare CR in a value",
      { { "Host", "h" }, { "x", "a\rb" }, { "Content-Length", "5" } },
      400 },
    { "DEL in a value", { { "Host", "h" }, { "x", "a\x7f" }, { "Content-Length", "5" } }, 400 },
    { "a tab and high bytes in a value",
      { { "Host", "h" }, { "x", "a\t\xc3\xa9" }, { "Content-Length", "5" } },
      0 },
    { "two types",
      { { "Host", "h" },
        { "Content-Type", "a/b" },
        { "Content-Type", "a/b" },
        { "Content-Length", "5" } },
      400 },
    { "two content codings",
      { { "Host", "h" },
        { "Content-Encoding", "identity" },
        { "Content-Encoding", "gzip" },
        { "Content-Length", "5" } },
      400 },
    { "two credentials",
      { { "Host", "h" },
        { "Authorization", "Basic a" },
        { "Authorization", "Basic b" },
        { "Content-Length", "5" } },
      400 },
    { "what may repeat",
      { { "Host", "h" }, { "Accept", "a" }, { "Accept", "b" }, { "Content-Length", "5" } },
      0 },
};

static void refuses_what_may_be_read_in_two_ways(void)
{
    const struct http_line line = { STR_INIT("POST"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 };

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct http_gate gate = { 0 };

        TEST_CASE(requests[i].name);
        CHECK_INT(judge(&gate, line, requests[i].headers), requests[i].status);
    }
}

static void looks_at_the_request_line(void)
{
    static const struct {
        const char *name;
        struct http_line line;
        bool bare; /* no header but Host */
        int status;
    } cases[] = {
        { "GET", { STR_INIT("GET"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 }, true, 0 },
        { "HEAD", { STR_INIT("HEAD"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 }, true, 0 },
        { "another method", { STR_INIT("PUT"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 }, true, 0 },
        { "no token", { STR_INIT("GE T"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 }, true, 400 },
        { "no method", { STR_INIT(""), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 2 }, true, 400 },
        { "1.0", { STR_INIT("POST"), STR_INIT("/p"), STR_INIT("HTTP/1.0"), 2 }, false, 0 },
        { "1.0, no length",
          { STR_INIT("POST"), STR_INIT("/p"), STR_INIT("HTTP/1.0"), 2 },
          true,
          411 },
        { "1.2", { STR_INIT("GET"), STR_INIT("/p"), STR_INIT("HTTP/1.2"), 2 }, true, 400 },
        { "no version", { STR_INIT("GET"), STR_INIT("/p"), STR_INIT(""), 2 }, true, 400 },
        { "absolute",
          { STR_INIT("GET"), STR_INIT("http://h/p"), STR_INIT("HTTP/1.1"), 2 },
          true,
          400 },
        { "a star", { STR_INIT("OPTIONS"), STR_INIT("*"), STR_INIT("HTTP/1.1"), 1 }, true, 400 },
        { "CONNECT", { STR_INIT("CONNECT"), STR_INIT("h:1"), STR_INIT("HTTP/1.1"), 3 }, true, 400 },
        { "no path", { STR_INIT("GET"), STR_INIT(""), STR_INIT("HTTP/1.1"), 0 }, true, 400 },
        { "control", { STR_INIT("GET"), STR_INIT("/\x01"), STR_INIT("HTTP/1.1"), 2 }, true, 400 },
        { "just fits", { STR_INIT("GET"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 8000 }, true, 0 },
        { "too long", { STR_INIT("GET"), STR_INIT("/p"), STR_INIT("HTTP/1.1"), 8001 }, true, 414 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct header headers[MAX_HEADERS] = {
            { "Host", "h" },
            { cases[i].bare ? NULL : "Content-Length", "5" },
        };
        struct http_gate gate = { 0 };

        TEST_CASE(cases[i].name);
        CHECK_INT(judge(&gate, cases[i].line, headers), cases[i].status);
    }

    struct http_gate gate = { 0 };
    const struct header chunked[MAX_HEADERS] = { { "Transfer-Encoding", "chunked" } };

    TEST_CASE("chunks in 1.0");
    CHECK_INT(
        judge(&gate, (struct http_line){ STR("POST"), STR("/p"), STR("HTTP/1.0"), 2 }, chunked),
        400);
}

static void takes_the_path_off_absolute_targets(void)
{
    static const struct {
        const char *target;
        const char *path;
    } cases[] = {
        { "/p", "/p" },
        { "http://h/p", "/p" },
        { "HTTPS://h:8080/p/q", "/p/q" },
        { "http://[::1]:1/", "/" },
        { "http://h", "/" },
        { "http:///p", "http:///p" },
        { "http://", "http://" },
        { "http://u@h/p", "http://u@h/p" },
        { "ftp://h/p", "ftp://h/p" },
        { "http:/h/p", "http:/h/p" },
        { "h:80", "h:80" },
        { "*", "*" },
        { "", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].target);
        CHECK_STR(http_gate_path(str_from_c(cases[i].target)), cases[i].path);
    }
}

static void bounds_the_headers(void)
{
    const struct http_line line = { STR("GET"), STR("/p"), STR("HTTP/1.1"), 2 };
    static char big[MAX_HEAD];
    struct http_gate many = { 0 };
    struct http_gate large = { 0 };
    size_t others = sizeof("GET /p HTTP/1.1\r\nHost: h\r\nx: \r\n\r\n") - 1;

    http_gate_header(&many, STR("Host"), STR("h"));
    for (int i = 1; i < HTTP_MAX_HEADERS; i++)
        http_gate_header(&many, STR("x"), STR("y"));
    CHECK_INT(http_gate_judge(&many, &line, MAX_HEAD), 0);
    http_gate_header(&many, STR("x"), STR("y"));
    CHECK_INT(http_gate_judge(&many, &line, MAX_HEAD), 431);

    memset(big, 'a', sizeof(big));
    http_gate_header(&large, STR("Host"), STR("h"));
    http_gate_header(&large, STR("x"), (struct str){ big, sizeof(big) - others });
    CHECK_INT(http_gate_judge(&large, &line, MAX_HEAD), 0);
    CHECK_INT(http_gate_judge(&large, &line, MAX_HEAD - 1), 431);
}

static void tells_length_and_chunks(void)
{
    const struct http_line line = { STR("POST"), STR("/p"), STR("HTTP/1.1"), 2 };
    const struct header sized[MAX_HEADERS] = { { "Host", "h" }, { "Content-Length", "0042" } };
    const struct header chunked[MAX_HEADERS] = { { "Host", "h" },
                                                 { "Transfer-Encoding", "chunked" } };
    struct http_gate gate = { 0 };

    CHECK_INT(judge(&gate, line, sized), 0);
    CHECK_INT((int64_t)gate.content_length, 42);
    CHECK(!gate.chunked);
    gate = (struct http_gate){ 0 };
    CHECK_INT(judge(&gate, line, chunked), 0);
    CHECK(gate.chunked);
}

static void takes_json_only(void)
{
    static const struct {
        const char *type;
        const char *encoding;
        bool taken;
    } cases[] = {
        { "", "", true },
        { "application/json", "", true },
        { "Application/JSON", "", true },
        { "application/json; charset=utf-8", "", true },
        { "application/json;charset=latin-1", "", true },
        { " application/json ; a=b;c", "", true },
        { "text/json", "", true },
        { "application/cloudevents+json", "", true },
        { "application/vnd.x+JSON; v=1", "", true },
        { "application/json", "identity", true },
        { "application/json", "Identity", true },
        { "application/json", "gzip", false },
        { "application/json", "identity, gzip", false },
        { "", "br", false },
        { "application/jsonp", "", false },
        { "application/json x", "", false },
        { "application/x-json", "", false },
        { "text/plain", "", false },
        { "text/plain; application/json", "", false },
        { "json", "", false },
        { "/json", "", false },
        { "application/", "", false },
        { "application/+json", "", false },
        { "/a+json", "", false },
        { "a b/c+json", "", false },
        { ";", "", false },
        { "application/x-www-form-urlencoded", "", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].type);
        CHECK(http_gate_takes(str_from_c(cases[i].type), str_from_c(cases[i].encoding)) ==
              cases[i].taken);
    }
}

int main(void)
{
    RUN(refuses_what_may_be_read_in_two_ways);
    RUN(looks_at_the_request_line);
    RUN(takes_the_path_off_absolute_targets);
    RUN(bounds_the_headers);
    RUN(tells_length_and_chunks);
    RUN(takes_json_only);
    return test_end();
}
