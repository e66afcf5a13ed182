/*
 * test_failure.c - claims about aws/failure.h.
 */
#include "aws/failure.h"

#include <stdio.h>

#include "tests/unit/test.h"

static const struct refusal {
    const char *name;
    const char *header; /* of X-Amzn-ErrorType */
    const char *body;
    const char *code;
    int status;
    enum aws_failure_kind kind;
} refusals[] = {
    { "__type", "", "{\"__type\":\"ThrottlingException\"}", "ThrottlingException", 400,
      AWS_THROTTLED },
    { "with namespace", "", "{\"__type\":\"a.b#ThrottlingException\"}", "ThrottlingException", 400,
      AWS_THROTTLED },
    { "with URI", "", "{\"__type\":\"ThrottlingException:http://x/\"}", "ThrottlingException", 400,
      AWS_THROTTLED },
    { "with both", "", "{\"__type\":\"a#ThrottlingException:http://x/#y\"}", "ThrottlingException",
      400, AWS_THROTTLED },
    { "the header comes first", "EntityNotFoundException:", "{\"__type\":\"ThrottlingException\"}",
      "EntityNotFoundException", 400, AWS_NOT_FOUND },
    { "code", "", "{\"code\":\"AccessDenied\"}", "AccessDenied", 400, AWS_DENIED },
    { "Code", "", "{\"Code\":\"AccessDenied\"}", "AccessDenied", 400, AWS_DENIED },
    { "a header that is no code", "a b", "{\"__type\":\"AccessDenied\"}", "AccessDenied", 400,
      AWS_DENIED },
    { "no text", "", "{\"__type\":7}", "", 400, AWS_OTHER },
    { "no object", "", "[1]", "", 400, AWS_OTHER },
    { "nothing", "", "", "", 400, AWS_OTHER },
    { "429", "", "", "", 429, AWS_THROTTLED },
    { "500", "", "", "", 500, AWS_UNAVAILABLE },
    { "an unknown code with 503", "", "{\"__type\":\"Strange\"}", "Strange", 503, AWS_UNAVAILABLE },
    { "an unknown code with 400", "", "{\"__type\":\"Strange\"}", "Strange", 400, AWS_OTHER },
    { "the code wins over the status", "", "{\"__type\":\"AccessDeniedException\"}",
      "AccessDeniedException", 500, AWS_DENIED },
    { "skew", "", "{\"__type\":\"RequestTimeTooSkewed\"}", "RequestTimeTooSkewed", 403,
      AWS_CLOCK_SKEW },
    { "unknown key", "", "{\"__type\":\"UnrecognizedClientException\"}",
      "UnrecognizedClientException", 400, AWS_BAD_CREDENTIALS },
    { "expired", "", "{\"__type\":\"ExpiredTokenException\"}", "ExpiredTokenException", 400,
      AWS_EXPIRED_TOKEN },
};

