/*
 * test_http.c - the HTTP sink: what all sinks owe, and what is sent and what answers mean
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compress.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "delivery/sinks/http.h"
#include "delivery/sinks/webhook.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"
#include "tests/unit/sink_suite.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { ARRIVED_MAX = 16 * 1024 * 1024, PATIENCE_US = 60000000, URL_SIZE = 100 };

/* A name that no resolver sends to a server: a label has at most 63 bytes. */
#define NOWHERE "nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* The receiver: what it answers, and what it got. */
static struct {
    struct canned *server;
    pthread_mutex_t mutex; /* guards the rest */
    struct buf answer;     /* to what has no poison in it */
    bool stalls;           /* it says nothing instead */
    struct buf sent;       /* a copy of the answer, on its way; the server's thread's own */
    struct buf seen;       /* the last request */
    struct buf arrived;    /* the records, a line each, */
    struct buf keys;       /* and their keys */
} receiver = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static char url[URL_SIZE];

/* Add a line for each element of an array of objects, or for the one value. */
static void add_records(struct buf *out, struct str body)
{
    const char *rest = body.ptr + 1;
    const char *end = body.ptr + body.len - 1; /* at the bracket */

    if (body.ptr[0] != '[') {
        buf_add(out, body);
        buf_add_char(out, '\n');
        return;
    }
    while (rest < end) {
        const char *gap = memmem(rest, (size_t)(end - rest), "},{", 3);
        const char *stop = gap ? gap + 1 : end;

        buf_add(out, (struct str){ rest, (size_t)(stop - rest) });
        buf_add_char(out, '\n');
        rest = stop + 1;
    }
}

/* Of an array those of its elements, else the request's own. */
static void add_keys(struct buf *out, const char *request)
{
    static const char one[] = "\r\nIdempotency-Key: ";
    static const char many[] = "\r\nIdempotency-Keys: ";
    const char *at = strstr(request, many);

    at = at ? at + sizeof(many) - 1 : strstr(request, one) + sizeof(one) - 1;
    for (; *at != '\r'; at++)
        buf_add_char(out, (char)(*at == ',' ? '\n' : *at));
    buf_add_char(out, '\n');
}

