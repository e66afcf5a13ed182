/*
 * test_http_request.c - the HTTP sink: headers, secrets, signatures and tokens of its requests, and
 * several at a time.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compress.h"
#include "base/fetch.h"
#include "delivery/sinks/http.h"
#include "delivery/sinks/webhook.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"
#include "tests/unit/http_place.h"
#include "tests/unit/sink_suite.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { PATIENCE_US = HTTP_PLACE_PATIENCE_US };

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
    const struct sink_http_options options = { .url = http_place.url,
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sink_record named = { .sequence = 1, .key = cases[i].id, .bytes = STR_INIT("{}") };

        TEST_CASE(cases[i].key);
        CHECK_INT(deliver_once(&options, &named, 1, &answer), SINK_DELIVERED);
        CHECK(saw(cases[i].key));
    }
    http_place_end();
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
    const struct sink_http_options options = { .url = http_place.url,
                                               .headers = headers,
                                               .header_count = COUNT_OF(headers),
                                               .batch = 1,
                                               .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    folder_init(&folder);
    folder_path(&folder, "secret", file);
    /* There is no file yet. */
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_MISCONFIGURED);
    CHECK_INT((int64_t)canned_requests(http_place.server), 0);
    folder_write(&folder, "secret", STR("Bearer one\n"));
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nX-Plain: plain text\r\n"));
    CHECK(saw("\r\nauthorization: Bearer one\r\n"));
    CHECK(saw("\r\ncontent-type: application/vnd.records+json\r\n"));
    CHECK(saw("\r\nidempotency-key: mine\r\n"));
    CHECK(!saw("Content-Type:") && !saw("Idempotency-Key:"));
    folder_write(&folder, "secret", STR("Bearer two"));
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nauthorization: Bearer two\r\n"));
    folder_done(&folder);
    http_place_end();
}

/* The value of a header of the last request; "" when it has none. */
static const char *value_of(const char *name)
{
    static char value[400];
    char line[64];
    const char *at;

    (void)snprintf(line, sizeof(line), "\r\n%s: ", name);
    (void)pthread_mutex_lock(&http_place.mutex);
    at = strstr(http_place.seen.ptr, line);
    (void)snprintf(value, sizeof(value), "%.*s", at ? (int)strcspn(at + strlen(line), "\r") : 0,
                   at ? at + strlen(line) : "");
    (void)pthread_mutex_unlock(&http_place.mutex);
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

        http_place_begin();
        buf_init(&packed, SIZE_MAX);
        compress_all(COMPRESS_GZIP, str_from_c(cases[i].body), &packed);
        CHECK_INT(deliver_once(&(struct sink_http_options){ .url = http_place.url,
                                                            .batch = cases[i].batch,
                                                            .timeout_us = PATIENCE_US,
                                                            .gzip = true },
                               records, cases[i].count, &answer),
                  SINK_DELIVERED);
        CHECK(saw("\r\nContent-Encoding: gzip\r\n"));
        seen = (struct str){ http_place.seen.ptr, http_place.seen.len - 1 };
        CHECK(str_ends_with(seen, buf_str(&packed)));
        http_place_end();
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

    http_place_begin();
    folder_init(&folder);
    folder_path(&folder, "secret", file);
    folder_write(&folder, "secret", STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"));
    CHECK_INT(deliver_once(&(struct sink_http_options){ .url = http_place.url,
                                                        .batch = 1,
                                                        .timeout_us = PATIENCE_US,
                                                        .sign_file = file },
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
    http_place_end();
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
    struct sink_http_options options = { .url = http_place.url,
                                         .batch = 1,
                                         .timeout_us = PATIENCE_US };
    struct sink_answer answer;

    http_place_begin();
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK_STR(str_from_c(value_of("sluice-event-id")), "e%201");
    CHECK_STR(str_from_c(value_of("sluice-route")), "orders");
    CHECK_STR(str_from_c(value_of("sluice-schema-version")), "3");
    CHECK_STR(str_from_c(value_of("sluice-request-id")), "r-1");
    CHECK_STR(str_from_c(value_of("traceparent")),
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    CHECK_INT(deliver_once(&options, &http_place_record, 1, &answer), SINK_DELIVERED);
    CHECK(!saw("sluice-") && !saw("traceparent")); /* nothing is known */
    options.headers = mine;
    options.header_count = 1;
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK(saw("\r\nSluice-Route: mine\r\n") && !saw("sluice-route"));
    options.batch = 2; /* an array has records of several events */
    CHECK_INT(deliver_once(&options, records, 1, &answer), SINK_DELIVERED);
    CHECK(!saw("sluice-event-id"));
    http_place_end();
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
    (void)snprintf(http_place.url, sizeof(http_place.url), "http://127.0.0.1:%d/",
                   canned_port(server));
    sink = sink_http(&(struct sink_http_options){ .url = http_place.url,
                                                  .batch = 1,
                                                  .timeout_us = PATIENCE_US,
                                                  .oauth = { http_place.url, "id", file, "" } });
    for (int i = 0; i < 3; i++)
        sink_suite_check_all(sink_suite_deliver(&sink, records, 1), 1, SINK_DELIVERED);
    CHECK_INT((int64_t)asked, 2);
    CHECK_INT((int64_t)canned_requests(server), 6); /* two tokens, one 401, three records */
    sink.destroy(sink.self);

    sink = sink_http(&(struct sink_http_options){ .url = http_place.url,
                                                  .batch = 1,
                                                  .timeout_us = PATIENCE_US,
                                                  .oauth = { http_place.url, "id", file, "" } });
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
        &(struct sink_batch){
            .records = &http_place_record, .count = 1, .slot = call->slot, .arena = arena },
        &answer);
    call->result = outcome.result;
    arena_destroy(arena);
    return NULL;
}

static bool has_three_connections(void *self)
{
    (void)self;
    return canned_requests(http_place.server) == 3;
}

static void several_requests_are_in_flight(void)
{
    enum { SLOTS = 3 };
    struct slot_call calls[SLOTS];
    struct slot_call late;
    struct sink sink;

    http_place_begin();
    answer_with(NULL);
    sink = sink_http(&(struct sink_http_options){
        .url = http_place.url, .batch = 1, .timeout_us = PATIENCE_US, .in_flight = SLOTS + 1 });
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
    CHECK_INT((int64_t)canned_requests(http_place.server), SLOTS);
    sink.destroy(sink.self);
    http_place_end();
}

int main(void)
{

    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    RUN(any_id_makes_a_key);
    RUN(headers_are_sent_and_secrets_read_again);
    RUN(bodies_are_compressed);
    RUN(requests_are_signed);
    RUN(a_request_says_where_its_record_comes_from);
    RUN(a_token_that_is_refused_is_renewed_once);
    RUN(several_requests_are_in_flight);
    return test_end();
}
