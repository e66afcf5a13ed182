/*
 * test_http.c - the HTTP sink: what all sinks owe, and what answers mean.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "delivery/sinks/http.h"
#include "tests/unit/canned.h"
#include "tests/unit/http_place.h"
#include "tests/unit/sink_suite.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { PATIENCE_US = HTTP_PLACE_PATIENCE_US };

/* A name that no resolver sends to a server: a label has at most 63 bytes. */
#define NOWHERE "nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere"

static struct sink make(size_t batch)
{
    return sink_http(&(struct sink_http_options){
        .url = http_place.url, .batch = batch, .timeout_us = PATIENCE_US, .ca_file = "" });
}

static size_t suite_batch;

static struct sink suite_create(void *self)
{
    (void)self;
    (void)pthread_mutex_lock(&http_place.mutex);
    buf_clear(&http_place.arrived);
    buf_clear(&http_place.keys);
    (void)pthread_mutex_unlock(&http_place.mutex);
    return make(suite_batch);
}

static void suite_arrived(void *self, struct buf *out)
{
    (void)self;
    (void)pthread_mutex_lock(&http_place.mutex);
    buf_add(out, buf_str(&http_place.arrived));
    (void)pthread_mutex_unlock(&http_place.mutex);
}

static void suite_arrived_keys(void *self, struct buf *out)
{
    (void)self;
    (void)pthread_mutex_lock(&http_place.mutex);
    buf_add(out, buf_str(&http_place.keys));
    (void)pthread_mutex_unlock(&http_place.mutex);
}

static void suite_set_broken(void *self, bool broken)
{
    (void)self;
    answer_with(broken ? "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n" : OK_ANSWER);
}

static void one_record_is_the_body(void)
{
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("POST /in?a=b HTTP/1.1\r\n"));
    CHECK(saw("\r\nContent-Type: application/json\r\n"));
    CHECK(saw("\r\nIdempotency-Key: id-1\r\n"));
    CHECK(saw("\r\nContent-Length: 7\r\n"));
    CHECK(saw("\r\n\r\n{\"n\":1}"));
    http_place_end();
}

static void several_records_are_an_array(void)
{
    static const struct sink_record records[] = {
        { .sequence = 5, .key = STR_INIT("id-1"), .bytes = STR_INIT("{\"n\":1}") },
        { .sequence = 6, .key = STR_INIT("id-2"), .bytes = STR_INIT("{\"n\":2}") },
    };
    static const struct sink_record odd[] = {
        { .sequence = 5, .key = STR_INIT("a,b c"), .bytes = STR_INIT("{}") },
        { .sequence = 6, .key = STR_INIT("%"), .bytes = STR_INIT("{}") }
    };
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 3,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    CHECK_INT(deliver_once(&options, records, 2, &answer), SINK_DELIVERED);
    CHECK(saw("\r\n\r\n[{\"n\":1},{\"n\":2}]"));
    CHECK(saw("\r\nIdempotency-Keys: id-1,id-2\r\n"));
    /* printf 'id-1 id-2' | sha256sum */
    CHECK(saw("\r\nIdempotency-Key: "
              "918d2d54f27d971d985d101476b72d538d6d0361bff46a96c5aabb0af2d31938\r\n"));
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\n\r\n[{\"n\":1}]"));
    CHECK(saw("\r\nIdempotency-Keys: id-1\r\n"));
    CHECK(saw("\r\nIdempotency-Key: id-1\r\n"));
    CHECK_INT(deliver_once(&options, odd, 2, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nIdempotency-Keys: a%2Cb%20c,%25\r\n"));
    http_place_end();
}

static enum sink_busy busy_by(int status)
{
    switch (status) {
    case 429:
        return SINK_THROTTLED;
    case 503:
        return SINK_UNAVAILABLE;
    default:
        return SINK_NOT_BUSY;
    }
}

/* An answer with this status to one record, and to two. */
static void check_status(int status, enum sink_result result)
{
    static const struct sink_record records[] = {
        { .sequence = 5, .key = STR_INIT("a"), .bytes = STR_INIT("{}") },
        { .sequence = 6, .key = STR_INIT("b"), .bytes = STR_INIT("{}") }
    };
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 2,
                                               .timeout_us = PATIENCE_US };
    enum sink_busy busy = busy_by(status);
    struct sink_answer answer;
    char text[100];

    (void)snprintf(text, sizeof(text), "HTTP/1.1 %d Status\r\n%s\r\n", status,
                   status == 204 || status == 304 ? "" : "Content-Length: 0\r\n");
    TEST_CASE(text);
    answer_with(text);
    for (size_t count = 1; count <= 2; count++) {
        CHECK_INT(deliver_once(&options, records, count, &answer), result);
        CHECK(answer.is_sink_wide == (busy != SINK_NOT_BUSY || result == SINK_MISCONFIGURED));
        CHECK_INT(answer.busy, busy);
        CHECK(answer.together == (count == 2 && result == SINK_REFUSED));
    }
}

static void each_status_has_its_meaning(void)
{
    static const struct {
        int first;
        int last;
        enum sink_result result;
    } cases[] = {
        { 200, 299, SINK_DELIVERED }, { 300, 399, SINK_MISCONFIGURED },
        { 400, 400, SINK_REFUSED },   { 401, 401, SINK_MISCONFIGURED },
        { 402, 402, SINK_REFUSED },   { 403, 403, SINK_POSTPONED },
        { 404, 406, SINK_REFUSED },   { 407, 407, SINK_MISCONFIGURED },
        { 408, 408, SINK_POSTPONED }, { 409, 420, SINK_REFUSED },
        { 421, 421, SINK_POSTPONED }, { 422, 424, SINK_REFUSED },
        { 425, 425, SINK_POSTPONED }, { 426, 428, SINK_REFUSED },
        { 429, 429, SINK_POSTPONED }, { 430, 499, SINK_REFUSED },
        { 500, 599, SINK_POSTPONED },
    };

    http_place_begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int status = cases[i].first; status <= cases[i].last;
             status += status == cases[i].first ? 1 : (cases[i].last - cases[i].first + 7) / 8)
            check_status(status, cases[i].result);
    http_place_end();
}

