/*
 * test_http.c - answers to valid requests, over real sockets.
 */
#include "server/http/http.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/clock.h"
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

/* A minute is more than any test takes. */
static bool has_one_date(const struct http_answer *answer)
{
    struct str date = http_answer_header(answer, "Date");
    int64_t us = 0;

    return clock_parse_http(date, &us) && us <= clock_now_us() &&
           us > clock_now_us() - US_PER_MINUTE && !strstr(date.ptr, "\nDate:");
}

static void answers_requests_for_its_handlers(void)
{
    static const struct {
        const char *name;
        const char *request;
        const char *body;
    } cases[] = {
        { "GET", "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "{\"status\":\"ok\"}" },
        { "the query is not looked at", "GET /healthz?a=b&c HTTP/1.1\r\nHost: h\r\n\r\n",
          "{\"status\":\"ok\"}" },
        { "an absolute target", "GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n",
          "{\"status\":\"ok\"}" },
        { "another's, with a query", "GET HTTPS://other:1/healthz?a=b HTTP/1.1\r\nHost: h\r\n\r\n",
          "{\"status\":\"ok\"}" },
        { "GET with a body", "GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
          "{\"status\":\"ok\"}" },
        { "POST", "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 4\r\n\r\n{\"\"}",
          "{\"\"}" },
        { "no type", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", "{}" },
        { "an empty body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "" },
        { "chunks",
          "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON
          "Transfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n2\r\n\"}\r\n0\r\n\r\n",
          "{\"\"}" },
        { "chunks with a trailer",
          "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON
          "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n",
          "{}" },
        { "an Expect that is none of ours",
          "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: more\r\nContent-Length: 2\r\n\r\n{}", "{}" },
        { "an admitted one",
          "POST /guarded HTTP/1.1\r\nHost: h\r\nx-key: good\r\nContent-Length: 2\r\n\r\n{}", "{}" },
        { "1.0 that keeps alive",
          "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", "{}" },
    };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(cases[i].name);
        CHECK(http_client_send(fd, str_from_c(cases[i].request)));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, 200);
        CHECK_STR(http_answer_body(&answer), cases[i].body);
        CHECK_STR(http_answer_header(&answer, "Content-Type"), "application/json");
        CHECK_INT((int64_t)http_answer_header(&answer, "X-Request-Id").len, 36);
        CHECK(has_one_date(&answer));
        CHECK(strstr(cases[i].request, "chunked") ? http_client_is_closed(fd) : is_alive(fd));
        http_client_close(fd);
    }
    http_toy_stop(&toy);
}

static void answers_head_without_a_body(void)
{
    struct http_answer answer = { 0 };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR("HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n")));
    CHECK(http_client_read_head(fd, &answer));
    CHECK_INT(answer.status, 200);
    CHECK_STR(http_answer_header(&answer, "Content-Length"), "15");
    CHECK(is_alive(fd));

    struct http_toy_report report = http_toy_await(&toy, 2);

    CHECK_INT((int64_t)report.bytes_out, 15);
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void each_listener_has_its_own_handlers(void)
{
    struct http_answer answer = { 0 };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.metrics_port);

    CHECK(http_client_send(fd, STR("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 200);
    CHECK_STR(http_answer_header(&answer, "Content-Type"), "text/plain; version=0.0.4");
    CHECK(http_client_send(fd, STR(ALIVE)));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 404);
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void answers_expect_with_continue(void)
{
    struct http_answer answer = { 0 };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                                   "Content-Length: 2\r\n\r\n")));
    CHECK(http_client_read_head(fd, &answer));
    CHECK_INT(answer.status, 100);
    CHECK(http_client_send(fd, STR("{}")));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 200);
    CHECK_STR(http_answer_body(&answer), "{}");
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void closes_when_asked_to(void)
{
    static const char *const requests[] = {
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.0\r\n\r\n",
    };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(requests[i]);
        CHECK(http_client_send(fd, str_from_c(requests[i])));
        CHECK(http_client_read(fd, &answer));
        CHECK_INT(answer.status, 200);
        CHECK(http_client_is_closed(fd));
        http_client_close(fd);
    }
    http_toy_stop(&toy);
}

static void answers_pipelined_requests_in_order(void)
{
    enum { REQUESTS = 20 };
    struct arena *arena = arena_create();
    struct str all = STR("");
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    for (int i = 10; i < 10 + REQUESTS; i++)
        all =
            arena_printf(arena, "%.*sPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n%d",
                         STR_ARG(all), i);
    CHECK(http_client_send(fd, all));
    for (int i = 10; i < 10 + REQUESTS; i++) {
        struct http_answer answer = { 0 };

        CHECK(http_client_read(fd, &answer));
        CHECK_STR(http_answer_body(&answer), arena_printf(arena, "%d", i).ptr);
    }
    http_client_close(fd);
    arena_destroy(arena);
    http_toy_stop(&toy);
}

enum { LARGE = 8000, PIECE = 1300 };

static void send_in_pieces(int fd, struct str body, struct arena *arena)
{
    while (body.len > 0) {
        struct str piece = { body.ptr, body.len < PIECE ? body.len : PIECE };

        body = str_from(body, piece.len);
        if (arena)
            piece = arena_printf(arena, "%zx\r\n%.*s\r\n", piece.len, STR_ARG(piece));
        CHECK(http_client_send(fd, piece));
    }
}