/* The codes of calls and entries of each service, by what its documentation says about them. */
static const struct {
    const char *code;
    enum aws_class class;
} classes[] = {
    /* all services */
    { "ThrottlingException", AWS_CLASS_LATER },
    { "RequestThrottledException", AWS_CLASS_LATER },
    { "TooManyRequestsException", AWS_CLASS_LATER },
    { "LimitExceededException", AWS_CLASS_LATER },
    { "KMSThrottlingException", AWS_CLASS_LATER },
    { "InternalFailure", AWS_CLASS_LATER },
    { "InternalServerError", AWS_CLASS_LATER },
    { "ServiceUnavailable", AWS_CLASS_LATER },
    { "RequestTimeout", AWS_CLASS_LATER },
    { "AccessDeniedException", AWS_CLASS_CONFIGURATION },
    { "AccessDenied", AWS_CLASS_CONFIGURATION },
    { "UnrecognizedClientException", AWS_CLASS_CONFIGURATION },
    { "InvalidSignatureException", AWS_CLASS_CONFIGURATION },
    { "SignatureDoesNotMatch", AWS_CLASS_CONFIGURATION },
    { "ExpiredTokenException", AWS_CLASS_CONFIGURATION },
    { "RequestTimeTooSkewed", AWS_CLASS_CONFIGURATION },
    { "MissingAuthenticationToken", AWS_CLASS_CONFIGURATION },
    { "IncompleteSignature", AWS_CLASS_CONFIGURATION },
    { "OptInRequired", AWS_CLASS_CONFIGURATION },
    { "SubscriptionRequiredException", AWS_CLASS_CONFIGURATION },
    { "UnknownOperationException", AWS_CLASS_CONFIGURATION },
    { "ValidationException", AWS_CLASS_INVALID },
    { "SerializationException", AWS_CLASS_INVALID },
    /* Kinesis */
    { "ProvisionedThroughputExceededException", AWS_CLASS_LATER },
    { "InternalFailureException", AWS_CLASS_LATER },
    { "InternalFailure", AWS_CLASS_LATER },
    { "ResourceNotFoundException", AWS_CLASS_CONFIGURATION },
    { "KMSAccessDeniedException", AWS_CLASS_CONFIGURATION },
    { "KMSDisabledException", AWS_CLASS_CONFIGURATION },
    { "KMSInvalidStateException", AWS_CLASS_CONFIGURATION },
    { "KMSNotFoundException", AWS_CLASS_CONFIGURATION },
    { "KMSOptInRequired", AWS_CLASS_CONFIGURATION },
    { "InvalidArgumentException", AWS_CLASS_INVALID },
    /* DynamoDB */
    { "ThrottlingError", AWS_CLASS_LATER },
    { "ProvisionedThroughputExceeded", AWS_CLASS_LATER },
    { "RequestLimitExceeded", AWS_CLASS_LATER },
    { "TransactionConflict", AWS_CLASS_LATER },
    { "TransactionConflictException", AWS_CLASS_LATER },
    { "TransactionInProgressException", AWS_CLASS_LATER },
    { "ReplicatedWriteConflictException", AWS_CLASS_LATER },
    { "ResourceNotFound", AWS_CLASS_CONFIGURATION },
    { "ValidationError", AWS_CLASS_INVALID },
    { "ItemCollectionSizeLimitExceeded", AWS_CLASS_INVALID },
    { "ItemCollectionSizeLimitExceededException", AWS_CLASS_INVALID },
    { "IdempotentParameterMismatchException", AWS_CLASS_INVALID },
    { "DuplicateItem", AWS_CLASS_EXISTS },
    { "DuplicateItemException", AWS_CLASS_EXISTS },
    { "ConditionalCheckFailed", AWS_CLASS_EXISTS },
    { "ConditionalCheckFailedException", AWS_CLASS_EXISTS },
    /* SQS */
    { "RequestThrottled", AWS_CLASS_LATER },
    { "KmsThrottled", AWS_CLASS_LATER },
    { "OverLimit", AWS_CLASS_LATER },
    { "QueueDoesNotExist", AWS_CLASS_CONFIGURATION },
    { "AWS.SimpleQueueService.NonExistentQueue", AWS_CLASS_CONFIGURATION },
    { "InvalidAddress", AWS_CLASS_CONFIGURATION },
    { "InvalidSecurity", AWS_CLASS_CONFIGURATION },
    { "UnsupportedOperation", AWS_CLASS_CONFIGURATION },
    { "KmsAccessDenied", AWS_CLASS_CONFIGURATION },
    { "KmsDisabled", AWS_CLASS_CONFIGURATION },
    { "KmsInvalidKeyUsage", AWS_CLASS_CONFIGURATION },
    { "KmsInvalidState", AWS_CLASS_CONFIGURATION },
    { "KmsNotFound", AWS_CLASS_CONFIGURATION },
    { "KmsOptInRequired", AWS_CLASS_CONFIGURATION },
    { "InvalidMessageContents", AWS_CLASS_INVALID },
    { "BatchRequestTooLong", AWS_CLASS_INVALID },
    { "AWS.SimpleQueueService.BatchRequestTooLong", AWS_CLASS_INVALID },
    { "InvalidParameterValue", AWS_CLASS_INVALID },
    /* S3 */
    { "SlowDown", AWS_CLASS_LATER },
    { "InternalError", AWS_CLASS_LATER },
    { "ConditionalRequestConflict", AWS_CLASS_LATER },
    { "OperationAborted", AWS_CLASS_LATER },
    { "BadDigest", AWS_CLASS_LATER },
    { "NoSuchBucket", AWS_CLASS_CONFIGURATION },
    { "InvalidAccessKeyId", AWS_CLASS_CONFIGURATION },
    { "InvalidToken", AWS_CLASS_CONFIGURATION },
    { "ExpiredToken", AWS_CLASS_CONFIGURATION },
    { "AllAccessDisabled", AWS_CLASS_CONFIGURATION },
    { "PermanentRedirect", AWS_CLASS_CONFIGURATION },
    { "TemporaryRedirect", AWS_CLASS_CONFIGURATION },
    { "AuthorizationHeaderMalformed", AWS_CLASS_CONFIGURATION },
    { "IllegalLocationConstraintException", AWS_CLASS_CONFIGURATION },
    { "KMS.DisabledException", AWS_CLASS_CONFIGURATION },
    { "KMS.NotFoundException", AWS_CLASS_CONFIGURATION },
    { "NotImplemented", AWS_CLASS_CONFIGURATION },
    { "KeyTooLongError", AWS_CLASS_INVALID },
    { "EntityTooLarge", AWS_CLASS_INVALID },
    { "InvalidArgument", AWS_CLASS_INVALID },
    { "PreconditionFailed", AWS_CLASS_EXISTS },
    /* Firehose */
    { "ServiceUnavailableException", AWS_CLASS_LATER },
    { "InvalidKMSResourceException", AWS_CLASS_CONFIGURATION },
    { "InvalidSourceException", AWS_CLASS_CONFIGURATION },
    /* EventBridge */
    { "InternalException", AWS_CLASS_LATER },
    { "MalformedDetail", AWS_CLASS_INVALID },
    { "NotAuthorizedForSourceException", AWS_CLASS_CONFIGURATION },
    { "NotAuthorizedForSource", AWS_CLASS_CONFIGURATION },
    { "NotAuthorizedForDetailTypeException", AWS_CLASS_CONFIGURATION },
    { "NotAuthorizedForDetailType", AWS_CLASS_CONFIGURATION },
    { "InvalidAccountIdException", AWS_CLASS_CONFIGURATION },
    { "InvalidAccountId", AWS_CLASS_CONFIGURATION },
    /* SNS */
    { "Throttled", AWS_CLASS_LATER },
    { "KMSThrottling", AWS_CLASS_LATER },
    { "NotFound", AWS_CLASS_CONFIGURATION },
    { "AuthorizationError", AWS_CLASS_CONFIGURATION },
    { "KMSAccessDenied", AWS_CLASS_CONFIGURATION },
    { "KMSDisabled", AWS_CLASS_CONFIGURATION },
    { "KMSInvalidState", AWS_CLASS_CONFIGURATION },
    { "KMSNotFound", AWS_CLASS_CONFIGURATION },
    { "KMSOptInRequired", AWS_CLASS_CONFIGURATION },
    { "InvalidParameter", AWS_CLASS_INVALID },
    /* unknown codes */
    { "Strange", AWS_CLASS_LATER },
    { "", AWS_CLASS_LATER },
};

