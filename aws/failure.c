/*
 * failure.c - see failure.h.
 *
 * The codes are those of SigV4, of the services in service.c (of calls and of entries in their
 * batches), and of the SDKs' lists of throttling and transient errors.
 */
#include "aws/failure.h"

#include <stdio.h>
#include <string.h>

#include "aws/xml.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 400,  /* "User: ARN is not authorized to perform: ACTION on resource: ARN …" */
    SKEW_S = 4 * 60, /* a larger difference is a wrong clock; AWS tolerates five minutes */
    RETRY_AFTER_S = 3600, /* a longer pause is cut */
    REGION_MAX = 32,
};

static const struct {
    const char *code;
    enum aws_failure_kind kind;
} codes[] = {
    { "AccessDeniedException", AWS_DENIED },
    { "AccessDenied", AWS_DENIED },
    { "NotAuthorizedException", AWS_DENIED },
    { "UnauthorizedOperation", AWS_DENIED },
    { "AuthorizationError", AWS_DENIED },
    { "AuthorizationErrorException", AWS_DENIED },
    { "NotAuthorizedForSource", AWS_DENIED },
    { "NotAuthorizedForSourceException", AWS_DENIED },
    { "NotAuthorizedForDetailType", AWS_DENIED },
    { "NotAuthorizedForDetailTypeException", AWS_DENIED },
    { "AllAccessDisabled", AWS_DENIED },
    { "EntityNotFoundException", AWS_NOT_FOUND },
    { "ResourceNotFoundException", AWS_NOT_FOUND },
    { "ResourceNotFound", AWS_NOT_FOUND },
    { "NotFound", AWS_NOT_FOUND },
    { "NotFoundException", AWS_NOT_FOUND },
    { "QueueDoesNotExist", AWS_NOT_FOUND },
    { "AWS.SimpleQueueService.NonExistentQueue", AWS_NOT_FOUND },
    { "NoSuchBucket", AWS_NOT_FOUND },
    { "NoSuchKey", AWS_NOT_FOUND },
    { "Throttling", AWS_THROTTLED },
    { "ThrottlingException", AWS_THROTTLED },
    { "ThrottlingError", AWS_THROTTLED },
    { "Throttled", AWS_THROTTLED },
    { "ThrottledException", AWS_THROTTLED },
    { "RequestThrottledException", AWS_THROTTLED },
    { "RequestThrottled", AWS_THROTTLED },
    { "TooManyRequestsException", AWS_THROTTLED },
    { "ProvisionedThroughputExceededException", AWS_THROTTLED },
    { "ProvisionedThroughputExceeded", AWS_THROTTLED },
    { "TransactionInProgressException", AWS_THROTTLED },
    { "RequestLimitExceeded", AWS_THROTTLED },
    { "BandwidthLimitExceeded", AWS_THROTTLED },
    { "LimitExceededException", AWS_THROTTLED },
    { "PriorRequestNotComplete", AWS_THROTTLED },
    { "SlowDown", AWS_THROTTLED },
    { "EC2ThrottledException", AWS_THROTTLED },
    { "OverLimit", AWS_THROTTLED },
    { "KMSThrottlingException", AWS_THROTTLED },
    { "KMSThrottling", AWS_THROTTLED },
    { "KmsThrottled", AWS_THROTTLED },
    { "KMSThrottled", AWS_THROTTLED },
    { "InternalServiceException", AWS_UNAVAILABLE },
    { "InternalServerException", AWS_UNAVAILABLE },
    { "InternalServerError", AWS_UNAVAILABLE },
    { "InternalFailure", AWS_UNAVAILABLE },
    { "InternalFailureException", AWS_UNAVAILABLE },
    { "InternalError", AWS_UNAVAILABLE },
    { "InternalErrorException", AWS_UNAVAILABLE },
    { "InternalException", AWS_UNAVAILABLE },
    { "OperationTimeoutException", AWS_UNAVAILABLE },
    { "RequestTimeout", AWS_UNAVAILABLE },
    { "RequestTimeoutException", AWS_UNAVAILABLE },
    { "ServiceUnavailable", AWS_UNAVAILABLE },
    { "ServiceUnavailableException", AWS_UNAVAILABLE },
    { "ReplicatedWriteConflictException", AWS_UNAVAILABLE },
    { "TransactionConflict", AWS_UNAVAILABLE },
    { "TransactionConflictException", AWS_UNAVAILABLE },
    { "ConditionalRequestConflict", AWS_UNAVAILABLE },
    { "OperationAborted", AWS_UNAVAILABLE },
    { "BadDigest", AWS_UNAVAILABLE },
    { "ExpiredToken", AWS_EXPIRED_TOKEN },
    { "ExpiredTokenException", AWS_EXPIRED_TOKEN },
    { "TokenRefreshRequired", AWS_EXPIRED_TOKEN },
    { "RequestExpired", AWS_CLOCK_SKEW },
    { "RequestTimeTooSkewed", AWS_CLOCK_SKEW },
    { "RequestInTheFuture", AWS_CLOCK_SKEW },
    { "UnrecognizedClientException", AWS_BAD_CREDENTIALS },
    { "InvalidClientTokenId", AWS_BAD_CREDENTIALS },
    { "InvalidAccessKeyId", AWS_BAD_CREDENTIALS },
    { "InvalidToken", AWS_BAD_CREDENTIALS },
    { "InvalidSignatureException", AWS_BAD_CREDENTIALS },
    { "SignatureDoesNotMatch", AWS_BAD_CREDENTIALS },
    { "IncompleteSignature", AWS_BAD_CREDENTIALS },
    { "IncompleteSignatureException", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationToken", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationTokenException", AWS_BAD_CREDENTIALS },
    { "AuthFailure", AWS_BAD_CREDENTIALS },
    { "InvalidKMSResourceException", AWS_MISCONFIGURED },
    { "InvalidSourceException", AWS_MISCONFIGURED },
    { "InvalidSecurity", AWS_MISCONFIGURED },
    { "InvalidAddress", AWS_MISCONFIGURED },
    { "InvalidAccountId", AWS_MISCONFIGURED },
    { "InvalidAccountIdException", AWS_MISCONFIGURED },
    { "InvalidBucketName", AWS_MISCONFIGURED },
    { "InvalidAction", AWS_MISCONFIGURED },
    { "UnsupportedOperation", AWS_MISCONFIGURED },
    { "AWS.SimpleQueueService.UnsupportedOperation", AWS_MISCONFIGURED },
    { "UnknownOperationException", AWS_MISCONFIGURED },
    { "OptInRequired", AWS_MISCONFIGURED },
    { "SubscriptionRequiredException", AWS_MISCONFIGURED },
    { "NotSignedUp", AWS_MISCONFIGURED },
    { "AccountProblem", AWS_MISCONFIGURED },
    { "PermanentRedirect", AWS_MISCONFIGURED },
    { "TemporaryRedirect", AWS_MISCONFIGURED },
    { "AuthorizationHeaderMalformed", AWS_MISCONFIGURED },
    { "IllegalLocationConstraintException", AWS_MISCONFIGURED },
    { "IncorrectEndpoint", AWS_MISCONFIGURED },
    { "NotImplemented", AWS_MISCONFIGURED },
    { "ValidationException", AWS_INVALID },
    { "ValidationError", AWS_INVALID },
    { "InvalidArgumentException", AWS_INVALID },
    { "InvalidArgument", AWS_INVALID },
    { "InvalidParameterException", AWS_INVALID },
    { "InvalidParameter", AWS_INVALID },
    { "InvalidParameterValueException", AWS_INVALID },
    { "InvalidParameterValue", AWS_INVALID },
    { "InvalidMessageContents", AWS_INVALID },
    { "InvalidBatchEntryId", AWS_INVALID },
    { "BatchRequestTooLong", AWS_INVALID },
    { "AWS.SimpleQueueService.BatchRequestTooLong", AWS_INVALID },
    { "MalformedDetail", AWS_INVALID },
    { "ItemCollectionSizeLimitExceeded", AWS_INVALID },
    { "ItemCollectionSizeLimitExceededException", AWS_INVALID },
    { "IdempotentParameterMismatchException", AWS_INVALID },
    { "SerializationException", AWS_INVALID },
    { "KeyTooLongError", AWS_INVALID },
    { "EntityTooLarge", AWS_INVALID },
    { "MetadataTooLarge", AWS_INVALID },
    { "RequestEntityTooLargeException", AWS_INVALID },
    { "DuplicateItem", AWS_EXISTS },
    { "DuplicateItemException", AWS_EXISTS },
    { "ConditionalCheckFailed", AWS_EXISTS },
    { "ConditionalCheckFailedException", AWS_EXISTS },
    { "PreconditionFailed", AWS_EXISTS },
};

