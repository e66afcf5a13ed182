/*
 * test_service.c - claims about aws/service.h.
 */
#include "aws/service.h"

#include "tests/unit/test.h"

static void services_have_names_and_protocols(void)
{
    static const struct {
        const char *name;
        const char *host;
        const char *signing;
        enum aws_protocol protocol;
        const char *target;
    } cases[] = {
        { "glue", "glue", "glue", AWS_JSON_1_1, "AWSGlue" },
        { "sts", "sts", "sts", AWS_QUERY, NULL },
        { "kinesis", "kinesis", "kinesis", AWS_JSON_1_1, "Kinesis_20131202" },
        { "firehose", "firehose", "firehose", AWS_JSON_1_1, "Firehose_20150804" },
        { "sqs", "sqs", "sqs", AWS_JSON_1_0, "AmazonSQS" },
        { "sns", "sns", "sns", AWS_QUERY, NULL },
        { "eventbridge", "events", "events", AWS_JSON_1_1, "AWSEvents" },
        { "dynamodb", "dynamodb", "dynamodb", AWS_JSON_1_0, "DynamoDB_20120810" },
        { "s3", "s3", "s3", AWS_REST, NULL },
        { "secrets_manager", "secretsmanager", "secretsmanager", AWS_JSON_1_1, "secretsmanager" },
    };
    enum aws_service service;

    CHECK_INT(COUNT_OF(cases), AWS_SERVICE_COUNT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK(aws_service_find(cases[i].name, &service));

        const struct aws_service_row *row = aws_service_get(service);

        CHECK_STR(str_from_c(row->host), cases[i].host);
        CHECK_STR(str_from_c(row->signing), cases[i].signing);
        CHECK_INT(row->protocol, cases[i].protocol);
        CHECK_STR(str_from_c(row->target), cases[i].target ? cases[i].target : "");
    }
    CHECK(!aws_service_find("s4", &service));
    CHECK(!aws_service_find("events", &service));
}

int main(void)
{
    RUN(services_have_names_and_protocols);
    return test_end();
}
