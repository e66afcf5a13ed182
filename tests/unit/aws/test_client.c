/*
 * test_client.c - claims about aws/client.h, against a server that plays AWS.
 */
#include "aws/client.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "aws/session.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/canned.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { PATIENCE_US = 30000000, SCRIPT_MAX = 4, SEEN_MAX = 16384 };

#define JSON(status, more, body)                                                                   \
    "HTTP/1.1 " status "\r\nContent-Type: application/x-amz-json-1.1\r\n" more                     \
    "Connection: close\r\n\r\n" body

#define GOOD JSON("200 OK", "", "{\"VersionNumber\":3}")

/* What the server says to one request after the other; the last one again and again. */
struct script {
    const char *answers[SCRIPT_MAX]; /* NULL: stall, or the end */
    char seen[SEEN_MAX];             /* the last request */
};

static struct str play(void *self, struct str request, size_t nth)
{
    struct script *script = self;
    size_t last = 0;

    (void)snprintf(script->seen, sizeof(script->seen), "%.*s", STR_ARG(request));
    while (last + 1 < SCRIPT_MAX && script->answers[last + 1])
        last++;
    return str_from_c(script->answers[nth < last ? nth : last]);
}

static void set(const char *name, const char *value)
{
    (void)setenv(name, value, 1); /* NOLINT(concurrency-mt-unsafe): no thread is there yet */
}

struct peer {
    struct canned *server;
    struct aws_session *session;
    struct aws_client *client;
    struct arena *arena;
};

static struct peer begin_service(struct script *script, struct aws_client_options options)
{
    struct peer peer = { .server = canned_start(NULL, play, script), .arena = arena_create() };
    struct error err = { 0 };
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", canned_port(peer.server));
    options.attempt_time_us = 500000;
    options.pause_unit_us = 1000;
    options.endpoint_url = url;
    CHECK(aws_session_create(&(struct aws_session_options){ .region = "eu-west-1" }, &peer.session,
                             &err));
    CHECK(aws_client_create(peer.session, &options, &peer.client, &err));
    CHECK_STR(str_from_c(err.text), "");
    CHECK(str_starts_with(str_from_c(aws_client_endpoint(peer.client)), str_from_c(url)));
    return peer;
}

static struct peer begin(struct script *script)
{
    return begin_service(script, (struct aws_client_options){ .service = "glue" });
}

static void end(struct peer *peer)
{
    aws_client_destroy(peer->client);
    aws_session_destroy(peer->session);
    canned_destroy(peer->server);
    arena_destroy(peer->arena);
}

static bool call(struct peer *peer, int64_t time_us, struct json_object **answer,
                 struct aws_failure *failure)
{
    const struct aws_call request = { .operation = "GetSchemaVersion",
                                      .body = STR("{\"a\":1}"),
                                      .deadline_us = clock_monotonic_us() + time_us };

    return aws_client_call(peer->client, &request, peer->arena, answer, failure);
}

static void a_call_is_signed_json(void)
{
    static const char *const parts[] = {
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:",
        "\r\nContent-Type: application/x-amz-json-1.1\r\n",
        "\r\nX-Amz-Target: AWSGlue.GetSchemaVersion\r\n",
        "\r\nX-Amz-Date: 20",
        "\r\nX-Amz-Security-Token: token\r\n",
        "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/20",
        "/eu-west-1/glue/aws4_request, SignedHeaders=content-type;host;x-amz-date;",
        "x-amz-security-token;x-amz-target, Signature=",
        "\r\n\r\n{\"a\":1}",
    };
    struct script script = { .answers = { GOOD } };
    struct peer peer = begin(&script);
    struct json_object *answer = NULL;
    struct json_object *number = NULL;
    struct aws_failure failure = { 0 };
    int64_t value = 0;

    CHECK(call(&peer, PATIENCE_US, &answer, &failure));
    CHECK(json_find(answer, "VersionNumber", &number) && json_int64(number, &value));
    CHECK_INT(value, 3);
    canned_stop(peer.server);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        TEST_CASE(parts[i]);
        CHECK(strstr(script.seen, parts[i]) != NULL);
    }
    end(&peer);
}

