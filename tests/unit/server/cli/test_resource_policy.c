/*
 * test_resource_policy.c - which policies let EventBridge write to a queue
 */
#include "server/cli/resource_policy.h"

#include <stdio.h>

#include "base/attr.h"
#include "tests/unit/test.h"

#define QUEUE  "arn:aws:sqs:eu-west-1:123456789012:dead"
#define RULE   "arn:aws:events:eu-west-1:123456789012:rule/partner/calls"
#define EVENTS "\"Principal\":{\"Service\":\"events.amazonaws.com\"}"
#define SEND   "\"Action\":\"sqs:SendMessage\""
#define ON     "\"Resource\":\"" QUEUE "\""
#define ALLOW  "{\"Effect\":\"Allow\"," EVENTS "," SEND "," ON
#define DENY   "{\"Effect\":\"Deny\"," EVENTS "," SEND "," ON
#define WHEN(operator_name, key, value)                                                            \
    ",\"Condition\":{\"" operator_name "\":{\"" key "\":" value "}}}"

struct policy_case {
    const char *name;
    const char *statements;
    enum resource_verdict verdict;
};

static void check_case(const struct policy_case *wanted)
{
    const struct resource_call call = { .service = "events.amazonaws.com",
                                        .action = "sqs:sendmessage",
                                        .resource = STR(QUEUE),
                                        .source_arn = STR(RULE) };
    char policy[1024];

    TEST_CASE(wanted->name);
    (void)snprintf(policy, sizeof(policy), "{\"Statement\":%s}", wanted->statements);
    CHECK_INT(resource_policy_judge(str_from_c(policy), &call), wanted->verdict);
}

static void judges_a_call(void)
{
    static const struct policy_case cases[] = {
        { "admitted", ALLOW "}", RESOURCE_ALLOWED },
        { "a list", "[" ALLOW "}]", RESOURCE_ALLOWED },
        { "no statement", "[]", RESOURCE_SILENT },
        { "not a statement", "[1]", RESOURCE_SILENT },
        { "any action",
          "{\"Effect\":\"Allow\"," EVENTS ",\"Action\":[\"s3:*\",\"SQS:Send*\"]," ON "}",
          RESOURCE_ALLOWED },
        { "another action",
          "{\"Effect\":\"Allow\"," EVENTS ",\"Action\":\"sqs:ReceiveMessage\"," ON "}",
          RESOURCE_SILENT },
        { "anyone", "{\"Effect\":\"Allow\",\"Principal\":\"*\"," SEND "," ON "}",
          RESOURCE_ALLOWED },
        { "any account",
          "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"1\",\"*\"]}," SEND "," ON "}",
          RESOURCE_ALLOWED },
        { "another service",
          "{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sns.amazonaws.com\"}," SEND "," ON
          "}",
          RESOURCE_SILENT },
        { "another queue", "{\"Effect\":\"Allow\"," EVENTS "," SEND ",\"Resource\":\"" QUEUE "2\"}",
          RESOURCE_SILENT },
        { "any queue", "{\"Effect\":\"Allow\"," EVENTS "," SEND ",\"Resource\":\"arn:aws:sqs:*\"}",
          RESOURCE_ALLOWED },
        { "denied", "[" ALLOW "}," DENY "}]", RESOURCE_DENIED },
        { "denied first", "[" DENY "}," ALLOW "}]", RESOURCE_DENIED },
        { "all but some are denied",
          "[" ALLOW "},{\"Effect\":\"Deny\",\"NotPrincipal\":\"x\"," SEND "," ON "}]",
          RESOURCE_ALLOWED },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(&cases[i]);
}

static void judges_conditions(void)
{
    static const struct policy_case cases[] = {
        { "this rule", ALLOW WHEN("ArnEquals", "aws:SourceArn", "\"" RULE "\""), RESOURCE_ALLOWED },
        { "one of the rules",
          ALLOW WHEN("ForAnyValue:ArnLike", "AWS:SourceArn", "[\"a\",\"*:rule/*\"]"),
          RESOURCE_ALLOWED },
        { "another rule", ALLOW WHEN("ArnLike", "aws:sourcearn", "\"" RULE "2\""),
          RESOURCE_SILENT },
        { "this account", ALLOW WHEN("StringEquals", "aws:SourceAccount", "\"123456789012\""),
          RESOURCE_ALLOWED },
        { "another account",
          ALLOW WHEN("StringEqualsIfExists", "aws:SourceAccount", "\"210987654321\""),
          RESOURCE_SILENT },
        { "an unknown condition", ALLOW WHEN("Bool", "aws:SecureTransport", "\"true\""),
          RESOURCE_ALLOWED },
        { "an unknown operator", ALLOW WHEN("ArnNotLike", "aws:SourceArn", "\"x\""),
          RESOURCE_ALLOWED },
        { "denied under an unknown condition",
          "[" ALLOW "}," DENY WHEN("Bool", "aws:SecureTransport", "\"false\"") "]",
          RESOURCE_ALLOWED },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(&cases[i]);
}

static void a_text_that_is_no_policy_is_silent(void)
{
    static const char *const texts[] = { "", "{", "[]", "{}", "{\"Statement\":1}" };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        CHECK_INT(resource_policy_judge(
                      str_from_c(texts[i]),
                      &(struct resource_call){ .service = "", .action = "sqs:sendmessage" }),
                  RESOURCE_SILENT);
}

static void a_caller_may_be_unknown(void)
{
    static const struct {
        const char *policy;
        enum resource_verdict verdict;
    } cases[] = {
        { "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"events:*\","
          "\"Resource\":\"bus\"}}",
          RESOURCE_DENIED },
        { "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"events:*\","
          "\"Resource\":\"bus\"" WHEN("StringLike", "aws:SourceAccount", "\"1\"") "}",
          RESOURCE_SILENT },
        { "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"123456789012\"},"
          "\"Action\":\"events:*\",\"Resource\":\"*\"}}",
          RESOURCE_SILENT },
        { "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"events:*\","
          "\"Resource\":\"*\"" WHEN("ArnLike", "aws:SourceArn", "\"rule\"") "}",
          RESOURCE_ALLOWED },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_INT(resource_policy_judge(
                      str_from_c(cases[i].policy),
                      &(struct resource_call){ .service = "", .action = "events:putevents" }),
                  cases[i].verdict);
}

int main(void)
{
    RUN(judges_a_call);
    RUN(judges_conditions);
    RUN(a_text_that_is_no_policy_is_silent);
    RUN(a_caller_may_be_unknown);
    return test_end();
}