static struct str receive(void *self, struct str request, size_t nth)
{
    static const struct str refusal = STR_INIT("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    const char *end = memmem(request.ptr, request.len, "\r\n\r\n", 4);
    struct str body = str_from(request, end ? (size_t)(end - request.ptr) + 4 : request.len);
    bool is_poison = body.len > 0 && memmem(body.ptr, body.len, "poison", 6);
    struct str answer;

    (void)self;
    (void)nth;
    (void)pthread_mutex_lock(&receiver.mutex);
    answer = is_poison ? refusal : buf_str(&receiver.answer);
    buf_clear(&receiver.seen);
    buf_add(&receiver.seen, request);
    buf_add_char(&receiver.seen, '\0');
    buf_clear(&receiver.sent);
    buf_add(&receiver.sent, answer);
    if (body.len > 0 && str_starts_with(answer, STR("HTTP/1.1 2"))) {
        add_records(&receiver.arrived, body);
        if (strstr(receiver.seen.ptr, "\r\nIdempotency-Key: "))
            add_keys(&receiver.keys, receiver.seen.ptr);
    }

    bool stalls = receiver.stalls;

    (void)pthread_mutex_unlock(&receiver.mutex);
    if (stalls)
        return CANNED_STALL;
    return receiver.sent.len > 0 ? buf_str(&receiver.sent) : CANNED_CLOSE;
}

/* From now on; NULL: nothing at all, "": the connection is closed. */
static void answer_with(const char *answer)
{
    (void)pthread_mutex_lock(&receiver.mutex);
    buf_clear(&receiver.answer);
    buf_add(&receiver.answer, str_from_c(answer));
    receiver.stalls = !answer;
    (void)pthread_mutex_unlock(&receiver.mutex);
}

static void begin(void)
{
    buf_init(&receiver.seen, ARRIVED_MAX);
    buf_init(&receiver.arrived, ARRIVED_MAX);
    buf_init(&receiver.keys, ARRIVED_MAX);
    buf_init(&receiver.sent, ARRIVED_MAX);
    buf_init(&receiver.answer, ARRIVED_MAX);
    answer_with(OK_ANSWER);
    receiver.server = canned_start(NULL, receive, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/in?a=b", canned_port(receiver.server));
}

static void end(void)
{
    canned_destroy(receiver.server);
    buf_done(&receiver.seen);
    buf_done(&receiver.arrived);
    buf_done(&receiver.keys);
    buf_done(&receiver.sent);
    buf_done(&receiver.answer);
}

static struct sink make(size_t batch)
{
    return sink_http(&(struct sink_http_options){
        .url = url, .batch = batch, .timeout_us = PATIENCE_US, .ca_file = "" });
}

static size_t suite_batch;

static struct sink suite_create(void *self)
{
    (void)self;
    (void)pthread_mutex_lock(&receiver.mutex);
    buf_clear(&receiver.arrived);
    buf_clear(&receiver.keys);
    (void)pthread_mutex_unlock(&receiver.mutex);
    return make(suite_batch);
}

static void suite_arrived(void *self, struct buf *out)
{
    (void)self;
    (void)pthread_mutex_lock(&receiver.mutex);
    buf_add(out, buf_str(&receiver.arrived));
    (void)pthread_mutex_unlock(&receiver.mutex);
}

static void suite_arrived_keys(void *self, struct buf *out)
{
    (void)self;
    (void)pthread_mutex_lock(&receiver.mutex);
    buf_add(out, buf_str(&receiver.keys));
    (void)pthread_mutex_unlock(&receiver.mutex);
}

static void suite_set_broken(void *self, bool broken)
{
    (void)self;
    answer_with(broken ? "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n" : OK_ANSWER);
}

static bool saw(const char *text)
{
    (void)pthread_mutex_lock(&receiver.mutex);

    bool found = strstr(receiver.seen.ptr, text) != NULL;

    (void)pthread_mutex_unlock(&receiver.mutex);
    return found;
}

/* Deliver these with a sink of these options, once; the first outcome's result. */
static enum sink_result deliver_once(const struct sink_http_options *options,
                                     const struct sink_record *records, size_t count,
                                     struct sink_answer *answer)
{
    static struct sink_outcome outcomes[4];
    struct arena *arena = arena_create();
    struct sink sink = sink_http(options);

    *answer = (struct sink_answer){ .outcomes = outcomes };
    memset(outcomes, 0, sizeof(outcomes));
    assert(count <= COUNT_OF(outcomes));
    sink.deliver(sink.self,
                 &(struct sink_batch){ .records = records, .count = count, .arena = arena },
                 answer);
    sink.destroy(sink.self);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(outcomes[i].result, outcomes[0].result);
    arena_destroy(arena); /* the reasons with it */
    return outcomes[0].result;
}

static const struct sink_record record = { .sequence = 5,
                                           .key = STR_INIT("id-1"),
                                           .bytes = STR_INIT("{\"n\":1}") };

static void one_record_is_the_body(void)
{
    const struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("POST /in?a=b HTTP/1.1\r\n"));
    CHECK(saw("\r\nContent-Type: application/json\r\n"));
    CHECK(saw("\r\nIdempotency-Key: id-1\r\n"));
    CHECK(saw("\r\nContent-Length: 7\r\n"));
    CHECK(saw("\r\n\r\n{\"n\":1}"));
    end();
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
    const struct sink_http_options options = { .url = url, .batch = 3, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
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
    end();
}

static void any_id_makes_a_key(void)
{
    static const struct {
        struct str id;
        const char *key;
    } cases[] = {
        { STR_INIT("17793124-05d4-b198-2fde-7ededc63b103"),
          "\r\nIdempotency-Key: 17793124-05d4-b198-2fde-7ededc63b103\r\n" },
        { STR_INIT("a b"), "\r\nIdempotency-Key: a%20b\r\n" },
        { STR_INIT("a%20b"), "\r\nIdempotency-Key: a%2520b\r\n" },
        { STR_INIT("a\r\nX: y"), "\r\nIdempotency-Key: a%0D%0AX:%20y\r\n" },
        { STR_INIT("\xc3\xa9\x7f\0"), "\r\nIdempotency-Key: %C3%A9%7F%00\r\n" },
        { STR_INIT("id:0123abcd"), "\r\nIdempotency-Key: id:0123abcd\r\n" },
    };
    const struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink_record named = { .sequence = 1, .key = cases[i].id, .bytes = STR_INIT("{}") };

        TEST_CASE(cases[i].key);
        CHECK_INT(deliver_once(&options, &named, 1, &answer), SINK_DELIVERED);
        CHECK(saw(cases[i].key));
    }
    end();
}

static void headers_are_sent_and_secrets_read_again(void)
{
    struct folder folder;
    char file[FOLDER_PATH_SIZE];
    const struct sink_http_header headers[] = {
        { .name = "X-Plain", .value = "plain text" },
        { .name = "authorization", .file = file },
        { .name = "content-type", .value = "application/vnd.records+json" },
        { .name = "idempotency-key", .value = "mine" },
    };
    const struct sink_http_options options = { .url = url,
                                               .headers = headers,
                                               .header_count = COUNT_OF(headers),
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    folder_init(&folder);
    folder_path(&folder, "secret", file);
    /* There is no file yet. */
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_MISCONFIGURED);
    CHECK_INT((int64_t)canned_requests(receiver.server), 0);
    folder_write(&folder, "secret", STR("Bearer one\n"));
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nX-Plain: plain text\r\n"));
    CHECK(saw("\r\nauthorization: Bearer one\r\n"));
    CHECK(saw("\r\ncontent-type: application/vnd.records+json\r\n"));
    CHECK(saw("\r\nidempotency-key: mine\r\n"));
    CHECK(!saw("Content-Type:") && !saw("Idempotency-Key:"));
    folder_write(&folder, "secret", STR("Bearer two"));
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nauthorization: Bearer two\r\n"));
    folder_done(&folder);
    end();
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
    static const struct sink_record records[] = {
        { .sequence = 5, .key = STR_INIT("a"), .bytes = STR_INIT("{}") },
        { .sequence = 6, .key = STR_INIT("b"), .bytes = STR_INIT("{}") }
    };
    const struct sink_http_options options = { .url = url, .batch = 2, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int status = cases[i].first; status <= cases[i].last;
             status += status == cases[i].first ? 1 : (cases[i].last - cases[i].first + 7) / 8) {
            char text[100];

            (void)snprintf(text, sizeof(text), "HTTP/1.1 %d Status\r\n%s\r\n", status,
                           status == 204 || status == 304 ? "" : "Content-Length: 0\r\n");
            TEST_CASE(text);
            answer_with(text);
            for (size_t count = 1; count <= 2; count++) {
                CHECK_INT(deliver_once(&options, records, count, &answer), cases[i].result);
                CHECK(answer.is_sink_wide ==
                      (status == 429 || status == 503 || cases[i].result == SINK_MISCONFIGURED));
                CHECK(answer.together == (count == 2 && cases[i].result == SINK_REFUSED));
            }
        }
    end();
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

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct sink_http_options options = { .url = url,
                                                   .batch = 1,
                                                   .timeout_us = cases[i].timeout_us };

        TEST_CASE(cases[i].name);
        answer_with(cases[i].answer);
        CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_POSTPONED);
    }
    end();
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

    begin();
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", canned_port(receiver.server));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink_http_options options = cases[i].options;
        struct str records[] = { STR_INIT("{}") };
        const struct sink_answer *answer;
        struct sink sink;

        TEST_CASE(cases[i].reason);
        options.url = url;
        options.batch = 1;
        options.timeout_us = PATIENCE_US;
        sink = sink_http(&options);
        answer = sink_suite_deliver(&sink, records, 1);
        CHECK_INT(answer->outcomes[0].result, SINK_MISCONFIGURED);
        CHECK(answer->is_sink_wide);
        CHECK(strstr(answer->outcomes[0].reason, cases[i].reason));
        sink.destroy(sink.self);
    }
    end();
}