static void each_service_has_its_version_of_json(void)
{
    static const struct {
        const char *service;
        const char *parts[3];
    } cases[] = {
        { "kinesis",
          { "\r\nContent-Type: application/x-amz-json-1.1\r\n",
            "\r\nX-Amz-Target: Kinesis_20131202.GetSchemaVersion\r\n", "/eu-west-1/kinesis/" } },
        { "dynamodb",
          { "\r\nContent-Type: application/x-amz-json-1.0\r\n",
            "\r\nX-Amz-Target: DynamoDB_20120810.GetSchemaVersion\r\n", "/eu-west-1/dynamodb/" } },
        { "sqs",
          { "\r\nContent-Type: application/x-amz-json-1.0\r\n",
            "\r\nX-Amz-Target: AmazonSQS.GetSchemaVersion\r\n", "/eu-west-1/sqs/" } },
        { "eventbridge",
          { "\r\nContent-Type: application/x-amz-json-1.1\r\n",
            "\r\nX-Amz-Target: AWSEvents.GetSchemaVersion\r\n", "/eu-west-1/events/" } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script = { .answers = { GOOD } };
        struct peer peer =
            begin_service(&script, (struct aws_client_options){ .service = cases[i].service });
        struct json_object *answer = NULL;
        struct aws_failure failure = { 0 };

        TEST_CASE(cases[i].service);
        CHECK(call(&peer, PATIENCE_US, &answer, &failure));
        canned_stop(peer.server);
        for (size_t j = 0; j < COUNT_OF(cases[i].parts); j++)
            CHECK(strstr(script.seen, cases[i].parts[j]) != NULL);
        end(&peer);
    }
}

/* Send one request to S3, and check what the server saw and what the client made of its answer. */
static void raw_requests_are_signed(void)
{
    static const char *const parts[] = {
        "PUT /logs/a%20b?x=1 HTTP/1.1\r\nHost: 127.0.0.1:",
        "\r\nContent-Type: text/plain\r\n",
        "\r\nIf-None-Match: *\r\n",
        "\r\nX-Amz-Content-Sha256: "
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r\n",
        "/eu-south-1/s3/aws4_request, SignedHeaders=content-type;host;if-none-match;"
        "x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=",
        "\r\n\r\nabc",
    };
    static const char good[] = "HTTP/1.1 204 No Content\r\nETag: \"1\"\r\n\r\n";
    static const struct fetch_header headers[] = { { "Content-Type", STR_INIT("text/plain") },
                                                   { "If-None-Match", STR_INIT("*") } };
    struct script script = { .answers = { good } };
    struct peer peer = begin_service(
        &script,
        (struct aws_client_options){ .service = "s3", .region = "eu-south-1", .bucket = "logs" });
    const struct aws_request request = { "PUT",
                                         STR("/a%20b"),
                                         STR("x=1"),
                                         headers,
                                         COUNT_OF(headers),
                                         STR("abc"),
                                         clock_monotonic_us() + PATIENCE_US };
    struct fetch_answer answer;
    struct aws_failure failure = { 0 };

    fetch_answer_init(&answer, 1000);
    CHECK(aws_client_send(peer.client, &request, peer.arena, &answer, &failure));
    CHECK_INT(answer.status, 204);
    CHECK_STR(fetch_answer_header(&answer, "ETag"), "\"1\"");
    canned_stop(peer.server);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        TEST_CASE(parts[i]);
        CHECK(strstr(script.seen, parts[i]) != NULL);
    }
    fetch_answer_done(&answer);
    end(&peer);
}

