/*
 * test_sns.c - claims about delivery/sinks/sns.h: the form and the XML. test_messages.c has the
 * parts of a message.
 */
#include "delivery/sinks/sns.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/aws_target.h"
#include "tests/unit/test.h"

#define HEAD     "Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At"
#define ENTRY(n) "&PublishBatchRequestEntries.member." n "."
#define A_B_HASH "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65" /* of "a b" */
#define XML(body)                                                                                  \
    "<PublishBatchResponse><PublishBatchResult>" body "</PublishBatchResult></"                    \
    "PublishBatchResponse>"

static const struct messages_attribute attributes[] = { { "kind", "/kind" } };
static const struct aws_target_record records[] = { { "k0", NULL, "{\"kind\":\"a b\"}" },
                                                    { "k1", NULL, "\"\xc3\xa9~\"" } };

static struct sink make(const struct aws_target *target)
{
    struct sink sink = { 0 };
    struct error err = { 0 };

    CHECK(sink_sns(&target->options,
                   &(struct messages_options){ .target = "arn:aws:sns:eu-west-1:1:t",
                                               .group_id = "/kind",
                                               .is_fifo = true,
                                               .attributes = attributes,
                                               .attribute_count = 1 },
                   &sink, &err));
    return sink;
}

static void a_call_is_a_form(void)
{
    struct aws_target target;
    struct sink sink;

    aws_target_begin(&target, AWS_ANSWER("200 OK", XML("")));
    sink = make(&target);
    (void)aws_target_deliver(&target, &sink, records, 2);
    CHECK_STR(
        str_from_c(target.seen),
        HEAD ENTRY("1") "Id=0" ENTRY("1") "MessageGroupId=" A_B_HASH
            ENTRY("1") "MessageDeduplicationId=k0" ENTRY(
                "1") "MessageAttributes.entry.1.Name="
                     "kind" ENTRY(
                         "1") "MessageAttributes.entry.1.Value.DataType="
                              "String" ENTRY(
                                  "1") "MessageAttributes.entry.1."
                                       "Value.StringValue=a%"
                                       "20b" ENTRY(
                                           "1") "Message=%7B%"
                                                "22kind%22%"
                                                "3A%22a%20b%"
                                                "22%7D" ENTRY("2") "Id=1" ENTRY(
                                                    "2") "MessageGroupId=k1" ENTRY("2") "Mes"
                                                                                        "sag"
                                                                                        "eDe"
                                                                                        "dup"
                                                                                        "lic"
                                                                                        "ati"
                                                                                        "onI"
                                                                                        "d="
                                                                                        "k"
                                                                                        "1" ENTRY(
                                                                                            "2") "M"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "s"
                                                                                                 "a"
                                                                                                 "g"
                                                                                                 "e"
                                                                                                 "="
                                                                                                 "%"
                                                                                                 "2"
                                                                                                 "2"
                                                                                                 "%"
                                                                                                 "C"
                                                                                                 "3"
                                                                                                 "%"
                                                                                                 "A"
                                                                                                 "9"
                                                                                                 "~"
                                                                                                 "%"
                                                                                                 "2"
                                                                                                 "2");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void the_answer_is_read_by_id(void)
{
    static const struct {
        const char *name;
        const char *body;
        const char *results;
    } rows[] = {
        { "both",
          XML("<Successful><member><Id>1</Id></member><member><Id>0</Id></member>"
              "</Successful><Failed/>"),
          "DD" },
        { "one fails",
          XML("<Successful><member><Id>1</Id></member></Successful><Failed><member>"
              "<Id>0</Id><Code>InvalidParameter</Code><SenderFault>true</SenderFault>"
              "</member></Failed>"),
          "RD" },
        { "later, and configuration",
          XML("<Failed><member><Id>0</Id><Code>New</Code><SenderFault>false</SenderFault></member>"
              "<member><Id>1</Id><Code>KMSDisabled</Code><SenderFault>true</SenderFault></member>"
              "</Failed>"),
          "PM" },
        { "nothing", XML(""), "PP" },
        { "not XML", "{}", "PP" },
        { "not UTF-8", XML("<Successful><member><Id>\xff</Id></member></Successful>"), "PP" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct aws_target target;
        struct sink sink;
        char answer[2048];

        TEST_CASE(rows[i].name);
        (void)snprintf(answer, sizeof(answer), AWS_ANSWER("200 OK", "%s"), rows[i].body);
        aws_target_begin(&target, answer);
        sink = make(&target);
        CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, records, 2), 2),
                  rows[i].results);
        CHECK_INT((int64_t)sink.max_records, 10);
        CHECK(sink.cost(sink.self, &(struct sink_record){ .bytes = STR("{}") }) >= 2);
        sink.destroy(sink.self);
        aws_target_end(&target);
    }
}

static void an_error_has_the_words_of_the_topic(void)
{
    struct aws_target target;
    struct sink sink;
    const struct sink_answer *answer;

    aws_target_begin(&target, AWS_ANSWER("403 Forbidden",
                                         "<ErrorResponse><Error><Code>AuthorizationError</Code>"
                                         "<Message>not you</Message></Error></ErrorResponse>"));
    sink = make(&target);
    answer = aws_target_deliver(&target, &sink, records, 2);
    CHECK_STR(aws_target_results(&target, answer, 2), "MM");
    CHECK_STR(str_from_c(answer->outcomes[0].reason),
              "sns:Publish in eu-west-1: AuthorizationError: not you");
    sink.destroy(sink.self);
    aws_target_end(&target);
}

static void a_message_that_is_too_long_is_not_sent(void)
{
    enum { MOST = 256 * 1024 };
    struct messages_options options = { .target = "arn:aws:sns:eu-west-1:1:t", .group_id = "" };
    struct aws_target target;
    struct sink sink = { 0 };
    struct error err = { 0 };
    char *text;

    aws_target_begin(&target, AWS_ANSWER("200 OK", XML("")));
    text = arena_alloc(target.arena, MOST + 2);
    memset(text, ' ', MOST + 1);
    text[0] = '1';

    const struct aws_target_record record = { "a", NULL, text };

    CHECK(sink_sns(&target.options, &options, &sink, &err));
    CHECK_STR(aws_target_results(&target, aws_target_deliver(&target, &sink, &record, 1), 1), "I");
    sink.destroy(sink.self);
    options.group_id = "/~";
    CHECK(!sink_sns(&target.options, &options, &sink, &err));
    aws_target_end(&target);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(a_call_is_a_form);
    RUN(the_answer_is_read_by_id);
    RUN(an_error_has_the_words_of_the_topic);
    RUN(a_message_that_is_too_long_is_not_sent);
    return test_end();
}