/* A status line says what became of the record. What comes after it says nothing about that. */
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
    const struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf text;

        TEST_CASE(cases[i].name);
        buf_init(&text, ARRIVED_MAX);
        buf_add(&text, str_from_c(cases[i].begin));
        if (cases[i].filler > 0) {
            memset(buf_reserve(&text, cases[i].filler), 'x', cases[i].filler);
            text.len += cases[i].filler;
        }
        buf_add(&text, str_from_c(cases[i].end));
        buf_add_char(&text, '\0');
        answer_with(text.ptr);
        CHECK_INT(deliver_once(&options, &record, 1, &answer), cases[i].result);
    }
    end();
}

static void a_long_answer_is_no_fault(void)
{
    const struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    static const char head[] = "HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n";
    struct sink_answer answer;
    CLEANUP(buf_done) struct buf text;

    begin();
    buf_init(&text, ARRIVED_MAX);
    buf_add(&text, str_from_c(head));
    memset(buf_reserve(&text, 1000000), 'x', 1000000);
    text.len += 1000000;
    buf_add_char(&text, '\0');
    answer_with(text.ptr);
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_DELIVERED);
    end();
}

/* No server listens, or none that is trusted. */
static void no_connection_postpones(void)
{
    static const char *const urls[] = { "http://127.0.0.1:1/", "https://127.0.0.1:1/",
                                        "http://" NOWHERE "/", "http://" };
    struct sink_answer answer;

    begin();
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        TEST_CASE(urls[i]);
        CHECK_INT(
            deliver_once(
                &(struct sink_http_options){ .url = urls[i], .batch = 1, .timeout_us = 2000000 },
                &record, 1, &answer),
            SINK_POSTPONED);
    }
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", canned_port(receiver.server));
    answer_with("\x15\x03\x03"); /* the beginning of a TLS alert */
    CHECK_INT(
        deliver_once(&(struct sink_http_options){ .url = url, .batch = 1, .timeout_us = 2000000 },
                     &record, 1, &answer),
        SINK_POSTPONED);
    end();
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
    const struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
    (void)snprintf(soon, sizeof(soon), "Retry-After: %s\r\n", date);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];

        TEST_CASE(cases[i].header);
        (void)snprintf(text, sizeof(text), "HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n",
                       cases[i].header);
        answer_with(text);
        CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_POSTPONED);
        CHECK(answer.retry_after_us >= cases[i].least_s * 1000000);
        CHECK(answer.retry_after_us <= cases[i].most_s * 1000000);
    }
    end();
}