static void no_whole_answer_postpones(void)
{
    static const struct {
        const char *name;
        const char *answer; /* NULL: none */
        int64_t timeout_us;
    } cases[] = {
        { "closed", "", PATIENCE_US },
        { "silence", NULL, 50000 },
        { "no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", PATIENCE_US },
        { "only an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n", 50000 },
    };
    struct sink_answer answer;

    http_place_begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct sink_http_options options = { .url = http_place.url,
                                                   .batch = 1,
                                                   .timeout_us = cases[i].timeout_us };

        TEST_CASE(cases[i].name);
        answer_with(cases[i].answer);
        CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_POSTPONED);
    }
    http_place_end();
}

/* Credentials, certificates and secrets do not mend by themselves. */
static void what_the_operator_must_mend_is_a_fault_of_the_configuration(void)
{
    static const struct sink_http_header headers[] = { { .name = "x-key",
                                                         .file = "/nowhere/key" } };
    static const struct {
        struct sink_http_options options;
        const char *reason;
    } cases[] = {
        { { .ca_file = "/nowhere/ca.pem" }, "the CA file cannot be used" },
        { { .cert_file = "/nowhere/cert.pem", .key_file = "/nowhere/key.pem" },
          "the client certificate cannot be used" },
        { { .sign_file = "/nowhere/secrets" }, "/nowhere/secrets: No such file or directory" },
        { { .headers = headers, .header_count = 1 }, "/nowhere/key: No such file or directory" },
        { { .oauth = { "http://127.0.0.1:1/", "id", "/nowhere/secret", "" } },
          "/nowhere/secret: No such file or directory" },
    };

    http_place_begin();
    (void)snprintf(http_place.url, sizeof(http_place.url), "https://127.0.0.1:%d/",
                   canned_port(http_place.server));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink_http_options options = cases[i].options;
        struct str records[] = { STR_INIT("{}") };
        const struct sink_answer *answer;
        struct sink sink;

        TEST_CASE(cases[i].reason);
        options.url = http_place.url;
        options.batch = 1;
        options.timeout_us = PATIENCE_US;
        sink = sink_http(&options);
        answer = sink_suite_deliver(&sink, records, 1);
        CHECK_INT(answer->outcomes[0].result, SINK_MISCONFIGURED);
        CHECK(answer->is_sink_wide);
        CHECK(strstr(answer->outcomes[0].reason, cases[i].reason));
        sink.destroy(sink.self);
    }
    http_place_end();
}

