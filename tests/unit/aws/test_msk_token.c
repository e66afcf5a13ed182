/*
 * test_msk_token.c - claims about aws/msk_token.h. The texts are from botocore's SigV4QueryAuth.
 */
#include "aws/msk_token.h"

#include <stdio.h>

#include "aws/session_internal.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"

enum { LIFE_S = 900, TEXT_MAX = 4096 };

static const struct {
    const char *key_id;
    const char *secret;
    const char *token;
    const char *region;
    const char *text;
    const char *encoded;
} vectors[] = {
    { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "eu-west-1",
      "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-"
      "Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261128%2Feu-west"
      "-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261128T123456Z&X-Amz-Expires="
      "900&X-Amz-SignedHeaders=host&X-Amz-Signature=d0ab9c17981effb32c376e8042af796"
      "522ddfbb87ff8bbad20e9947474ade4bb&User-Agent=sluice",
      "aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEuYW1hem9uYXdzLmNvbS8_QWN0aW9uPWthZmthLWNsdXN0"
      "ZXIlM0FDb25uZWN0JlgtQW16LUFsZ29yaXRobT1BV1M0LUhNQUMtU0hBMjU2JlgtQW16LUNyZWRl"
      "bnRpYWw9QUtJREVYQU1QTEUlMkYyMDI2MTEyOCUyRmV1LXdlc3QtMSUyRmthZmthLWNsdXN0ZXIl"
      "MkZhd3M0X3JlcXVlc3QmWC1BbXotRGF0ZT0yMDI2MTEyOFQxMjM0NTZaJlgtQW16LUV4cGlyZXM9"
      "OTAwJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdCZYLUFtei1TaWduYXR1cmU9ZDBhYjljMTc5ODFl"
      "ZmZiMzJjMzc2ZTgwNDJhZjc5NjUyMmRkZmJiODdmZjhiYmFkMjBlOTk0NzQ3NGFkZTRiYiZVc2Vy"
      "LUFnZW50PXNsdWljZQ" },
    { "ASIAEXAMPLE", "secret/+=", "tok/en+==", "cn-north-1",
      "https://kafka.cn-north-1.amazonaws.com.cn/?Action=kafka-cluster%3AConnect&X-"
      "Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20261128%2Fcn-"
      "north-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20261128T123456Z&X-Amz-Exp"
      "ires=900&X-Amz-Security-Token=tok%2Fen%2B%3D%3D&X-Amz-SignedHeaders=host&X-A"
      "mz-Signature=510b6e94779e4b8c1dbfd5a458c33b347ec4eca20054dec5a4b00b4a38a9eec"
      "6&User-Agent=sluice",
      "aHR0cHM6Ly9rYWZrYS5jbi1ub3J0aC0xLmFtYXpvbmF3cy5jb20uY24vP0FjdGlvbj1rYWZrYS1j"
      "bHVzdGVyJTNBQ29ubmVjdCZYLUFtei1BbGdvcml0aG09QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1D"
      "cmVkZW50aWFsPUFTSUFFWEFNUExFJTJGMjAyNjExMjglMkZjbi1ub3J0aC0xJTJGa2Fma2EtY2x1"
      "c3RlciUyRmF3czRfcmVxdWVzdCZYLUFtei1EYXRlPTIwMjYxMTI4VDEyMzQ1NlomWC1BbXotRXhw"
      "aXJlcz05MDAmWC1BbXotU2VjdXJpdHktVG9rZW49dG9rJTJGZW4lMkIlM0QlM0QmWC1BbXotU2ln"
      "bmVkSGVhZGVycz1ob3N0JlgtQW16LVNpZ25hdHVyZT01MTBiNmU5NDc3OWU0YjhjMWRiZmQ1YTQ1"
      "OGMzM2IzNDdlYzRlY2EyMDA1NGRlYzVhNGIwMGI0YTM4YTllZWM2JlVzZXItQWdlbnQ9c2x1aWNl" },
};

static struct str decode(struct str token, struct arena *arena)
{
    char *bytes = arena_alloc(arena, TEXT_MAX);

    CHECK(base64url_decoded_size(token.len) < TEXT_MAX);
    CHECK(base64url_decode(token, (uint8_t *)bytes));
    return (struct str){ bytes, base64url_decoded_size(token.len) };
}