static void raw_requests_fail_with_the_code_of_xml(void)
{
    static const char exists[] = "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 47\r\n\r\n"
                                 "<Error><Code>PreconditionFailed</Code></Error> ";
    static const char slow[] = "HTTP/1.1 503 Slow Down\r\nContent-Length: 37\r\n"
                               "x-amz-retry-after: 20\r\n\r\n"
                               "<Error><Code>SlowDown</Code></Error> ";
    static const struct {
        const char *answer;
        enum aws_failure_kind kind;
        int status;
        const char *code;
        int64_t retry_after_us;
        int64_t requests;
    } cases[] = {
        { exists, AWS_EXISTS, 412, "PreconditionFailed", 0, 1 },
        { slow, AWS_THROTTLED, 503, "SlowDown", 20000, 1 },
        { "", AWS_UNREACHABLE, 0, "", 0, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script = { .answers = { cases[i].answer } };
        struct peer peer = begin_service(
            &script,
            (struct aws_client_options){ .service = "s3", .bucket = "bkt", .attempts = 1 });
        const struct aws_request get = { .method = "GET",
                                         .path = STR("/"),
                                         .deadline_us = clock_monotonic_us() + PATIENCE_US };
        struct fetch_answer answer;
        struct aws_failure failure = { 0 };

        TEST_CASE(cases[i].code);
        fetch_answer_init(&answer, 1000);
        CHECK(!aws_client_send(peer.client, &get, peer.arena, &answer, &failure));
        CHECK_INT(failure.kind, cases[i].kind);
        CHECK_INT(failure.status, cases[i].status);
        CHECK_INT(answer.status, cases[i].status);
        CHECK_STR(str_from_c(failure.code), cases[i].code);
        CHECK_INT(failure.retry_after_us, cases[i].retry_after_us);
        CHECK_INT((int64_t)canned_requests(peer.server), cases[i].requests);
        canned_stop(peer.server);
        CHECK(str_starts_with(str_from_c(script.seen), STR("GET /bkt HTTP/1.1\r\n")));
        fetch_answer_done(&answer);
        end(&peer);
    }
}

static void answers_are_bounded(void)
{
    struct script script = { .answers = { GOOD } };
    struct peer peer =
        begin_service(&script, (struct aws_client_options){ .service = "glue", .attempts = 1 });
    const struct aws_call request = { .operation = "X",
                                      .body = STR("{}"),
                                      .deadline_us = clock_monotonic_us() + PATIENCE_US,
                                      .max_answer_bytes = 10 };
    struct json_object *answer = NULL;
    struct aws_failure failure = { 0 };

    CHECK(!aws_client_call(peer.client, &request, peer.arena, &answer, &failure));
    CHECK_INT(failure.kind, AWS_UNREACHABLE);
    CHECK_STR(str_from_c(failure.error.text), "the answer is too large");
    end(&peer);
}

static const struct refusal {
    const char *name;
    const char *answer;
    enum aws_failure_kind kind;
    const char *code;
    const char *text;
    int64_t requests;
} refusals[] = {
    { "in the body",
      JSON("400 Bad Request", "",
           "{\"__type\":\"EntityNotFoundException\",\"Message\":\"Schema is not found.\"}"),
      AWS_NOT_FOUND, "EntityNotFoundException", "EntityNotFoundException: Schema is not found.",
      1 },
    { "with a namespace",
      JSON("400 Bad Request", "",
           "{\"__type\":\"com.amazonaws.glue#AccessDeniedException\",\"message\":\"no\\nno\"}"),
      AWS_DENIED, "AccessDeniedException", "AccessDeniedException: no no", 1 },
    { "in the header",
      JSON("403 Forbidden",
           "x-amzn-ErrorType: UnrecognizedClientException:http://internal.amazon.com/x\r\n", ""),
      AWS_BAD_CREDENTIALS, "UnrecognizedClientException", "UnrecognizedClientException", 2 },
    { "throttled with 400", JSON("400 Bad Request", "", "{\"__type\":\"ThrottlingException\"}"),
      AWS_THROTTLED, "ThrottlingException", "ThrottlingException", 3 },
    { "the service's own fault", JSON("500 Oops", "", "{\"__type\":\"InternalServiceException\"}"),
      AWS_UNAVAILABLE, "InternalServiceException", "InternalServiceException", 3 },
    { "no code", JSON("503 Later", "", "<html>"), AWS_UNAVAILABLE, "", "HTTP status 503", 3 },
    { "no code and 403", JSON("403 Forbidden", "", "<html>"), AWS_MISCONFIGURED, "",
      "HTTP status 403", 1 },
    { "an unknown code", JSON("400 Bad Request", "", "{\"__type\":\"InvalidInputException\"}"),
      AWS_OTHER, "InvalidInputException", "InvalidInputException", 1 },
    { "expired, and again", JSON("400 Bad Request", "", "{\"__type\":\"ExpiredTokenException\"}"),
      AWS_EXPIRED_TOKEN, "ExpiredTokenException", "ExpiredTokenException", 2 },
    { "a redirect", JSON("302 Found", "Location: http://127.0.0.1:1/\r\n", ""), AWS_MISCONFIGURED,
      "", "HTTP status 302", 1 },
    { "no JSON", JSON("200 OK", "", "<html>"), AWS_GARBLED, "", "the answer is no JSON object", 1 },
    { "an array", JSON("200 OK", "", "[]"), AWS_GARBLED, "", "the answer is no JSON object", 1 },
    { "nothing", JSON("200 OK", "", ""), AWS_GARBLED, "", "the answer is no JSON object", 1 },
    { "cut short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{\"a\":",
      AWS_UNREACHABLE, "", "the answer was cut short", 3 },
    { "closed", "", AWS_UNREACHABLE, "", "the connection ended without an answer", 3 },
    { "silence", NULL, AWS_UNREACHABLE, "", "no whole answer in time", 3 },
};

static void failures_are_told_by_their_code(void)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct script script = { .answers = { refusals[i].answer } };
        struct peer peer = begin(&script);
        struct json_object *answer = NULL;
        struct aws_failure failure = { 0 };

        TEST_CASE(refusals[i].name);
        CHECK(!call(&peer, PATIENCE_US, &answer, &failure));
        CHECK(answer == NULL);
        CHECK_INT(failure.kind, refusals[i].kind);
        CHECK_STR(str_from_c(failure.code), refusals[i].code);
        CHECK_STR(str_from_c(failure.error.text), refusals[i].text);
        CHECK_INT(failure.error.code, ERR_UNREACHABLE);
        CHECK_INT((int64_t)canned_requests(peer.server), refusals[i].requests);
        end(&peer);
    }
}

