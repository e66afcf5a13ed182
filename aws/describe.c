/*
 * describe.c - see describe.h.
 */
#include "aws/describe.h"

#include <string.h>

#include "aws/client.h"
#include "aws/sigv4.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/member.h"

enum { ANSWER_MAX = 256 * 1024, FORM_MAX = 4096 };

/* One conversation with a service. */
struct question {
    const struct aws_describe_options *options;
    struct aws_client *client;
    struct arena *arena;
};

static struct aws_description describe_as(enum aws_sight sight, struct str text)
{
    return (struct aws_description){ sight, text.ptr };
}

/* A call failed that needs the right `action`. `is_needed`: delivery needs it, too. */
static struct aws_description judge_answer(const struct question *question,
                                           const struct aws_failure *failure, const char *action,
                                           bool is_needed)
{
    if (failure->kind != AWS_DENIED)
        return describe_as(AWS_TROUBLE, arena_printf(question->arena, "%s", failure->error.text));
    if (is_needed)
        return describe_as(AWS_TROUBLE, arena_printf(question->arena, "%s is not allowed: %s",
                                                     action, failure->error.text));
    return describe_as(AWS_HIDDEN,
                       arena_printf(question->arena,
                                    "cannot be looked at without %s, which delivery does not need",
                                    action));
}

static bool call(const struct question *question, const char *operation, const struct buf *body,
                 struct json_object **answer, struct aws_failure *failure)
{
    const struct aws_call request = { .operation = operation,
                                      .body = buf_str(body),
                                      .deadline_us = question->options->deadline_us };

    return aws_client_call(question->client, &request, question->arena, answer, failure);
}

static struct buf *begin_body(const struct question *question, const char *member)
{
    struct buf *body = arena_buf(question->arena, ANSWER_MAX);

    buf_add_char(body, '{');
    member_text(body, member, str_from_c(question->options->name));
    return body;
}

/* The services that say the state of a thing in a member of their answer. */
static const struct look {
    const char *service;
    const char *operation;
    const char *action;
    const char *member; /* of the request: the name */
    const char *more;   /* of the request */
    const char *outer;  /* of the answer; NULL: the state is not in it */
    const char *state;
} looks[] = {
    { "kinesis", "DescribeStreamSummary", "kinesis:DescribeStreamSummary", "StreamName", "",
      "StreamDescriptionSummary", "StreamStatus" },
    { "firehose", "DescribeDeliveryStream", "firehose:DescribeDeliveryStream", "DeliveryStreamName",
      "", "DeliveryStreamDescription", "DeliveryStreamStatus" },
    { "dynamodb", "DescribeTable", "dynamodb:DescribeTable", "TableName", "", "Table",
      "TableStatus" },
    { "sqs", "GetQueueAttributes", "sqs:GetQueueAttributes", "QueueUrl",
      ",\"AttributeNames\":[\"QueueArn\"]", NULL, NULL },
    { "eventbridge", "DescribeEventBus", "events:DescribeEventBus", "Name", "", NULL, NULL },
};

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

/* The name of the attribute that is the key at `index` of a table; empty: there is none. */
static struct str key_at(struct json_object *keys, size_t index)
{
    return index < json_count(keys) && json_is_object(json_at(keys, index))
               ? json_find_str(json_at(keys, index), "AttributeName")
               : STR("");
}

/* The keys of the table must be the configured attributes: the partition key comes first. */
static struct aws_description check_keys(const struct question *question, struct json_object *table)
{
    static const char *const names[] = { "partition key", "sort key" };
    const char *const wanted[] = { text_or_none(question->options->hash_key),
                                   text_or_none(question->options->range_key) };
    struct json_object *keys = NULL;

    if (!*wanted[0] || !json_find(table, "KeySchema", &keys) || !json_is_array(keys))
        return describe_as(AWS_SEEN, STR("ACTIVE"));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        struct str key = key_at(keys, i);

        if (!str_equal(key, str_from_c(wanted[i])))
            return describe_as(AWS_TROUBLE,
                               arena_printf(question->arena, "its %s is \"%.*s\", not \"%s\"",
                                            names[i], STR_ARG(key), wanted[i]));
    }
    return describe_as(AWS_SEEN, STR("ACTIVE"));
}

static struct aws_description judge_state(const struct question *question, const struct look *look,
                                          struct json_object *answer)
{
    struct json_object *outer = NULL;

    if (!look->outer)
        return describe_as(AWS_SEEN, STR("it is there"));
    if (!json_find(answer, look->outer, &outer) || !json_is_object(outer))
        return describe_as(AWS_TROUBLE,
                           arena_printf(question->arena, "the answer has no %s", look->outer));

    struct str state = json_find_str(outer, look->state);

    if (!str_equal(state, STR("ACTIVE")) && !str_equal(state, STR("UPDATING")))
        return describe_as(AWS_TROUBLE,
                           arena_printf(question->arena, "its state is %.*s", STR_ARG(state)));
    if (strcmp(look->service, "dynamodb") == 0)
        return check_keys(question, outer);
    return describe_as(AWS_SEEN, arena_copy(question->arena, state));
}

static struct aws_description ask_json(const struct question *question, const struct look *look)
{
    bool by_arn = strcmp(look->service, "kinesis") == 0 &&
                  str_starts_with(str_from_c(question->options->name), STR("arn:"));
    struct buf *body = begin_body(question, by_arn ? "StreamARN" : look->member);
    struct json_object *answer = NULL;
    struct aws_failure failure;

    buf_printf(body, "%s}", look->more);
    if (!call(question, look->operation, body, &answer, &failure))
        return judge_answer(question, &failure, look->action, false);
    return judge_state(question, look, answer);
}