/* "com.amazonaws.glue#ThrottlingException:http://…" is ThrottlingException. */
static struct str bare_code(struct str text)
{
    struct str rest = text;

    (void)take_until(&rest, '#');
    if (rest.len > 0)
        text = rest;
    return take_until(&text, ':');
}

static bool is_code_char(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "._-");
}

static bool is_code(struct str text)
{
    return text.len < AWS_CODE_SIZE && all_are(text, is_code_char);
}

/* What an error answer says. Slices of the answer or of the arena; STR_NONE: not said. */
struct said {
    struct str code;
    struct str message;
    struct str region; /* S3: where the bucket is */
};

static void read_json(struct json_object *json, struct said *said)
{
    static const char *const members[] = { "__type", "code", "Code" };

    for (size_t i = 0; i < COUNT_OF(members) && !is_code(said->code); i++)
        said->code = bare_code(json_find_str(json, members[i]));
    said->message = json_find_str(json, "Message");
    if (said->message.len == 0)
        said->message = json_find_str(json, "message");
}

/* `<Error><Code>…` of S3, `<ErrorResponse><Error><Code>…` of SNS. */
static void read_xml(struct str document, struct arena *arena, struct said *said)
{
    struct str element;

    if (!aws_xml_next(&document, "Error", &element))
        return;
    if (!is_code(said->code))
        said->code = aws_xml_text(element, "Code", arena);
    said->message = aws_xml_text(element, "Message", arena);
    said->region = aws_xml_text(element, "Region", arena);
}