static void what_passes_is_tried_again(void)
{
    static const struct {
        const char *name;
        const char *first;
    } cases[] = {
        { "throttled", JSON("400 Bad Request", "", "{\"__type\":\"ThrottlingException\"}") },
        { "502", JSON("502 Bad Gateway", "", "") },
        { "closed", "" },
        { "expired", JSON("400 Bad Request", "", "{\"__type\":\"ExpiredTokenException\"}") },
        { "unknown", JSON("403 No", "", "{\"__type\":\"UnrecognizedClientException\"}") },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script = { .answers = { cases[i].first, GOOD } };
        struct peer peer = begin(&script);
        struct json_object *answer = NULL;
        struct aws_failure failure = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(call(&peer, PATIENCE_US, &answer, &failure));
        CHECK(answer != NULL);
        CHECK_INT((int64_t)canned_requests(peer.server), 2);
        end(&peer);
    }
}

static void the_clock_is_taken_from_the_answer(void)
{
    static const char late[] = JSON(
        "400 Bad Request", "Date: Sat, 01 Jan 2050 00:00:00 GMT\r\n",
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature not yet current\"}");
    struct script script = { .answers = { late, GOOD } };
    struct peer peer = begin(&script);
    struct json_object *answer = NULL;
    struct aws_failure failure = { 0 };

    CHECK(call(&peer, PATIENCE_US, &answer, &failure));
    canned_stop(peer.server);
    CHECK(strstr(script.seen, "\r\nX-Amz-Date: 20500101T0000") != NULL ||
          strstr(script.seen, "\r\nX-Amz-Date: 20491231T2359") != NULL);
    CHECK(aws_client_clock_skew(peer.client) > 0);
    end(&peer);
}

static void a_clock_that_cannot_be_set_is_told(void)
{
    static const char bad[] = JSON("403 Forbidden", "Date: Sat, 01 Jan 2050 00:00:00 GMT\r\n",
                                   "{\"__type\":\"RequestTimeTooSkewed\"}");
    static const char same[] =
        JSON("403 Forbidden", "", "{\"__type\":\"InvalidSignatureException\"}");
    static const struct {
        const char *name;
        const char *answer;
        enum aws_failure_kind kind;
        int64_t requests;
    } cases[] = {
        { "still wrong", bad, AWS_CLOCK_SKEW, 2 },
        { "no date: the key is wrong", same, AWS_BAD_CREDENTIALS, 2 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script = { .answers = { cases[i].answer } };
        struct peer peer = begin(&script);
        struct json_object *answer = NULL;
        struct aws_failure failure = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!call(&peer, PATIENCE_US, &answer, &failure));
        CHECK_INT(failure.kind, cases[i].kind);
        CHECK_INT((int64_t)canned_requests(peer.server), cases[i].requests);
        end(&peer);
    }
}

static void nothing_outlasts_the_deadline(void)
{
    struct script script = { .answers = { NULL } };
    struct peer peer = begin(&script);
    struct json_object *answer = NULL;
    struct aws_failure failure = { 0 };
    int64_t before = clock_monotonic_us();

    CHECK(!call(&peer, 200000, &answer, &failure));
    CHECK_INT(failure.kind, AWS_UNREACHABLE);
    CHECK(clock_monotonic_us() - before < 5000000);
    CHECK(!call(&peer, -1, &answer, &failure));
    CHECK_INT(failure.kind, AWS_UNREACHABLE);
    end(&peer);
}

static void *call_in_thread(void *self)
{
    struct json_object *answer = NULL;
    struct aws_failure failure = { 0 };

    CHECK(!call(self, PATIENCE_US, &answer, &failure));
    CHECK_INT(failure.kind, AWS_UNREACHABLE);
    return NULL;
}

static bool has_a_request(void *self)
{
    return canned_requests(self) > 0;
}

