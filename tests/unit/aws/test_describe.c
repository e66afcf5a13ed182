/*
 * test_describe.c - claims about aws/describe.h, against a server that plays AWS.
 */
#include "aws/describe.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"

enum { PATIENCE_US = 30000000, ANSWERS = 4 };

#define ERROR(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define DENIED              ERROR("400 Bad Request", "{\"__type\":\"AccessDeniedException\"}")
#define ABSENT              ERROR("400 Bad Request", "{\"__type\":\"ResourceNotFoundException\"}")
#define DRY_RUN             ERROR("400 Bad Request", "{\"__type\":\"DryRunOperationException\"}")
#define XML(status, code)   ERROR(status, "<Error><Code>" code "</Code></Error>")
#define TABLE(state, keys)                                                                         \
    WORLD_JSON("{\"Table\":{\"TableStatus\":\"" state "\",\"KeySchema\":[" keys "]}}")
#define KEY(name) "{\"AttributeName\":\"" name "\"}"

static const struct view {
    const char *name;
    const char *service;
    const char *thing;
    const char *key;
    bool probe;
    enum aws_sight sight;
    const char *answers[ANSWERS]; /* to one request after the other */
    const char *text;
    const char *seen; /* in the requests */
} views[] = {
    { "a stream",
      "kinesis",
      "orders",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("{\"StreamDescriptionSummary\":{\"StreamStatus\":\"ACTIVE\"}}") },
      "ACTIVE",
      "{\"StreamName\":\"orders\"}" },
    { "a stream by its ARN",
      "kinesis",
      "arn:aws:kinesis:eu-west-1:1:stream/x",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("{\"StreamDescriptionSummary\":{\"StreamStatus\":\"UPDATING\"}}") },
      "UPDATING",
      "{\"StreamARN\":\"arn:aws:kinesis:eu-west-1:1:stream/x\"}" },
    { "a stream that is made",
      "kinesis",
      "orders",
      "",
      false,
      AWS_TROUBLE,
      { WORLD_JSON("{\"StreamDescriptionSummary\":{\"StreamStatus\":\"CREATING\"}}") },
      "its state is CREATING",
      "" },
    { "a stream that is not there",
      "kinesis",
      "orders",
      "",
      true,
      AWS_TROUBLE,
      { ABSENT },
      "ResourceNotFoundException",
      "" },
    { "a stream that must not be looked at",
      "kinesis",
      "orders",
      "",
      false,
      AWS_HIDDEN,
      { DENIED },
      "cannot be looked at without kinesis:DescribeStreamSummary, which delivery does not need",
      "" },
    { "a stream that takes records",
      "kinesis",
      "orders",
      "",
      true,
      AWS_SEEN,
      { DENIED, DRY_RUN },
      "it takes records",
      "\"DryRun\":true" },
    { "a stream that takes no records",
      "kinesis",
      "orders",
      "",
      true,
      AWS_TROUBLE,
      { DENIED, DENIED },
      "kinesis:PutRecords is not allowed: AccessDeniedException",
      "" },
    { "an answer without a state",
      "kinesis",
      "orders",
      "",
      false,
      AWS_TROUBLE,
      { WORLD_JSON("{}") },
      "the answer has no StreamDescriptionSummary",
      "" },
    { "a delivery stream",
      "firehose",
      "orders",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("{\"DeliveryStreamDescription\":{\"DeliveryStreamStatus\":\"ACTIVE\"}}") },
      "ACTIVE",
      "{\"DeliveryStreamName\":\"orders\"}" },
    { "a queue",
      "sqs",
      "https://sqs.eu-west-1.amazonaws.com/1/q",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("{\"Attributes\":{}}") },
      "it is there",
      "{\"QueueUrl\":\"https://sqs.eu-west-1.amazonaws.com/1/"
      "q\",\"AttributeNames\":[\"QueueArn\"]}" },
    { "a bus",
      "eventbridge",
      "audit",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("{\"Name\":\"audit\"}") },
      "it is there",
      "X-Amz-Target: AWSEvents.DescribeEventBus" },
    { "a topic",
      "sns",
      "arn:aws:sns:eu-west-1:1:t",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("<GetTopicAttributesResponse/>") },
      "it is there",
      "Action=GetTopicAttributes&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At" },
    { "a topic that is not there",
      "sns",
      "arn:aws:sns:eu-west-1:1:t",
      "",
      false,
      AWS_TROUBLE,
      { XML("404 Not Found", "NotFound") },
      "NotFound",
      "" },
    { "a table",
      "dynamodb",
      "events",
      "id",
      false,
      AWS_SEEN,
      { TABLE("ACTIVE", KEY("id")) },
      "ACTIVE",
      "{\"TableName\":\"events\"}" },
    { "a table with another key",
      "dynamodb",
      "events",
      "id",
      false,
      AWS_TROUBLE,
      { TABLE("ACTIVE", KEY("pk")) },
      "its partition key is \"pk\", not \"id\"",
      "" },
    { "a table with a sort key",
      "dynamodb",
      "events",
      "id",
      false,
      AWS_TROUBLE,
      { TABLE("ACTIVE", KEY("id") "," KEY("at")) },
      "its sort key is \"at\", not \"\"",
      "" },
    { "a table whose key does not matter",
      "dynamodb",
      "events",
      "",
      false,
      AWS_SEEN,
      { TABLE("ACTIVE", KEY("pk")) },
      "ACTIVE",
      "" },
    { "a bucket",
      "s3",
      "logs",
      "",
      false,
      AWS_SEEN,
      { WORLD_JSON("<ListBucketResult/>") },
      "it is there",
      "GET /logs?list-type=2&max-keys=0 HTTP/1.1" },
    { "a bucket elsewhere",
      "s3",
      "logs",
      "",
      true,
      AWS_TROUBLE,
      { XML("301 Moved Permanently", "PermanentRedirect") },
      "PermanentRedirect",
      "" },
    { "a bucket that must not be looked at",
      "s3",
      "logs",
      "",
      false,
      AWS_HIDDEN,
      { XML("403 Forbidden", "AccessDenied") },
      "cannot be looked at without s3:ListBucket, which delivery does not need",
      "" },
    { "a bucket that keeps objects",
      "s3",
      "logs",
      "a b/",
      true,
      AWS_SEEN,
      { XML("403 Forbidden", "AccessDenied"), WORLD_JSON(""),
        XML("412 Precondition Failed", "PreconditionFailed") },
      "it takes objects and does not overwrite them",
      "PUT /logs/a%20b/sluice-probe HTTP/1.1" },
    { "a bucket that overwrites objects",
      "s3",
      "logs",
      "",
      true,
      AWS_TROUBLE,
      { WORLD_JSON(""), WORLD_JSON(""), WORLD_JSON("") },
      "it overwrites objects: If-None-Match is ignored, so an object can be written twice",
      "If-None-Match: *" },
    { "a bucket that takes no objects",
      "s3",
      "logs",
      "",
      true,
      AWS_TROUBLE,
      { WORLD_JSON(""), XML("403 Forbidden", "AccessDenied") },
      "s3:PutObject is not allowed: AccessDenied",
      "" },
    { "a name that is none",
      "s3",
      "x",
      "",
      false,
      AWS_TROUBLE,
      { WORLD_JSON("") },
      "bucket: not the name of a bucket",
      "" },
    { "a service without things",
      "glue",
      "x",
      "",
      false,
      AWS_HIDDEN,
      { WORLD_JSON("") },
      "it cannot be looked at",
      "" },
};

