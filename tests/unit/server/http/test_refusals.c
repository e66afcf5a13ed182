/*
 * test_refusals.c - refusals and their order, over real sockets.
 */
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "server/http/gate.h"
#include "server/http/http.h"
#include "tests/unit/http_client.h"
#include "tests/unit/http_toy.h"
#include "tests/unit/test.h"

#define JSON  "Content-Type: application/json\r\n"
#define ALIVE "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

static bool is_alive(int fd)
{
    struct http_answer answer;

    return http_client_send(fd, STR(ALIVE)) && http_client_read(fd, &answer) &&
           answer.status == 200;
}

static const struct {
    const char *name;
    const char *request;
    const char *body;
    int status;
    bool closes;
} refusals[] = {
    { "an unknown path", "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "Not Found", 404, false },
    { "not normalised", "GET /./healthz HTTP/1.1\r\nHost: h\r\n\r\n", "Not Found", 404, false },
    { "not decoded", "GET /%68ealthz HTTP/1.1\r\nHost: h\r\n\r\n", "Not Found", 404, false },
    { "a slash more", "GET /healthz/ HTTP/1.1\r\nHost: h\r\n\r\n", "Not Found", 404, false },
    { "an unknown path with a body",
      "POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "Not Found", 404,
      false },
    { "another listener's path", "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "Not Found", 404,
      false },
    { "GET where POST is", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "Method Not Allowed", 405,
      false },
    { "POST where GET is", "POST /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
      "Method Not Allowed", 405, false },
    { "a method that is unknown", "BREW /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
      "Method Not Allowed", 405, false },
    { "a method in lower case", "get /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "Method Not Allowed",
      405, false },
    { "not admitted, with a body",
      "POST /guarded HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "Unauthorized", 401,
      false },
    { "not admitted, in chunks",
      "POST /guarded HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n",
      "Unauthorized", 401, true },
    { "not admitted, and asks first",
      "POST /guarded HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
      "Unauthorized", 401, true },
    { "too large, announced",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890",
      "Content Too Large", 413, false },
    { "too large, in chunks",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n",
      "Content Too Large", 413, true },
    { "too large, and asks first",
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
      "Content Too Large", 413, true },
    { "far too large", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n",
      "Content Too Large", 413, true },
    { "another type",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}",
      "Unsupported Media Type\",\"details\":\"" HTTP_TAKEN_BODIES, 415, false },
    { "a compressed body",
      "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON
      "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
      "Unsupported Media Type\",\"details\":\"" HTTP_TAKEN_BODIES, 415, false },
    { "no length", "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "\r\n", "Length Required", 411, true },
    { "no length, unknown path", "POST /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "Length Required",
      411, true },
    { "another coding", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
      "Not Implemented", 501, true },
    { "a length that is none", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\n",
      "Bad Request", 400, true },
    { "a length beyond all",
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "Bad Request", 400, true },
    { "no Host", "GET /healthz HTTP/1.1\r\nx: y\r\n\r\n", "Bad Request", 400, true },
    { "an absolute target with a user", "GET http://u@h/healthz HTTP/1.1\r\nHost: h\r\n\r\n",
      "Bad Request", 400, true },
    { "two Hosts", "GET /healthz HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "Bad Request", 400,
      true },
};

static const char *allowed(int status, const char *request)
{
    if (status != 405)
        return "";
    return strstr(request, "/echo") ? "POST" : "GET, HEAD";
}

static void refuses_in_the_contracts_words(void)
{
    struct http_options options = http_toy_options();
    struct arena *arena = arena_create();
    struct http_toy toy;

    options.max_body = 10;
    http_toy_start(&toy, options);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct http_answer answer = { 0 };
        struct str body = arena_printf(arena, "{\"error\":\"%s\"}", refusals[i].body);
        int fd = http_client_open(toy.port);

        TEST_CASE(refusals[i].name);
        CHECK(http_client_send(fd, str_from_c(refusals[i].request)));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, refusals[i].status);
        CHECK_STR(http_answer_body(&answer), body.ptr);
        CHECK_STR(http_answer_header(&answer, "Content-Type"), "application/json");
        CHECK_INT((int64_t)http_answer_header(&answer, "X-Request-Id").len, 36);
        CHECK_STR(http_answer_header(&answer, "Allow"),
                  allowed(refusals[i].status, refusals[i].request));
        CHECK_STR(http_answer_header(&answer, "WWW-Authenticate"),
                  refusals[i].status == 401 ? "ApiKey" : "");
        CHECK_STR(http_answer_header(&answer, "Connection"), refusals[i].closes ? "close" : "");
        CHECK(refusals[i].closes ? http_client_is_closed(fd) : is_alive(fd));
        http_client_close(fd);
    }
    arena_destroy(arena);
    http_toy_stop(&toy);
}