/* A status line says what became of the http_place_record. What comes after it says nothing about
 * that. */
static void the_status_line_is_the_answer(void)
{
    static const struct {
        const char *name;
        const char *begin;
        size_t filler; /* bytes of a header, behind `begin` */
        const char *end;
        enum sink_result result;
    } cases[] = {
        { "cut behind the status line", "HTTP/1.1 200 OK\r\nConnection: close\r\n", 0, "",
          SINK_DELIVERED },
        { "a body that is cut short", "HTTP/1.1 200 OK\r\nConnection: close\r\n", 0,
          "Content-Length: 100\r\n\r\nab", SINK_DELIVERED },
        { "a body that does not go on", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n", 0, "\r\nab",
          SINK_DELIVERED },
        { "no last chunk", "HTTP/1.1 202 Accepted\r\nConnection: close\r\n", 0,
          "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", SINK_DELIVERED },
        { "chunks that are none", "HTTP/1.1 201 Created\r\nConnection: close\r\n", 0,
          "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", SINK_DELIVERED },
        { "70 KB of headers", "HTTP/1.1 200 OK\r\nX-Filler: ", 70000,
          "\r\nContent-Length: 0\r\n\r\n", SINK_DELIVERED },
        { "a megabyte of headers", "HTTP/1.1 200 OK\r\nConnection: close\r\nX: ", 1000000,
          "\r\nContent-Length: 0\r\n\r\n", SINK_DELIVERED },
        { "a refusal that is cut short", "HTTP/1.1 422 No\r\nConnection: close\r\n", 0,
          "Content-Length: 100\r\n\r\nab", SINK_REFUSED },
        { "an interim answer first", "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n", 0,
          "Connection: close\r\nContent-Length: 9\r\n\r\n", SINK_DELIVERED },
    };
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf text;

        TEST_CASE(cases[i].name);
        buf_init(&text, HTTP_PLACE_MAX);
        buf_add(&text, str_from_c(cases[i].begin));
        if (cases[i].filler > 0) {
            memset(buf_reserve(&text, cases[i].filler), 'x', cases[i].filler);
            text.len += cases[i].filler;
        }
        buf_add(&text, str_from_c(cases[i].end));
        buf_add_char(&text, '\0');
        answer_with(text.ptr);
        CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), cases[i].result);
    }
    http_place_end();
}

static void a_long_answer_is_no_fault(void)
{
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    static const char head[] = "HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n";
    struct sink_answer answer;
    CLEANUP(buf_done) struct buf text;

    http_place_begin();
    buf_init(&text, HTTP_PLACE_MAX);
    buf_add(&text, str_from_c(head));
    memset(buf_reserve(&text, 1000000), 'x', 1000000);
    text.len += 1000000;
    buf_add_char(&text, '\0');
    answer_with(text.ptr);
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_DELIVERED);
    http_place_end();
}

/* No server listens, or none that is trusted. */
static void no_connection_postpones(void)
{
    static const char *const urls[] = { "http://127.0.0.1:1/", "https://127.0.0.1:1/",
                                        "http://" NOWHERE "/", "http://" };
    struct sink_answer answer;

    http_place_begin();
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        TEST_CASE(urls[i]);
        CHECK_INT(
            deliver_once(
                &(struct sink_http_options){ .url = urls[i], .batch = 1, .timeout_us = 2000000 },
                &http_place_record, 1, &answer),
            SINK_POSTPONED);
    }
    (void)snprintf(http_place.url, sizeof(http_place.url), "https://127.0.0.1:%d/",
                   canned_port(http_place.server));
    answer_with("\x15\x03\x03"); /* the beginning of a TLS alert */
    CHECK_INT(
        deliver_once(
            &(struct sink_http_options){ .url = http_place.url, .batch = 1, .timeout_us = 2000000 },
            &http_place_record, 1, &answer),
        SINK_POSTPONED);
    http_place_end();
}

