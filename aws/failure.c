/*
 * failure.c - see failure.h.
 *
 * The codes are those of Glue and of SigV4, and the SDKs' lists of throttling and transient errors.
 */
#include "aws/failure.h"

#include <stdio.h>
#include <string.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 400,  /* "User: ARN is not authorized to perform: ACTION on resource: ARN …" */
    SKEW_S = 4 * 60, /* a larger difference is a wrong clock; AWS tolerates five minutes */
};

static const struct {
    const char *code;
    enum aws_failure_kind kind;
} codes[] = {
    { "AccessDeniedException", AWS_DENIED },
    { "AccessDenied", AWS_DENIED },
    { "NotAuthorizedException", AWS_DENIED },
    { "UnauthorizedOperation", AWS_DENIED },
    { "EntityNotFoundException", AWS_NOT_FOUND },
    { "ResourceNotFoundException", AWS_NOT_FOUND },
    { "Throttling", AWS_THROTTLED },
    { "ThrottlingException", AWS_THROTTLED },
    { "ThrottledException", AWS_THROTTLED },
    { "RequestThrottledException", AWS_THROTTLED },
    { "RequestThrottled", AWS_THROTTLED },
    { "TooManyRequestsException", AWS_THROTTLED },
    { "ProvisionedThroughputExceededException", AWS_THROTTLED },
    { "TransactionInProgressException", AWS_THROTTLED },
    { "RequestLimitExceeded", AWS_THROTTLED },
    { "BandwidthLimitExceeded", AWS_THROTTLED },
    { "LimitExceededException", AWS_THROTTLED },
    { "PriorRequestNotComplete", AWS_THROTTLED },
    { "SlowDown", AWS_THROTTLED },
    { "EC2ThrottledException", AWS_THROTTLED },
    { "InternalServiceException", AWS_UNAVAILABLE },
    { "InternalServerException", AWS_UNAVAILABLE },
    { "InternalServerError", AWS_UNAVAILABLE },
    { "InternalFailure", AWS_UNAVAILABLE },
    { "InternalError", AWS_UNAVAILABLE },
    { "OperationTimeoutException", AWS_UNAVAILABLE },
    { "RequestTimeout", AWS_UNAVAILABLE },
    { "RequestTimeoutException", AWS_UNAVAILABLE },
    { "ServiceUnavailable", AWS_UNAVAILABLE },
    { "ServiceUnavailableException", AWS_UNAVAILABLE },
    { "ExpiredToken", AWS_EXPIRED_TOKEN },
    { "ExpiredTokenException", AWS_EXPIRED_TOKEN },
    { "RequestExpired", AWS_CLOCK_SKEW },
    { "RequestTimeTooSkewed", AWS_CLOCK_SKEW },
    { "RequestInTheFuture", AWS_CLOCK_SKEW },
    { "UnrecognizedClientException", AWS_BAD_CREDENTIALS },
    { "InvalidClientTokenId", AWS_BAD_CREDENTIALS },
    { "InvalidAccessKeyId", AWS_BAD_CREDENTIALS },
    { "InvalidSignatureException", AWS_BAD_CREDENTIALS },
    { "SignatureDoesNotMatch", AWS_BAD_CREDENTIALS },
    { "IncompleteSignature", AWS_BAD_CREDENTIALS },
    { "IncompleteSignatureException", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationToken", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationTokenException", AWS_BAD_CREDENTIALS },
    { "AuthFailure", AWS_BAD_CREDENTIALS },
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

static struct str find_code(const struct fetch_answer *answer, struct json_object *json)
{
    static const char *const members[] = { "__type", "code", "Code" };
    struct str code = bare_code(fetch_answer_header(answer, "X-Amzn-ErrorType"));

    for (size_t i = 0; i < COUNT_OF(members) && !is_code(code) && json_is_object(json); i++)
        code = bare_code(json_find_str(json, members[i]));
    return is_code(code) ? code : STR_NONE;
}

static struct str find_message(struct json_object *json)
{
    struct str message = STR_NONE;

    if (json_is_object(json)) {
        message = json_find_str(json, "Message");
        if (message.len == 0)
            message = json_find_str(json, "message");
    }
    return message;
}

static enum aws_failure_kind kind_of_status(int status)
{
    if (status == 429)
        return AWS_THROTTLED;
    return status >= 500 ? AWS_UNAVAILABLE : AWS_OTHER;
}

static enum aws_failure_kind kind_of_code(struct str code, int status)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (str_equal(code, str_from_c(codes[i].code)))
            return codes[i].kind;
    return kind_of_status(status);
}

/* Replace control characters, so that the text is one line. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            *text = ' ';
}

void aws_failure_from_answer(const struct fetch_answer *answer, struct json_object *json,
                             struct aws_failure *failure)
{
    struct str code = find_code(answer, json);
    struct str message = find_message(json);

    *failure = (struct aws_failure){ .kind = kind_of_code(code, answer->status) };
    (void)snprintf(failure->code, sizeof(failure->code), "%.*s", STR_ARG(code));
    message = utf8_prefix(message, TEXT_MAX);
    if (code.len == 0)
        (void)fail(&failure->error, ERR_UNREACHABLE, "HTTP status %d", answer->status);
    else
        (void)fail(&failure->error, ERR_UNREACHABLE, message.len ? "%s: %.*s" : "%s", failure->code,
                   STR_ARG(message));
    clean(failure->error.text);
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