struct script {
    const struct view *view;
    char seen[WORLD_SEEN_MAX];
};

static struct str play(void *self, struct str request, size_t nth)
{
    struct script *script = self;
    size_t len = strlen(script->seen);

    (void)snprintf(script->seen + len, sizeof(script->seen) - len, "%.*s\n", STR_ARG(request));
    return nth < ANSWERS ? str_from_c(script->view->answers[nth]) : CANNED_CLOSE;
}

static void what_is_seen_is_told(void)
{
    for (size_t i = 0; i < COUNT_OF(views); i++) {
        struct script script = { .view = &views[i] };
        struct canned *server = canned_start(NULL, play, &script);
        struct arena *arena = arena_create();
        struct aws_session *session;
        struct error err = { 0 };
        struct world world;
        char url[100];

        TEST_CASE(views[i].name);
        world_init(&world, NULL);
        world_set(&world, "AWS_ACCESS_KEY_ID", "AKID");
        world_set(&world, "AWS_SECRET_ACCESS_KEY", "s");
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", canned_port(server));
        CHECK(aws_session_create(&(struct aws_session_options){ .region = "eu-west-1" }, &session,
                                 &err));

        struct aws_description description = aws_describe(
            &(struct aws_describe_options){ .session = session,
                                            .service = views[i].service,
                                            .endpoint_url = url,
                                            .name = views[i].thing,
                                            .prefix = views[i].key,
                                            .hash_key = views[i].key,
                                            .range_key = "",
                                            .probe = views[i].probe,
                                            .deadline_us = clock_monotonic_us() + PATIENCE_US },
            arena);

        CHECK_INT(description.sight, views[i].sight);
        CHECK_STR(str_from_c(description.text), views[i].text);
        canned_stop(server);
        CHECK(strstr(script.seen, views[i].seen) != NULL);
        aws_session_destroy(session);
        canned_destroy(server);
        world_done(&world);
        arena_destroy(arena);
    }
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(what_is_seen_is_told);
    return test_end();
}
