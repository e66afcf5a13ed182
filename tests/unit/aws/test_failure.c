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
    RUN(messages_are_short_and_of_one_line);
    RUN(what_passes_and_what_may_be_the_clock);
    RUN(a_clock_is_wrong_from_four_minutes_on);
    return test_end();
}