static void codes_have_a_class(void)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        TEST_CASE(classes[i].code);
        CHECK_INT(aws_failure_class(aws_failure_of_code(str_from_c(classes[i].code))),
                  classes[i].class);
    }
    CHECK_INT(aws_failure_of_code(STR("Strange")), AWS_OTHER);
}

static void kinds_without_a_code_have_a_class(void)
{
    static const struct {
        enum aws_failure_kind kind;
        enum aws_class class;
    } cases[] = {
        { AWS_NO_CREDENTIALS, AWS_CLASS_CONFIGURATION },
        { AWS_UNREACHABLE, AWS_CLASS_LATER },
        { AWS_GARBLED, AWS_CLASS_LATER },
        { AWS_OTHER, AWS_CLASS_LATER },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_INT(aws_failure_class(cases[i].kind), cases[i].class);
}

static void without_a_known_code_the_status_decides(void)
{
    static const struct {
        int status;
        enum aws_class class;
    } cases[] = {
        { 301, AWS_CLASS_CONFIGURATION }, { 307, AWS_CLASS_CONFIGURATION },
        { 400, AWS_CLASS_LATER },         { 401, AWS_CLASS_CONFIGURATION },
        { 403, AWS_CLASS_CONFIGURATION }, { 404, AWS_CLASS_CONFIGURATION },
        { 405, AWS_CLASS_CONFIGURATION }, { 409, AWS_CLASS_LATER },
        { 412, AWS_CLASS_EXISTS },        { 413, AWS_CLASS_INVALID },
        { 429, AWS_CLASS_LATER },         { 500, AWS_CLASS_LATER },
        { 503, AWS_CLASS_LATER },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetch_answer answer = { .status = cases[i].status };
        struct aws_failure failure;

        aws_failure_from_answer(&answer, NULL, &failure);
        CHECK_INT(aws_failure_class(failure.kind), cases[i].class);
        CHECK_INT(failure.status, cases[i].status);
    }
}

static const struct {
    const char *name;
    const char *head;
    const char *body;
    const char *code;
    const char *text;
    int status;
    enum aws_failure_kind kind;
} documents[] = {
    { "S3", "",
      "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code>"
      "<Message>The bucket &quot;x&quot; does not exist</Message><RequestId>1</RequestId></Error>",
      "NoSuchBucket", "NoSuchBucket: The bucket \"x\" does not exist", 404, AWS_NOT_FOUND },
    { "S3 says the region in its answer", "",
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message>"
      "<Region>eu-west-1</Region></Error>",
      "AuthorizationHeaderMalformed",
      "AuthorizationHeaderMalformed: no; the bucket is in region eu-west-1", 400,
      AWS_MISCONFIGURED },
    { "S3 says the region in a header", "x-amz-bucket-region: eu-west-2\r\n",
      "<Error><Code>PermanentRedirect</Code></Error>", "PermanentRedirect",
      "PermanentRedirect; the bucket is in region eu-west-2", 301, AWS_MISCONFIGURED },
    { "S3 answers HEAD without a body", "x-amz-bucket-region: eu-west-2\r\n", "", "",
      "HTTP status 301; the bucket is in region eu-west-2", 301, AWS_MISCONFIGURED },
    { "SNS", "",
      "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>"
      "<Message>Invalid parameter: TopicArn</Message></Error></ErrorResponse>",
      "InvalidParameter", "InvalidParameter: Invalid parameter: TopicArn", 400, AWS_INVALID },
    { "a name instead of a code", "", "<UnknownOperationException/>", "", "HTTP status 404", 404,
      AWS_MISCONFIGURED },
    { "a code that is no code", "", "<Error><Code>a b</Code></Error>", "", "HTTP status 400", 400,
      AWS_OTHER },
    { "HTML", "", "<html><body>Error</body></html>", "", "HTTP status 500", 500, AWS_UNAVAILABLE },
};

static void xml_has_a_code_too(void)
{
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct fetch_answer answer;
        struct aws_failure failure;

        TEST_CASE(documents[i].name);
        fetch_answer_init(&answer, 1000);
        answer.status = documents[i].status;
        buf_printf(&answer.head, "%s", documents[i].head);
        buf_printf(&answer.body, "%s", documents[i].body);
        aws_failure_from_answer(&answer, NULL, &failure);
        CHECK_INT(failure.kind, documents[i].kind);
        CHECK_STR(str_from_c(failure.code), documents[i].code);
        CHECK_STR(str_from_c(failure.error.text), documents[i].text);
        fetch_answer_done(&answer);
    }
}