/* Each row puts right what the row before was refused for. */
static void refuses_for_the_first_reason_in_order(void)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        { "PUT /no HTTP/1.1\r\nHost: h\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 99\r\n",
          400 },
        { "POST /no HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n", 411 },
        { "PUT /no HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 99\r\n", 404 },
        { "PUT /guarded HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 99\r\n", 405 },
        { "POST /guarded HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 99\r\n", 401 },
        { "POST /guarded HTTP/1.1\r\nHost: h\r\nX-Key: good\r\nContent-Type: a/b\r\n"
          "Content-Length: 99\r\n",
          413 },
        { "POST /guarded HTTP/1.1\r\nHost: h\r\nX-Key: good\r\nContent-Type: a/b\r\n"
          "Content-Length: 9\r\n",
          415 },
        { "POST /guarded HTTP/1.1\r\nHost: h\r\nX-Key: good\r\nContent-Length: 9\r\n", 429 },
    };
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_body = 10;
    options.rate_limit = 0.001; /* the 404 takes the only token */
    http_toy_start(&toy, options);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(cases[i].request);
        CHECK(http_client_send(fd, str_from_c(cases[i].request)));
        CHECK(http_client_send(fd, STR("Expect: 100-continue\r\n\r\n")));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, cases[i].status);
        CHECK_STR(http_answer_header(&answer, "Retry-After"),
                  cases[i].status == 429 || cases[i].status == 503 ? "1" : "");
        http_client_close(fd);
    }
    CHECK_INT((int64_t)toy.handled, 0);
    http_toy_stop(&toy);
}

static void bounds_target_and_headers(void)
{
    static const struct {
        const char *name;
        const char *before;
        const char *after;
        size_t filler;
        int status;
        bool ours; /* above MHD's own limit the page is MHD's */
    } cases[] = {
        { "a long target", "GET /", " HTTP/1.1\r\nHost: h\r\n\r\n", 9000, 414, true },
        { "a long query", "GET /healthz?", " HTTP/1.1\r\nHost: h\r\n\r\n", 9000, 414, true },
        { "a long header", "GET /healthz HTTP/1.1\r\nHost: h\r\nx: ", "\r\n\r\n", 16384, 431,
          true },
        { "a target past all", "GET /", " HTTP/1.1\r\nHost: h\r\n\r\n", 40000, 414, false },
        { "a header past all", "GET /healthz HTTP/1.1\r\nHost: h\r\nx: ", "\r\n\r\n", 40000, 431,
          false },
    };
    static char filler[40000];
    struct http_toy toy;

    memset(filler, 'a', sizeof(filler));
    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(cases[i].name);
        CHECK(http_client_send(fd, str_from_c(cases[i].before)));
        (void)(http_client_send(fd, (struct str){ filler, cases[i].filler }) &&
               http_client_send(fd, str_from_c(cases[i].after)));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, cases[i].status);
        CHECK(str_starts_with(http_answer_body(&answer), STR("{\"error\":")) == cases[i].ours);
        CHECK(http_client_is_closed(fd));
        http_client_close(fd);
    }
    http_toy_stop(&toy);
}

/* The size of the target, the number of lines, and the size of the whole head. */
struct shape {
    size_t target;
    size_t headers;
    size_t head;
};

static void write_head(struct buf *out, const struct shape *shape, struct str line, size_t body)
{
    size_t method_len = (size_t)((const char *)memchr(line.ptr, ' ', line.len) - line.ptr) + 1;

    buf_add(out, line);
    while (buf_str(out).len < method_len + shape->target)
        buf_add_char(out, 'q');
    buf_printf(out, " HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n", body);
    for (size_t n = 3; n < shape->headers; n++)
        buf_add(out, STR("x: y\r\n"));
    buf_add(out, STR("Authorization: "));
    while (buf_str(out).len < shape->head - 4)
        buf_add_char(out, 'a');
    buf_add(out, STR("\r\n\r\n"));
    CHECK_INT((int64_t)buf_str(out).len, (int64_t)shape->head);
}

static void check_taken(uint16_t port, struct str head, struct str body)
{
    struct http_answer answer = { 0 };
    int fd = http_client_open(port);

    CHECK(http_client_send(fd, head) && http_client_send(fd, body));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 200);
    CHECK(body.len == 0 || str_equal(http_answer_body(&answer), body));
    CHECK(is_alive(fd));
    http_client_close(fd);
}

/* A head of 16 KiB in 100 lines, a target of 8,000 bytes; and a body behind it. */
static void accepts_heads_up_to_the_limits(void)
{
    static const struct shape shapes[] = {
        { 100, 3, 16384 },    { 100, 100, 16384 }, { 8000, 3, 16384 },
        { 8000, 100, 16384 }, { 100, 3, 9000 },
    };
    static char body[5000];
    struct http_toy toy;

    memset(body, 'b', sizeof(body));
    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        struct buf head;

        TEST_CASE("GET");
        buf_init(&head, shapes[i].head);
        write_head(&head, &shapes[i], STR("GET /healthz?"), 0);
        check_taken(toy.port, buf_str(&head), STR(""));
        buf_clear(&head);
        TEST_CASE("POST");
        write_head(&head, &shapes[i], STR("POST /echo?"), sizeof(body));
        check_taken(toy.port, buf_str(&head), (struct str){ body, sizeof(body) });
        buf_done(&head);
    }
    http_toy_stop(&toy);
}

int main(void)
{
    RUN(refuses_in_the_contracts_words);
    RUN(refuses_for_the_first_reason_in_order);
    RUN(bounds_target_and_headers);
    RUN(accepts_heads_up_to_the_limits);
    return test_end();
}