static void reasons_name_neither_place_nor_secret(void)
{
    struct sink sink;
    const struct sink_answer *answer;
    const struct str records[] = { STR_INIT("{}") };

    begin();
    answer_with("HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nsecret");
    sink = make(1);
    answer = sink_suite_deliver(&sink, records, 1);
    CHECK_STR(str_from_c(answer->outcomes[0].reason), "answered 500");
    answer_with("");
    answer = sink_suite_deliver(&sink, records, 1);
    CHECK_STR(str_from_c(answer->outcomes[0].reason), "the connection ended without an answer");
    sink.destroy(sink.self);
    end();
}

static void connections_are_kept(void)
{
    const struct str records[] = { STR_INIT("{}") };
    struct sink sink;

    begin();
    sink = make(1);
    for (int i = 0; i < 5; i++)
        sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_DELIVERED);
    CHECK_INT((int64_t)canned_connections(receiver.server), 1);
    sink.destroy(sink.self);
    end();
}

static bool has_request(void *self)
{
    (void)self;
    return canned_requests(receiver.server) > 0;
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

    begin();
    answer_with(NULL);
    sink = make(1);
    assert(pthread_create(&thread, NULL, interrupt_soon, &sink) == 0);
    sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_POSTPONED);
    CHECK(clock_monotonic_us() - before < PATIENCE_US);
    (void)pthread_join(thread, NULL);
    sink.destroy(sink.self);
    end();
}

/* The value of a header of the last request; "" when it has none. */
static const char *value_of(const char *name)
{
    static char value[400];
    char line[64];
    const char *at;

    (void)snprintf(line, sizeof(line), "\r\n%s: ", name);
    (void)pthread_mutex_lock(&receiver.mutex);
    at = strstr(receiver.seen.ptr, line);
    (void)snprintf(value, sizeof(value), "%.*s", at ? (int)strcspn(at + strlen(line), "\r") : 0,
                   at ? at + strlen(line) : "");
    (void)pthread_mutex_unlock(&receiver.mutex);
    return value;
}