static struct said read_answer(const struct fetch_answer *answer, struct json_object *json,
                               struct arena *arena)
{
    struct str region = fetch_answer_header(answer, "X-Amz-Bucket-Region");
    struct said said = { .code = bare_code(fetch_answer_header(answer, "X-Amzn-ErrorType")) };

    if (json_is_object(json))
        read_json(json, &said);
    else if (!json)
        read_xml(buf_str(&answer->body), arena, &said);
    if (region.len > 0)
        said.region = region;
    if (!is_code(said.code))
        said.code = STR_NONE;
    return said;
}

static enum aws_failure_kind kind_of_status(int status)
{
    switch (status) {
    case 429:
        return AWS_THROTTLED;
    case 412:
        return AWS_EXISTS;
    case 413:
        return AWS_INVALID;
    case 401:
    case 403:
    case 404:
    case 405:
        return AWS_MISCONFIGURED;
    default:
        break;
    }
    if (status < 400)
        return AWS_MISCONFIGURED;
    return status >= 500 ? AWS_UNAVAILABLE : AWS_OTHER;
}

enum aws_failure_kind aws_failure_of_code(struct str code)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (str_equal(code, str_from_c(codes[i].code)))
            return codes[i].kind;
    /* "KMSDisabledException", "KmsAccessDenied", "KMS.NotFoundException": the key's owner acts. */
    if (str_starts_with(code, STR("KMS")) || str_starts_with(code, STR("Kms")))
        return AWS_MISCONFIGURED;
    return AWS_OTHER;
}

static enum aws_failure_kind kind_of(struct str code, int status)
{
    enum aws_failure_kind kind = aws_failure_of_code(code);

