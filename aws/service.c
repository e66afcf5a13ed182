/*
 * service.c - see service.h.
 */
#include "aws/service.h"

#include <string.h>

/* SQS and SNS have the same names everywhere; EventBridge's host and signing name are "events". */
static const struct aws_service_row rows[AWS_SERVICE_COUNT] = {
    [AWS_SERVICE_GLUE] = { .name = "glue",
                           .host = "glue",
                           .signing = "glue",
                           .protocol = AWS_JSON_1_1,
                           .target = "AWSGlue",
                           .endpoint = AWS_VAR_ENDPOINT_URL_GLUE,
                           .takes_session_endpoint = true },
    [AWS_SERVICE_STS] = { .name = "sts",
                          .host = "sts",
                          .signing = "sts",
                          .protocol = AWS_QUERY,
                          .endpoint = AWS_VAR_ENDPOINT_URL_STS },
    [AWS_SERVICE_KINESIS] = { .name = "kinesis",
                              .host = "kinesis",
                              .signing = "kinesis",
                              .protocol = AWS_JSON_1_1,
                              .target = "Kinesis_20131202",
                              .endpoint = AWS_VAR_ENDPOINT_URL_KINESIS },
    [AWS_SERVICE_FIREHOSE] = { .name = "firehose",
                               .host = "firehose",
                               .signing = "firehose",
                               .protocol = AWS_JSON_1_1,
                               .target = "Firehose_20150804",
                               .endpoint = AWS_VAR_ENDPOINT_URL_FIREHOSE },
    [AWS_SERVICE_SQS] = { .name = "sqs",
                          .host = "sqs",
                          .signing = "sqs",
                          .protocol = AWS_JSON_1_0,
                          .target = "AmazonSQS",
                          .endpoint = AWS_VAR_ENDPOINT_URL_SQS },
    [AWS_SERVICE_SNS] = { .name = "sns",
                          .host = "sns",
                          .signing = "sns",
                          .protocol = AWS_QUERY,
                          .endpoint = AWS_VAR_ENDPOINT_URL_SNS },
    [AWS_SERVICE_EVENTBRIDGE] = { .name = "eventbridge",
                                  .host = "events",
                                  .signing = "events",
                                  .protocol = AWS_JSON_1_1,
                                  .target = "AWSEvents",
                                  .endpoint = AWS_VAR_ENDPOINT_URL_EVENTBRIDGE },
    [AWS_SERVICE_DYNAMODB] = { .name = "dynamodb",
                               .host = "dynamodb",
                               .signing = "dynamodb",
                               .protocol = AWS_JSON_1_0,
                               .target = "DynamoDB_20120810",
                               .endpoint = AWS_VAR_ENDPOINT_URL_DYNAMODB },
    [AWS_SERVICE_S3] = { .name = "s3",
                         .host = "s3",
                         .signing = "s3",
                         .protocol = AWS_REST,
                         .endpoint = AWS_VAR_ENDPOINT_URL_S3 },
    [AWS_SERVICE_SECRETS_MANAGER] = { .name = "secrets_manager",
                                      .host = "secretsmanager",
                                      .signing = "secretsmanager",
                                      .protocol = AWS_JSON_1_1,
                                      .target = "secretsmanager",
                                      .endpoint = AWS_VAR_ENDPOINT_URL_SECRETS_MANAGER },
};

const struct aws_service_row *aws_service_get(enum aws_service service)
{
    return &rows[service];
}

bool aws_service_find(const char *name, enum aws_service *service)
{
    for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *service = (enum aws_service)i;
            return true;
        }
    }
    return false;
}