static void the_service_says_when_to_come_again(void)
{
    static const struct {
        const char *head;
        int64_t least_us;
        int64_t most_us;
    } cases[] = {
        { "", 0, 0 },
        { "Retry-After: 7\r\n", 7000000, 7000000 },
        { "x-amz-retry-after: 1500\r\n", 1500000, 1500000 },
        { "x-amz-retry-after: 1500\r\nRetry-After: 7\r\n", 1500000, 1500000 },
        { "x-amz-retry-after: soon\r\nRetry-After: 7\r\n", 7000000, 7000000 },
        { "Retry-After: 99999\r\n", 3600000000, 3600000000 },
        { "Retry-After: Sat, 01 Jan 2050 00:00:00 GMT\r\n", 3600000000, 3600000000 },
        { "Retry-After: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 0, 0 },
        { "Retry-After: -1\r\n", 0, 0 },
        { "Retry-After: 9999999999\r\n", 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetch_answer answer;
        struct aws_failure failure;

        TEST_CASE(cases[i].head);
        fetch_answer_init(&answer, 1000);
        answer.status = 503;
        buf_printf(&answer.head, "%s", cases[i].head);
        aws_failure_from_answer(&answer, NULL, &failure);
        CHECK(failure.retry_after_us >= cases[i].least_us);
        CHECK(failure.retry_after_us <= cases[i].most_us);
        fetch_answer_done(&answer);
    }
}

static void codes_are_found_wherever_they_are(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct fetch_answer answer;
        struct aws_failure failure = { 0 };
        struct json_object *json = NULL;
        struct error err;

        TEST_CASE(refusals[i].name);
        fetch_answer_init(&answer, 1000);
        answer.status = refusals[i].status;
        buf_printf(&answer.head, "x-amzn-errortype: %s\r\n", refusals[i].header);
        if (*refusals[i].body)
            CHECK(json_read_in(arena, str_from_c(refusals[i].body), NULL, &json, &err));
        aws_failure_from_answer(&answer, json, &failure);
        CHECK_INT(failure.kind, refusals[i].kind);
        CHECK_STR(str_from_c(failure.code), refusals[i].code);
        CHECK(failure.json == (json_is_object(json) ? json : NULL));
        CHECK(failure.error.code == ERR_UNREACHABLE && failure.error.text[0] != '\0');
        fetch_answer_done(&answer);
    }
    arena_destroy(arena);
}

static void messages_are_short_and_of_one_line(void)
{
    struct arena *arena = arena_create();
    struct fetch_answer answer = { .status = 400 };
    struct aws_failure failure;
    struct json_object *json;
    struct error err;
    struct buf text;

    buf_init(&text, 10000);
    buf_add(&text, STR("{\"__type\":\"X\",\"message\":\"a\\nb\\u0000c\\u007f"));
    for (int i = 0; i < 1000; i++)
        buf_add(&text, STR("\xC3\xA4"));
    buf_add(&text, STR("\"}"));
    CHECK(json_read_in(arena, buf_str(&text), NULL, &json, &err));
    aws_failure_from_answer(&answer, json, &failure);
    CHECK(str_starts_with(str_from_c(failure.error.text), STR("X: a b")));
    CHECK(strlen(failure.error.text) <= 210);
    for (const char *c = failure.error.text; *c; c++)
        CHECK((unsigned char)*c >= ' ' && *c != 0x7F);
    buf_done(&text);
    arena_destroy(arena);
}

static void what_passes_and_what_may_be_the_clock(void)
{
    CHECK(aws_failure_is_passing(AWS_THROTTLED));
    CHECK(aws_failure_is_passing(AWS_UNAVAILABLE));
    CHECK(aws_failure_is_passing(AWS_UNREACHABLE));
    CHECK(!aws_failure_is_passing(AWS_DENIED));
    CHECK(!aws_failure_is_passing(AWS_NOT_FOUND));
    CHECK(!aws_failure_is_passing(AWS_GARBLED));
    CHECK(aws_failure_may_be_clock(STR("InvalidSignatureException")));
    CHECK(aws_failure_may_be_clock(STR("RequestTimeTooSkewed")));
    CHECK(!aws_failure_may_be_clock(STR("ThrottlingException")));
    CHECK(!aws_failure_may_be_clock(STR("")));
}

static void a_clock_is_wrong_from_four_minutes_on(void)
{
    static const struct {
        const char *head;
        bool wrong;
    } cases[] = {
        { "Date: Sat, 01 Jan 2050 00:00:00 GMT\r\n", true },
        { "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n", true },
        { "Date: soon\r\n", false },
        { "", false },
    };
    struct fetch_answer answer;
    int64_t skew_s = 0;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t again_s;

        TEST_CASE(cases[i].head);
        fetch_answer_init(&answer, 1000);
        buf_printf(&answer.head, "%s", cases[i].head);
        CHECK(aws_failure_clock(&answer, 0, &skew_s) == cases[i].wrong);
        if (cases[i].wrong) { /* known once, it is told again only when it is minutes off */
            CHECK(!aws_failure_clock(&answer, skew_s - 230, &again_s));
            CHECK(!aws_failure_clock(&answer, skew_s + 230, &again_s));
            CHECK(aws_failure_clock(&answer, skew_s - 250, &again_s));
            CHECK(aws_failure_clock(&answer, skew_s + 250, &again_s));
        }
        fetch_answer_done(&answer);
    }
}

int main(void)
{
    RUN(codes_are_found_wherever_they_are);
    RUN(codes_have_a_class);
    RUN(kinds_without_a_code_have_a_class);
    RUN(without_a_known_code_the_status_decides);
    RUN(xml_has_a_code_too);
    RUN(the_service_says_when_to_come_again);
    RUN(messages_are_short_and_of_one_line);
    RUN(what_passes_and_what_may_be_the_clock);
    RUN(a_clock_is_wrong_from_four_minutes_on);
    return test_end();
}