    return kind == AWS_OTHER ? kind_of_status(status) : kind;
}

enum aws_class aws_failure_class(enum aws_failure_kind kind)
{
    switch (kind) {
    case AWS_DENIED:
    case AWS_NOT_FOUND:
    case AWS_EXPIRED_TOKEN:
    case AWS_CLOCK_SKEW:
    case AWS_BAD_CREDENTIALS:
    case AWS_NO_CREDENTIALS:
    case AWS_MISCONFIGURED:
        return AWS_CLASS_CONFIGURATION;
    case AWS_INVALID:
        return AWS_CLASS_INVALID;
    case AWS_EXISTS:
        return AWS_CLASS_EXISTS;
    default:
        return AWS_CLASS_LATER;
    }
}

/* x-amz-retry-after has milliseconds; Retry-After has seconds or a date. */
static int64_t retry_after(const struct fetch_answer *answer)
{
    struct str text = fetch_answer_header(answer, "Retry-After");
    int64_t value;
    int64_t pause_us = 0;

    if (whole_number(fetch_answer_header(answer, "X-Amz-Retry-After"), INT32_MAX, &value))
        pause_us = value * US_PER_MS;
    else if (whole_number(text, INT32_MAX, &value))
        pause_us = value * US_PER_S;
    else if (clock_parse_http(text, &value))
        pause_us = value - clock_now_us();
    if (pause_us < 0)
        return 0;
    return pause_us < RETRY_AFTER_S * US_PER_S ? pause_us : RETRY_AFTER_S * US_PER_S;
}

/* Replace control characters, so that the text is one line. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            *text = ' ';
}

static void write_text(const struct said *said, struct aws_failure *failure)
{
    struct str message = utf8_prefix(said->message, TEXT_MAX);
    struct str region = said->region.len <= REGION_MAX ? said->region : STR_NONE;
    const char *before_region = region.len > 0 ? "; the bucket is in region " : "";

    if (said->code.len == 0)
        (void)fail(&failure->error, ERR_UNREACHABLE, "HTTP status %d%s%.*s", failure->status,
                   before_region, STR_ARG(region));
    else
        (void)fail(&failure->error, ERR_UNREACHABLE, "%s%s%.*s%s%.*s", failure->code,
                   message.len > 0 ? ": " : "", STR_ARG(message), before_region, STR_ARG(region));
    clean(failure->error.text);
}

void aws_failure_from_answer(const struct fetch_answer *answer, struct json_object *json,
                             struct aws_failure *failure)
{
    struct arena *arena = arena_create();
    struct said said = read_answer(answer, json, arena);

    *failure = (struct aws_failure){ .kind = kind_of(said.code, answer->status),
                                     .status = answer->status,
                                     .retry_after_us = retry_after(answer),
                                     .json = json_is_object(json) ? json : NULL };
    (void)snprintf(failure->code, sizeof(failure->code), "%.*s", STR_ARG(said.code));
    write_text(&said, failure);
    arena_destroy(arena);
}

bool aws_failure_is_passing(enum aws_failure_kind kind)
{
    return kind == AWS_THROTTLED || kind == AWS_UNAVAILABLE || kind == AWS_UNREACHABLE;
}

bool aws_failure_may_be_clock(struct str code)
{
    static const char *const suspects[] = {
        "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "RequestExpired",
        "RequestTimeTooSkewed",      "RequestInTheFuture"
    };

    for (size_t i = 0; i < COUNT_OF(suspects); i++)
        if (str_equal(code, str_from_c(suspects[i])))
            return true;
    return false;
}

bool aws_failure_clock(const struct fetch_answer *answer, int64_t known_s, int64_t *skew_s)
{
    int64_t theirs_us;

    if (!clock_parse_http(fetch_answer_header(answer, "Date"), &theirs_us))
        return false;

    int64_t ahead_s = (theirs_us - clock_now_us()) / US_PER_S;

    if (ahead_s - known_s < SKEW_S && known_s - ahead_s < SKEW_S)
        return false;
    *skew_s = ahead_s;
    return true;
}