static void a_token_is_a_presigned_url(void)
{
    static const int64_t time_us = INT64_C(1795869296) * US_PER_S;
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct aws_credentials credentials = { .key_id = str_from_c(vectors[i].key_id),
                                                     .secret = str_from_c(vectors[i].secret),
                                                     .token = str_from_c(vectors[i].token) };
        struct str text = aws_msk_token_text(&credentials, vectors[i].region, time_us, arena);

        TEST_CASE(vectors[i].region);
        CHECK_STR(text, vectors[i].encoded);
        CHECK_STR(decode(text, arena), vectors[i].text);
    }
    arena_destroy(arena);
}

/* A container's credentials that expire after `life_s` seconds; 0: never. */
static void give_credentials(struct world *world, struct world_answer *answers, int64_t life_s,
                             char answer[static 300])
{
    char expiry[CLOCK_TEXT_SIZE];

    clock_format(clock_now_us() + life_s * US_PER_S, expiry);
    (void)snprintf(answer, 300,
                   WORLD_JSON("{\"AccessKeyId\":\"KEY\",\"SecretAccessKey\":\"s\"%s%s%s}"),
                   life_s ? ",\"Expiration\":\"" : "", life_s ? expiry : "", life_s ? "\"" : "");
    answers[0] = (struct world_answer){ "GET /", answer };
    answers[1] = (struct world_answer){ NULL, NULL };
    world_init(world, answers);
    world_set(world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "%U/");
    world_set(world, "AWS_REGION", "eu-west-1");
    world_set(world, "AWS_EC2_METADATA_DISABLED", "true");
}

static void a_token_ends_with_its_credentials(void)
{
    static const struct {
        int64_t life_s;
        int64_t token_s;
    } cases[] = { { 0, LIFE_S }, { 3600, LIFE_S }, { 300, 300 } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct aws_msk_options options = { .deadline_us =
                                                     clock_monotonic_us() + 30 * US_PER_S };
        struct world_answer answers[2];
        struct arena *arena = arena_create();
        struct aws_session *session;
        struct aws_msk_token token;
        struct error err = { 0 };
        struct world world;
        char answer[300];

        give_credentials(&world, answers, cases[i].life_s, answer);
        CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &session, &err));

        int64_t before_us = clock_now_us();

        CHECK(aws_msk_token(session, &options, arena, &token, &err));
        CHECK(token.expires_us > before_us);
        CHECK(token.expires_us >= before_us + (cases[i].token_s - 20) * US_PER_S);
        CHECK(token.expires_us <= clock_now_us() + cases[i].token_s * US_PER_S);
        CHECK(str_starts_with(decode(token.text, arena),
                              STR("https://kafka.eu-west-1.amazonaws.com/?Action=")));

        /* A refused token makes the session ask for new credentials. */
        struct aws_msk_token next;

        aws_msk_token_reject(session, &token);
        CHECK(aws_msk_token(session, &options, arena, &next, &err));
        CHECK(next.number > token.number);
        aws_session_destroy(session);
        world_done(&world);
        arena_destroy(arena);
    }
}

static void without_region_or_credentials_there_is_no_token(void)
{
    static const struct {
        const char *name;
        const char *variable;
        const char *region;
        int64_t life_s;
        enum err_code code;
        const char *text;
    } cases[] = {
        { "no region", "AWS_REGION", "", 0, ERR_CONFIG,
          "no AWS region: set aws.region or AWS_REGION" },
        { "no name of a region", "X", "EU", 0, ERR_CONFIG, "region: \"EU\" is none" },
        { "no credentials", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "eu-west-2", 0, ERR_UNREACHABLE,
          "no AWS credentials in the environment, the profile \"default\", web identity, "
          "container or instance metadata" },
        { "expired", "X", "eu-west-2", -60, ERR_UNREACHABLE, "the AWS credentials have expired" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct aws_msk_options options = { .region = cases[i].region,
                                                 .deadline_us =
                                                     clock_monotonic_us() + 30 * US_PER_S };
        struct world_answer answers[2];
        struct arena *arena = arena_create();
        struct aws_session *session;
        struct aws_msk_token token;
        struct error err = { 0 };
        struct world world;
        char answer[300];

        TEST_CASE(cases[i].name);
        give_credentials(&world, answers, cases[i].life_s, answer);
        world_set(&world, cases[i].variable, "");
        CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &session, &err));
        CHECK(!aws_msk_token(session, &options, arena, &token, &err));
        CHECK_INT(err.code, cases[i].code);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        aws_session_destroy(session);
        world_done(&world);
        arena_destroy(arena);
    }
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(a_token_is_a_presigned_url);
    RUN(a_token_ends_with_its_credentials);
    RUN(without_region_or_credentials_there_is_no_token);
    return test_end();
}