static void a_call_can_be_interrupted(void)
{
    struct script script = { .answers = { NULL } };
    struct peer peer = begin(&script);
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, call_in_thread, &peer) == 0);
    CHECK(wait_until(has_a_request, peer.server));
    aws_client_interrupt(peer.client);
    (void)pthread_join(thread, NULL);
    CHECK_INT((int64_t)canned_requests(peer.server), 1);
    end(&peer);
}

static void a_client_has_its_own_region_and_endpoint(void)
{
    static const struct {
        struct aws_client_options options;
        const char *url; /* NULL: refused */
        const char *text;
    } cases[] = {
        { { .service = "glue" }, "http://session", "" },
        { { .service = "kinesis" }, "https://kinesis.eu-west-1.amazonaws.com", "" },
        { { .service = "eventbridge", .region = "cn-north-1", .endpoint_url = "" },
          "https://events.cn-north-1.amazonaws.com.cn",
          "" },
        { { .service = "sqs", .endpoint_url = "http://mine" }, "http://mine", "" },
        { { .service = "s3", .bucket = "logs" }, "https://logs.s3.eu-west-1.amazonaws.com", "" },
        { { .service = "s3", .bucket = "logs", .path_style = true },
          "https://s3.eu-west-1.amazonaws.com/logs",
          "" },
        { { .service = "s3", .bucket = "x--x-s3" },
          NULL,
          "bucket: directory buckets are not supported" },
        { { .service = "s4" }, NULL, "no AWS service s4" },
        { { .service = "sqs", .region = "EU" }, NULL, "region: \"EU\" is none" },
        { { .service = "sqs", .endpoint_url = "mine" },
          NULL,
          "endpoint: expected http[s]://HOST[:PORT]" },
    };
    struct aws_session *session;
    struct error err = { 0 };

    CHECK(aws_session_create(
        &(struct aws_session_options){ .region = "eu-west-1", .endpoint_url = "http://session" },
        &session, &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_client *client = NULL;

        TEST_CASE(cases[i].url ? cases[i].url : cases[i].text);
        err = (struct error){ 0 };
        CHECK(aws_client_create(session, &cases[i].options, &client, &err) ==
              (cases[i].url != NULL));
        CHECK_STR(str_from_c(err.text), cases[i].text);
        if (client) {
            CHECK_STR(str_from_c(aws_client_endpoint(client)), cases[i].url);
            CHECK(aws_client_is_at_aws(client) == (strstr(cases[i].url, "amazonaws") != NULL));
        }
        aws_client_destroy(client);
    }
    aws_session_destroy(session);
}

static void s3_has_no_fips_endpoint_in_china(void)
{
    struct aws_client_options options = { .service = "s3", .region = "cn-north-1" };
    struct aws_session *session;
    struct aws_client *client = NULL;
    struct error err = { 0 };

    set("AWS_USE_FIPS_ENDPOINT", "true");
    CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &session, &err));
    set("AWS_USE_FIPS_ENDPOINT", "");
    CHECK(!aws_client_create(session, &options, &client, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from_c(err.text), "S3 has no FIPS endpoint in cn-north-1");
    options.endpoint_url = "https://s3.example.cn";
    CHECK(aws_client_create(session, &options, &client, &err));
    aws_client_destroy(client);
    aws_session_destroy(session);
}

static void without_region_or_service_there_is_no_client(void)
{
    struct aws_session *session;
    struct aws_client *client = NULL;
    struct error err = { 0 };

    CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &session, &err));
    CHECK(!aws_client_create(session, &(struct aws_client_options){ .service = "glue" }, &client,
                             &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from_c(err.text), "no AWS region: set aws.region or AWS_REGION");
    aws_session_destroy(session);
}

int main(void)
{
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    set("HOME", "/nonexistent");
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("AWS_SESSION_TOKEN", "token");
    set("AWS_REGION", "");
    set("AWS_DEFAULT_REGION", "");
    set("AWS_EC2_METADATA_DISABLED", "true");
    CHECK(fetch_init(&err));
    RUN(a_call_is_signed_json);
    RUN(each_service_has_its_version_of_json);
    RUN(raw_requests_are_signed);
    RUN(raw_requests_fail_with_the_code_of_xml);
    RUN(answers_are_bounded);
    RUN(failures_are_told_by_their_code);
    RUN(what_passes_is_tried_again);
    RUN(the_clock_is_taken_from_the_answer);
    RUN(a_clock_that_cannot_be_set_is_told);
    RUN(nothing_outlasts_the_deadline);
    RUN(a_call_can_be_interrupted);
    RUN(a_client_has_its_own_region_and_endpoint);
    RUN(s3_has_no_fips_endpoint_in_china);
    RUN(without_region_or_service_there_is_no_client);
    return test_end();
}