static void the_receiver_may_ask_for_time(void)
{
    char soon[100];
    char date[64];
    time_t at = time(NULL) + 100;
    struct tm parts;
    struct {
        const char *header;
        int64_t least_s;
        int64_t most_s;
    } cases[] = {
        { "", 0, 0 },
        { "Retry-After: 7\r\n", 7, 7 },
        { "retry-after:  120  \r\n", 120, 120 },
        { "Retry-After: 0\r\n", 0, 0 },
        { "Retry-After: -7\r\n", 0, 0 },
        { "Retry-After: 7s\r\n", 0, 0 },
        { "Retry-After: soon\r\n", 0, 0 },
        { "Retry-After:\r\n", 0, 0 },
        { "Retry-After: 99999999999999999999999999\r\n", 86400, 86400 },
        { "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, 0 },
        { "Retry-After: Wed, 21 Oct 2915 07:28:00 GMT\r\n", 86400, 86400 },
        { "Retry-After: Wed, 21 Oct 2915 07:28:00 GMT and more of it\r\n", 0, 0 },
        { soon, 40, 101 },
    };
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
    (void)snprintf(soon, sizeof(soon), "Retry-After: %s\r\n", date);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];

        TEST_CASE(cases[i].header);
        (void)snprintf(text, sizeof(text), "HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n",
                       cases[i].header);
        answer_with(text);
        CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_POSTPONED);
        CHECK(answer.retry_after_us >= cases[i].least_s * 1000000);
        CHECK(answer.retry_after_us <= cases[i].most_s * 1000000);
    }
    http_place_end();
}

static void reasons_name_neither_place_nor_secret(void)
{
    struct sink sink;
    const struct sink_answer *answer;
    const struct str records[] = { STR_INIT("{}") };

    http_place_begin();
    answer_with("HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nsecret");
    sink = make(1);
    answer = sink_suite_deliver(&sink, records, 1);
    CHECK_STR(str_from_c(answer->outcomes[0].reason), "answered 500");
    answer_with("");
    answer = sink_suite_deliver(&sink, records, 1);
    CHECK_STR(str_from_c(answer->outcomes[0].reason), "the connection ended without an answer");
    sink.destroy(sink.self);
    http_place_end();
}

static void connections_are_kept(void)
{
    const struct str records[] = { STR_INIT("{}") };
    struct sink sink;

    http_place_begin();
    sink = make(1);
    for (int i = 0; i < 5; i++)
        sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_DELIVERED);
    CHECK_INT((int64_t)canned_connections(http_place.server), 1);
    sink.destroy(sink.self);
    http_place_end();
}

static bool has_request(void *self)
{
    (void)self;
    return canned_requests(http_place.server) > 0;
}

static void *interrupt_soon(void *self)
{
    struct sink *sink = self;

    assert(wait_until(has_request, NULL));
    sink->interrupt(sink->self);
    return NULL;
}

static void a_hanging_request_is_interrupted(void)
{
    const struct str records[] = { STR_INIT("{}") };
    int64_t before = clock_monotonic_us();
    pthread_t thread;
    struct sink sink;

    http_place_begin();
    answer_with(NULL);
    sink = make(1);
    assert(pthread_create(&thread, NULL, interrupt_soon, &sink) == 0);
    sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_POSTPONED);
    CHECK(clock_monotonic_us() - before < PATIENCE_US);
    (void)pthread_join(thread, NULL);
    sink.destroy(sink.self);
    http_place_end();
}

int main(void)
{

    const struct sink_suite suite = {
        .create = suite_create,
        .arrived = suite_arrived,
        .arrived_keys = suite_arrived_keys,
        .set_broken = suite_set_broken,
        .refused = STR("{\"is\":\"poison\"}"),
    };
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    for (suite_batch = 1; suite_batch <= 10; suite_batch += 9) {
        http_place_begin();
        sink_suite_run(&suite);
        http_place_end();
    }
    RUN(one_record_is_the_body);
    RUN(several_records_are_an_array);
    RUN(each_status_has_its_meaning);
    RUN(what_the_operator_must_mend_is_a_fault_of_the_configuration);
    RUN(no_whole_answer_postpones);
    RUN(the_status_line_is_the_answer);
    RUN(a_long_answer_is_no_fault);
    RUN(no_connection_postpones);
    RUN(the_receiver_may_ask_for_time);
    RUN(reasons_name_neither_place_nor_secret);
    RUN(connections_are_kept);
    RUN(a_hanging_request_is_interrupted);
    return test_end();
}