static void bodies_are_compressed(void)
{
    static const struct sink_record records[] = {
        { .sequence = 5, .key = STR_INIT("id-1"), .bytes = STR_INIT("{\"n\":1}") },
        { .sequence = 6, .key = STR_INIT("id-2"), .bytes = STR_INIT("{\"n\":2}") },
    };
    static const struct {
        size_t batch;
        size_t count;
        const char *body;
    } cases[] = {
        { 1, 1, "{\"n\":1}" },
        { 2, 2, "[{\"n\":1},{\"n\":2}]" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf packed;
        struct sink_answer answer;
        struct str seen;

        begin();
        buf_init(&packed, SIZE_MAX);
        compress_all(COMPRESS_GZIP, str_from_c(cases[i].body), &packed);
        CHECK_INT(deliver_once(&(struct sink_http_options){ .url = url,
                                                            .batch = cases[i].batch,
                                                            .timeout_us = PATIENCE_US,
                                                            .gzip = true },
                               records, cases[i].count, &answer),
                  SINK_DELIVERED);
        CHECK(saw("\r\nContent-Encoding: gzip\r\n"));
        seen = (struct str){ receiver.seen.ptr, receiver.seen.len - 1 };
        CHECK(str_ends_with(seen, buf_str(&packed)));
        end();
    }
}

/* webhook_sign() makes the signature; here it counts what is signed. */
static void requests_are_signed(void)
{
    static const struct sink_record dotted = { .sequence = 5,
                                               .key = STR_INIT("a.b c"),
                                               .bytes = STR_INIT("{\"n\":1}") };
    CLEANUP(buf_done) struct buf expected;
    struct folder folder;
    char file[FOLDER_PATH_SIZE];
    struct sink_answer answer;
    struct error err;
    int64_t at_s;

    begin();
    folder_init(&folder);
    folder_path(&folder, "secret", file);
    folder_write(&folder, "secret", STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"));
    CHECK_INT(deliver_once(
                  &(struct sink_http_options){
                      .url = url, .batch = 1, .timeout_us = PATIENCE_US, .sign_file = file },
                  &dotted, 1, &answer),
              SINK_DELIVERED);
    CHECK_STR(str_from_c(value_of("webhook-id")), "a%2Eb%20c");
    CHECK_STR(str_from_c(value_of("Idempotency-Key")), "a.b%20c");
    at_s = strtoll(value_of("webhook-timestamp"), NULL, 10);
    CHECK(at_s <= time(NULL) && at_s > time(NULL) - 60);
    buf_init(&expected, SIZE_MAX);
    CHECK(webhook_sign(
        file,
        &(struct webhook_message){ .id = STR("a%2Eb%20c"), .at_s = at_s, .body = STR("{\"n\":1}") },
        &expected, &err));
    buf_add_char(&expected, '\0');
    CHECK_STR(str_from_c(value_of("webhook-signature")), expected.ptr);
    folder_done(&folder);
    end();
}

static void a_request_says_where_its_record_comes_from(void)
{
    static const struct sink_record records[] = {
        { .sequence = 5,
          .key = STR_INIT("id-1"),
          .bytes = STR_INIT("{}"),
          .origin = { .event_id = STR_INIT("e 1"),
                      .route = STR_INIT("orders"),
                      .schema_version = STR_INIT("3"),
                      .request_id = STR_INIT("r-1"),
                      .traceparent =
                          STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") } },
    };
    static const struct sink_http_header mine[] = { { .name = "Sluice-Route", .value = "mine" } };
    struct sink_http_options options = { .url = url, .batch = 1, .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    begin();
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK_STR(str_from_c(value_of("sluice-event-id")), "e%201");
    CHECK_STR(str_from_c(value_of("sluice-route")), "orders");
    CHECK_STR(str_from_c(value_of("sluice-schema-version")), "3");
    CHECK_STR(str_from_c(value_of("sluice-request-id")), "r-1");
    CHECK_STR(str_from_c(value_of("traceparent")),
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    CHECK_INT(deliver_once(&options, &record, 1, &answer), SINK_DELIVERED);
    CHECK(!saw("sluice-") && !saw("traceparent")); /* nothing is known */
    options.headers = mine;
    options.header_count = 1;
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nSluice-Route: mine\r\n") && !saw("sluice-route"));
    options.batch = 2; /* an array has records of several events */
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK(!saw("sluice-event-id"));
    end();
}

/* Both servers in one: the token's path is asked with a form. */
static struct str receive_with_tokens(void *self, struct str request, size_t nth)
{
    static char text[100];
    size_t *asked = self;
    char good[64];

    (void)nth;
    if (memmem(request.ptr, request.len, "grant_type", 10)) {
        (void)snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"access_token\":\"t%zu\"}",
                       ++*asked);
        return str_from_c(text);
    }
    (void)snprintf(good, sizeof(good), "\r\nAuthorization: Bearer t%d\r\n", *asked < 4 ? 2 : 4);
    return memmem(request.ptr, request.len, good, strlen(good))
               ? STR(OK_ANSWER)
               : STR("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
}

/* The first token is not accepted, and none behind the fourth. */
static void a_token_that_is_refused_is_renewed_once(void)
{
    static const struct str records[] = { STR_INIT("{}") };
    size_t asked = 0;
    struct canned *server = canned_start(NULL, receive_with_tokens, &asked);
    struct folder folder;
    char file[FOLDER_PATH_SIZE];
    struct sink sink;

    folder_init(&folder);
    folder_path(&folder, "secret", file);
    folder_write(&folder, "secret", STR("s"));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(server));
    sink = sink_http(&(struct sink_http_options){
        .url = url, .batch = 1, .timeout_us = PATIENCE_US, .oauth = { url, "id", file, "" } });
    for (int i = 0; i < 3; i++)
        sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_DELIVERED);
    CHECK_INT((int64_t)asked, 2);
    CHECK_INT((int64_t)canned_requests(server), 6); /* two tokens, one 401, three records */
    sink.destroy(sink.self);

    sink = sink_http(&(struct sink_http_options){
        .url = url, .batch = 1, .timeout_us = PATIENCE_US, .oauth = { url, "id", file, "" } });
    asked = 4; /* both tokens that come next are refused */
    sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_MISCONFIGURED);
    CHECK_INT((int64_t)asked, 6);
    sink.destroy(sink.self);
    folder_done(&folder);
    canned_destroy(server);
}

/* Each slot has a client of its own, made when it is used; interrupt() reaches all. */
struct slot_call {
    struct sink *sink;
    size_t slot;
    pthread_t thread;
    enum sink_result result;
};

static void *deliver_in_slot(void *self)
{
    struct slot_call *call = self;
    struct arena *arena = arena_create();
    struct sink_outcome outcome = { 0 };
    struct sink_answer answer = { .outcomes = &outcome };

    call->sink->deliver(
        call->sink->self,
        &(struct sink_batch){ .records = &record, .count = 1, .slot = call->slot, .arena = arena },
        &answer);
    call->result = outcome.result;
    arena_destroy(arena);
    return NULL;
}

static bool has_three_connections(void *self)
{
    (void)self;
    return canned_requests(receiver.server) == 3;
}

static void several_requests_are_in_flight(void)
{
    enum { SLOTS = 3 };
    struct slot_call calls[SLOTS];
    struct slot_call late;
    struct sink sink;

    begin();
    answer_with(NULL);
    sink = sink_http(&(struct sink_http_options){
        .url = url, .batch = 1, .timeout_us = PATIENCE_US, .in_flight = SLOTS + 1 });
    CHECK_INT((int64_t)sink.in_flight, SLOTS + 1);
    for (size_t i = 0; i < SLOTS; i++) {
        calls[i] = (struct slot_call){ .sink = &sink, .slot = i };
        assert(pthread_create(&calls[i].thread, NULL, deliver_in_slot, &calls[i]) == 0);
    }
    CHECK(wait_until(has_three_connections, NULL));
    sink.interrupt(sink.self);
    for (size_t i = 0; i < SLOTS; i++) {
        (void)pthread_join(calls[i].thread, NULL);
        CHECK_INT(calls[i].result, SINK_POSTPONED);
    }
    late = (struct slot_call){ .sink = &sink, .slot = SLOTS };
    (void)deliver_in_slot(&late); /* interrupted, too */
    CHECK_INT(late.result, SINK_POSTPONED);
    CHECK_INT((int64_t)canned_requests(receiver.server), SLOTS);
    sink.destroy(sink.self);
    end();
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
        begin();
        sink_suite_run(&suite);
        end();
    }
    RUN(one_record_is_the_body);
    RUN(several_records_are_an_array);
    RUN(any_id_makes_a_key);
    RUN(headers_are_sent_and_secrets_read_again);
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
    RUN(bodies_are_compressed);
    RUN(requests_are_signed);
    RUN(a_request_says_where_its_record_comes_from);
    RUN(a_token_that_is_refused_is_renewed_once);
    RUN(several_requests_are_in_flight);
    return test_end();
}
