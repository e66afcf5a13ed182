/*
 * test_sqs.c - claims about delivery/sinks/sqs.h: what is sent. test_messages.c has the parts of a
 * message, test_entries.c the outcomes.
 */
#include "delivery/sinks/sqs.h"

#include <signal.h>

#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

enum { SQS_MOST = 1024 * 1024 };

static const struct messages_attribute attributes[] = { { "kind", "/kind" }, { "n", "/n" } };

static void messages_have_their_parts(void)
{
    static const struct {
        const char *name;
        struct messages_options messages;
        const char *entries;
    } rows[] = {
        { "standard",
          { .group_id = "" },
          "{\"Id\":\"0\",\"MessageBody\":\"{\\\"kind\\\":\\\"a\\\"}\"},"
          "{\"Id\":\"1\",\"MessageBody\":\"[1]\"}]}" },
        { "FIFO",
          { .group_id = "/kind", .is_fifo = true },
          "{\"Id\":\"0\",\"MessageGroupId\":\"a\",\"MessageDeduplicationId\":\"k0\","
          "\"MessageBody\":\"{\\\"kind\\\":\\\"a\\\"}\"},"
          "{\"Id\":\"1\",\"MessageGroupId\":\"k1\",\"MessageDeduplicationId\":\"k1\","
          "\"MessageBody\":\"[1]\"}]}" },
        { "attributes",
          { .group_id = "", .attributes = attributes, .attribute_count = 2 },
          "{\"Id\":\"0\",\"MessageAttributes\":{\"kind\":{\"DataType\":\"String\","
          "\"StringValue\":\"a\"}},\"MessageBody\":\"{\\\"kind\\\":\\\"a\\\"}\"},"
          "{\"Id\":\"1\",\"MessageBody\":\"[1]\"}]}" },
    };
    static const struct aws_target_record records[] = { { "k0", NULL, "{\"kind\":\"a\"}" },
                                                        { "k1", NULL, "[1]" } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct messages_options options = rows[i].messages;
        struct aws_target target;
        struct sink sink = { 0 };
        struct error err = { 0 };
        struct str head = STR("{\"QueueUrl\":\"http://x/1/q\",\"Entries\":[");

        TEST_CASE(rows[i].name);
        aws_target_begin(&target,
                         AWS_ANSWER("200 OK", "{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"1\"}]}"));
        options.target = "http://x/1/q";
        CHECK(sink_sqs(&target.options, &options, &sink, &err));
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 2), 2),
                  "DD");
        CHECK(str_starts_with(str_from_c(target.seen), head));
        CHECK_STR(str_from(str_from_c(target.seen), head.len), rows[i].entries);
        CHECK_INT((int64_t)sink.max_records, 10);
        CHECK(sink.cost(sink.self, &(struct sink_record){ .bytes = STR("{}") }) >= 2);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void a_message_has_its_trace(void)
{
    static const struct aws_target_record record = { "k0", NULL, "1" };
    const struct messages_options options = { .target = "q" };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{\"Successful\":[{\"Id\":\"0\"}]}"));
    target.traceparent = STR("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
    CHECK(sink_sqs(&target.options, &options, &sink, &err));
    (void)aws_target_deliver(&target, &sink, &record, 1);
    CHECK_STR(str_from_c(target.seen),
              "{\"QueueUrl\":\"q\",\"Entries\":[{\"Id\":\"0\",\"MessageSystemAttributes\":"
              "{\"AWSTraceHeader\":{\"DataType\":\"String\",\"StringValue\":"
              "\"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\"}},"
              "\"MessageBody\":\"1\"}]}");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void a_message_that_is_too_long_is_not_sent(void)
{
    const struct messages_options options = { .target = "http://x/1/q" };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };
    struct buf *text;

    aws_target_begin(&target, AWS_ANSWER("200 OK", "{\"Successful\":[{\"Id\":\"0\"}]}"));
    CHECK(sink_sqs(&target.options, &options, &sink, &err));
    text = arena_buf(target.arena, SIZE_MAX);
    buf_add_char(text, '"');
    while (text->len < SQS_MOST)
        buf_add_char(text, 'x');
    buf_add(text, STR("\"\0"));

    const struct aws_target_record records[] = { { "a", NULL, text->ptr }, { "b", NULL, "{}" } };
    const struct sink_answer *answer = aws_target_deliver(&target, &sink, records, 2);

    CHECK_STR(aws_target_results(&target, answer, 2), "ID");
    CHECK_STR(str_from_c(answer->outcomes[0].reason),
              "the message has 1048577 bytes; the target takes 1048576");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(messages_have_their_parts);
    RUN(a_message_has_its_trace);
    RUN(a_message_that_is_too_long_is_not_sent);
    return test_end();
}