static void reads_a_large_body_in_any_pieces(void)
{
    static char body[LARGE];
    struct arena *arena = arena_create();
    struct http_answer answer = { 0 };
    struct http_toy toy;

    for (size_t i = 0; i < LARGE; i++)
        body[i] = (char)('a' + i % 26);
    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    TEST_CASE("sized");
    CHECK(http_client_send(fd, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                   "Content-Length: 8000\r\n\r\n")));
    send_in_pieces(fd, (struct str){ body, LARGE }, NULL);
    CHECK(http_client_read(fd, &answer));
    CHECK(str_equal(http_answer_body(&answer), (struct str){ body, LARGE }));

    TEST_CASE("chunked");
    CHECK(http_client_send(fd, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n")));
    send_in_pieces(fd, (struct str){ body, LARGE }, arena);
    CHECK(http_client_send(fd, STR("0\r\n\r\n")));
    CHECK(http_client_read(fd, &answer));
    CHECK(str_equal(http_answer_body(&answer), (struct str){ body, LARGE }));

    http_client_close(fd);
    arena_destroy(arena);
    http_toy_stop(&toy);
}

static void keeps_a_good_request_id_and_replaces_others(void)
{
    static const struct {
        const char *id;
        bool kept;
    } cases[] = {
        { "abc-123_X.y", true }, { "a", true }, { "a b", false },
        { "a\"b", false },       { "", false }, { "a:b", false },
    };
    struct arena *arena = arena_create();
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_answer answer = { 0 };

        TEST_CASE(cases[i].id);
        CHECK(http_client_send(
            fd, arena_printf(arena, "GET /healthz HTTP/1.1\r\nHost: h\r\nX-Request-Id: %s\r\n\r\n",
                             cases[i].id)));
        CHECK(http_client_read(fd, &answer));

        struct str id = http_answer_header(&answer, "X-Request-Id");

        CHECK(str_equal(id, str_from_c(cases[i].id)) == cases[i].kept);
        CHECK(cases[i].kept || id.len == 36);
    }
    http_client_close(fd);
    arena_destroy(arena);
    http_toy_stop(&toy);
}

static void reports_each_request_once(void)
{
    static const struct {
        const char *request;
        struct http_toy_report report;
    } cases[] = {
        { "POST /echo HTTP/1.1\r\nHost: h\r\nX-Request-Id: r1\r\nContent-Length: 2\r\n"
          "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n{}",
          { "POST", "/echo", "r1", "4bf92f3577b34da6a3ce929d0e0e4736", "valid", HTTP_ANSWERED, 200,
            2, 2 } },
        { "GET /secret-token HTTP/1.1\r\nHost: h\r\nX-Request-Id: r2\r\n\r\n",
          { "GET", "other", "r2", "", "", HTTP_ANSWERED, 404, 0, 21 } },
        { "BREW /echo HTTP/1.1\r\nHost: h\r\nX-Request-Id: r3\r\n\r\n",
          { "other", "/echo", "r3", "", "", HTTP_ANSWERED, 405, 0, 30 } },
        { "POST /guarded HTTP/1.1\r\nHost: h\r\nX-Request-Id: r4\r\nContent-Length: 3\r\n\r\nabc",
          { "POST", "/guarded", "r4", "", "", HTTP_ANSWERED, 401, 3, 24 } },
        { "HEAD /healthz HTTP/1.1\r\nHost: h\r\nX-Request-Id: r5\r\n\r\n",
          { "HEAD", "/healthz", "r5", "", "", HTTP_ANSWERED, 200, 0, 0 } },
        { "POST /echo HTTP/1.1\r\nHost: h\r\nX-Request-Id: r6\r\nContent-Length: x\r\n\r\n",
          { "other", "other", "r6", "", "", HTTP_ANSWERED, 400, 0, 23 } },
        { "POST /echo HTTP/1.1\r\nno colon\r\n\r\n", /* MHD's word */
          { "other", "other", "", "", "", HTTP_ANSWERED, 400, 0, 0 } },
    };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct http_toy_report *expected = &cases[i].report;
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        TEST_CASE(cases[i].request);
        CHECK(http_client_send(fd, str_from_c(cases[i].request)));
        CHECK(http_client_read_head(fd, &answer));

        struct http_toy_report report = http_toy_await(&toy, i + 1);

        CHECK_STR(str_from_c(report.method), expected->method);
        CHECK_STR(str_from_c(report.path), expected->path);
        CHECK_STR(str_from_c(report.id), expected->id);
        CHECK_STR(str_from_c(report.trace_id), expected->trace_id);
        CHECK_STR(str_from_c(report.outcome), expected->outcome);
        CHECK_INT((int64_t)report.end, (int64_t)expected->end);
        CHECK_INT(report.status, expected->status);
        CHECK_INT((int64_t)report.bytes_in, (int64_t)expected->bytes_in);
        CHECK_INT((int64_t)report.bytes_out, (int64_t)expected->bytes_out);
        http_client_close(fd);
    }
    CHECK_INT((int64_t)toy.counted, COUNT_OF(cases)); /* before the answer, so all of them */
    http_toy_stop(&toy);
}

int main(void)
{
    RUN(answers_requests_for_its_handlers);
    RUN(answers_head_without_a_body);
    RUN(each_listener_has_its_own_handlers);
    RUN(answers_expect_with_continue);
    RUN(closes_when_asked_to);
    RUN(answers_pipelined_requests_in_order);
    RUN(reads_a_large_body_in_any_pieces);
    RUN(keeps_a_good_request_id_and_replaces_others);
    RUN(reports_each_request_once);
    return test_end();
}