/* Would the stream take a record? Nothing is stored. */
static struct aws_description ask_dry_run(const struct question *question)
{
    bool by_arn = str_starts_with(str_from_c(question->options->name), STR("arn:"));
    struct buf *body = begin_body(question, by_arn ? "StreamARN" : "StreamName");
    struct json_object *answer = NULL;
    struct aws_failure failure;

    buf_add(body,
            STR(",\"DryRun\":true,\"Records\":[{\"Data\":\"e30=\",\"PartitionKey\":\"doctor\"}]}"));
    if (call(question, "PutRecords", body, &answer, &failure) ||
        strcmp(failure.code, "DryRunOperationException") == 0)
        return describe_as(AWS_SEEN, STR("it takes records"));
    return judge_answer(question, &failure, "kinesis:PutRecords", true);
}

static struct aws_description ask_kinesis(const struct question *question, const struct look *look)
{
    struct aws_description seen = ask_json(question, look);

    if (seen.sight == AWS_TROUBLE ||
        (!question->options->probe && !aws_client_is_at_aws(question->client)))
        return seen;
    return ask_dry_run(question);
}

static struct aws_description ask_topic(const struct question *question)
{
    static const char action[] = "sns:GetTopicAttributes";
    static const struct fetch_header headers[] = {
        { "Content-Type", STR_INIT("application/x-www-form-urlencoded; charset=utf-8") }
    };
    struct buf *form = arena_buf(question->arena, FORM_MAX);
    struct fetch_answer answer;
    struct aws_failure failure;

    buf_add(form, STR("Action=GetTopicAttributes&Version=2010-03-31&TopicArn="));
    sigv4_encode(form, str_from_c(question->options->name), false);

    const struct aws_request request = { .method = "POST",
                                         .path = STR("/"),
                                         .headers = headers,
                                         .header_count = COUNT_OF(headers),
                                         .body = buf_str(form),
                                         .deadline_us = question->options->deadline_us };

    fetch_answer_init(&answer, ANSWER_MAX);

    bool ok = aws_client_send(question->client, &request, question->arena, &answer, &failure);

    fetch_answer_done(&answer);
    return ok ? describe_as(AWS_SEEN, STR("it is there"))
              : judge_answer(question, &failure, action, false);
}

/* Send a request to the bucket. */
static bool send_to_bucket(const struct question *question, struct aws_request *request,
                           struct aws_failure *failure)
{
    struct fetch_answer answer;

    request->deadline_us = question->options->deadline_us;
    fetch_answer_init(&answer, ANSWER_MAX);

    bool ok = aws_client_send(question->client, request, question->arena, &answer, failure);

    fetch_answer_done(&answer);
    return ok;
}

/* Write the same object twice: the store must refuse the second one. */
static struct aws_description probe_bucket(const struct question *question)
{
    static const struct fetch_header headers[] = { { "Content-Type", STR_INIT("text/plain") },
                                                   { "If-None-Match", STR_INIT("*") } };
    struct buf *path = arena_buf(question->arena, FORM_MAX);
    struct aws_request request = { .method = "PUT",
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers),
                                   .body = STR("sluice doctor --probe\n") };
    struct aws_failure failure;
    bool was_written = false;

    buf_add_char(path, '/');
    sigv4_encode(path, str_from_c(text_or_none(question->options->prefix)), true);
    buf_add(path, STR(AWS_PROBE_OBJECT));
    request.path = buf_str(path);
    for (int i = 0; i < 2; i++) {
        was_written = send_to_bucket(question, &request, &failure);
        if (!was_written && failure.kind != AWS_EXISTS)
            return judge_answer(question, &failure, "s3:PutObject", true);
    }
    if (was_written)
        return describe_as(AWS_TROUBLE, STR("it overwrites objects: If-None-Match is ignored, so "
                                            "an object can be written twice"));
    return describe_as(AWS_SEEN, STR("it takes objects and does not overwrite them"));
}

static struct aws_description ask_bucket(const struct question *question)
{
    struct aws_request request = { .method = "GET",
                                   .path = STR("/"),
                                   .query = STR("list-type=2&max-keys=0") };
    struct aws_failure failure;
    struct aws_description seen = describe_as(AWS_SEEN, STR("it is there"));

    if (!send_to_bucket(question, &request, &failure))
        seen = judge_answer(question, &failure, "s3:ListBucket", false);
    return seen.sight == AWS_TROUBLE || !question->options->probe ? seen : probe_bucket(question);
}

static struct aws_description ask(const struct question *question)
{
    const char *service = question->options->service;

    if (strcmp(service, "s3") == 0)
        return ask_bucket(question);
    if (strcmp(service, "sns") == 0)
        return ask_topic(question);
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        if (strcmp(looks[i].service, service) == 0)
            return i == 0 ? ask_kinesis(question, &looks[i]) : ask_json(question, &looks[i]);
    }
    return describe_as(AWS_HIDDEN, STR("it cannot be looked at"));
}

struct aws_description aws_describe(const struct aws_describe_options *options, struct arena *arena)
{
    const struct aws_client_options client = {
        .service = options->service,
        .region = options->region,
        .endpoint_url = options->endpoint_url,
        .bucket = strcmp(options->service, "s3") == 0 ? options->name : NULL,
        .path_style = options->path_style,
    };
    struct question question = { .options = options, .arena = arena };
    struct error err = { 0 };

    if (!aws_client_create(options->session, &client, &question.client, &err))
        return describe_as(AWS_TROUBLE, arena_copy(arena, str_from_c(err.text)));

    struct aws_description found = ask(&question);

    aws_client_destroy(question.client);
    return found;
}
