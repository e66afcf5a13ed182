/*
 * test_credentials.c - claims about aws/credentials.h: what answers with credentials may look like.
 */
#include "aws/credentials.h"

#include "base/memory.h"
#include "tests/unit/test.h"

static const struct aws_credentials_names names = { "Token", "Expiration" };

#define KEYS "\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cr3t/+=\""

static void good_answers_are_read(void)
{
    static const struct {
        const char *text;
        const char *token;
        int64_t expires_s;
    } cases[] = {
        { "{" KEYS "}", "", 0 },
        { "{" KEYS ",\"Token\":\"t\"}", "t", 0 },
        { "{" KEYS ",\"Token\":\"\"}", "", 0 },
        { "{" KEYS ",\"Token\":null,\"Expiration\":null}", "", 0 },
        { "{" KEYS ",\"Token\":\"t\",\"Expiration\":\"2026-11-25T18:00:00Z\"}", "t", 1795629600 },
        { "{" KEYS ",\"Expiration\":1795629600.0}", "", 1795629600 },
        { "{" KEYS ",\"Expiration\":1795629600}", "", 1795629600 },
        { "{" KEYS ",\"SessionToken\":\"of another kind\",\"More\":[1]}", "", 0 },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_credentials found = { 0 };
        struct json_object *json;
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        CHECK(json_read_in(arena, str_from_c(cases[i].text), NULL, &json, &err));
        CHECK(aws_credentials_from_json(json, &names, &found, &err));
        CHECK_STR(found.key_id, "AKID");
        CHECK_STR(found.secret, "s3cr3t/+=");
        CHECK_STR(found.token, cases[i].token);
        CHECK_INT(found.expires_us, cases[i].expires_s * 1000000);
        aws_credentials_done(&found);
        CHECK(found.secret.ptr == NULL);
    }
    arena_destroy(arena);
}

static void bad_answers_are_refused(void)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        { "[]", "expected an object with credentials" },
        { "null", "expected an object with credentials" },
        { "{}", "AccessKeyId: expected a text" },
        { "{\"AccessKeyId\":\"a\"}", "SecretAccessKey: expected a text" },
        { "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"s\"}", "AccessKeyId: expected a text" },
        { "{\"AccessKeyId\":1,\"SecretAccessKey\":\"s\"}", "AccessKeyId: expected a text" },
        { "{\"AccessKeyId\":\"a\\r\\nX: y\",\"SecretAccessKey\":\"s\"}",
          "AccessKeyId: expected printable ASCII" },
        { "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\xC3\xA4\"}",
          "SecretAccessKey: expected printable ASCII" },
        { "{" KEYS ",\"Token\":7}", "Token: expected a text" },
        { "{" KEYS ",\"Token\":\"a b\"}", "Token: expected printable ASCII" },
        { "{" KEYS ",\"Expiration\":\"soon\"}", "Expiration: expected a time" },
        { "{" KEYS ",\"Expiration\":-1}", "Expiration: expected a time" },
        { "{" KEYS ",\"Expiration\":1e300}", "Expiration: expected a time" },
        { "{" KEYS ",\"Expiration\":true}", "Expiration: expected a time" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_credentials found = { 0 };
        struct json_object *json;
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        CHECK(json_read_in(arena, str_from_c(cases[i].text), NULL, &json, &err));
        CHECK(!aws_credentials_from_json(json, &names, &found, &err));
        CHECK_INT(err.code, ERR_INVALID);
        CHECK_STR(str_from_c(err.text), cases[i].error);
        CHECK(found.secret.ptr == NULL);
    }
    arena_destroy(arena);
}

static void a_copy_is_its_own(void)
{
    struct aws_credentials one = { .key_id = { mem_copy("a", 1), 1 },
                                   .secret = { mem_copy("b", 1), 1 },
                                   .expires_us = 7 };
    struct aws_credentials two = aws_credentials_copy(&one);

    aws_credentials_done(&one);
    CHECK_STR(two.key_id, "a");
    CHECK_STR(two.secret, "b");
    CHECK(two.token.len == 0);
    CHECK_INT(two.expires_us, 7);
    aws_credentials_done(&two);
}

static void times_of_expiration_are_read(void)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-25T18:00:00Z", 1795629600 },
        { "2026-11-25T18:00:00.123Z", 1795629600 },
        { "2026-11-25t18:00:00z", 1795629600 },
        { "2026-11-25T19:00:00+01:00", 1795629600 },
        { "2026-11-25T18:00:00+0000", 1795629600 },
        { "2026-11-25T12:30:00-0530", 1795629600 },
        { "2026-11-25T12:30:00-05:30", 1795629600 },
        { "9999-12-31T23:59:59Z", 253402300799 },
        { "2023-02-29T00:00:00Z", -1 },
        { "2026-01-01T24:00:00Z", -1 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2026-01-01", -1 },
        { "2026-01-01T00:00:00", -1 },
        { "2026-01-01T00:00:00.Z", -1 },
        { "2026-01-01T00:00:00ZZ", -1 },
        { "2026-01-01T00:00:00+25:00", -1 },
        { "2026-01-01T00:00:00+2500", -1 },
        { "2026-01-01 00:00:00Z", -1 },
        { "2026-1-1T00:00:00Z", -1 },
        { "", -1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct str text = arena_printf(arena, "{" KEYS ",\"Expiration\":\"%s\"}", cases[i].text);
        struct aws_credentials out = { .expires_us = -1000000 };
        struct json_object *json;
        struct error err;

        TEST_CASE(cases[i].text);
        CHECK(json_read_in(arena, text, NULL, &json, &err));
        CHECK(aws_credentials_from_json(json, &names, &out, &err) == (cases[i].seconds >= 0));
        CHECK_INT(out.expires_us / 1000000, cases[i].seconds);
        aws_credentials_done(&out);
        arena_destroy(arena);
    }
}

static void secrets_leave_no_trace_in_a_tree(void)
{
    struct arena *arena = arena_create();
    struct json_object *json;
    struct error err;
    static const char text[] = "{\"a\":\"secret\",\"b\":[{\"c\":\"a secret that is rather long, "
                               "so that it lies elsewhere\"},7,null]}";

    CHECK(json_read_in(arena, str_from_c(text), NULL, &json, &err));
    aws_credentials_wipe_json(json);
    CHECK(json_find_str(json, "a").len == 6);
    CHECK(memchr(json_find_str(json, "a").ptr, 's', 6) == NULL);
    aws_credentials_wipe_json(NULL);
    arena_destroy(arena);
}

int main(void)
{
    RUN(good_answers_are_read);
    RUN(bad_answers_are_refused);
    RUN(a_copy_is_its_own);
    RUN(times_of_expiration_are_read);
    RUN(secrets_leave_no_trace_in_a_tree);
    return test_end();
}
