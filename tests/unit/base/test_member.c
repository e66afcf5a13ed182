/*
 * test_member.c - claims about base/member.h.
 */
#include "base/member.h"

#include "base/attr.h"
#include "tests/unit/test.h"

enum { TEXT_MAX = 1024 };

static void writes_members(void)
{
    static const struct {
        const char *name;
        struct str text;
        const char *member;
        const char *bytes;
    } cases[] = {
        { "plain", STR_INIT("a"), ",\"m\":\"a\"", ",\"m\":\"a\"" },
        { "quotes", STR_INIT("a\"\n"), ",\"m\":\"a\\\"\\n\"", ",\"m\":\"a\\\"\\n\"" },
        { "a NUL", STR_INIT("a\0b"), ",\"m\":\"a\\u0000b\"", ",\"m\":\"a\\u0000b\"" },
        { "empty", STR_INIT(""), ",\"m\":\"\"", ",\"m\":\"\"" },
        { "none", { NULL, 0 }, ",\"m\":null", ",\"m\":\"\"" },
        { "no UTF-8", STR_INIT("\xff\xfe"), ",\"m\":null", ",\"m_base64\":\"//4=\"" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;

        TEST_CASE(cases[i].name);
        buf_init(&out, TEXT_MAX);
        member_text(&out, "m", cases[i].text);
        CHECK_STR(buf_str(&out), cases[i].member);
        buf_clear(&out);
        member_bytes(&out, "m", cases[i].text);
        CHECK_STR(buf_str(&out), cases[i].bytes);
        buf_done(&out);
    }
}

static void writes_times_numbers_and_json(void)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    buf_add_char(&out, '{');
    member_time(&out, "t", 1705314600123456);
    member_time(&out, "u", 0);
    member_json(&out, "j", STR("[1]"));
    member_json(&out, "k", STR_NONE);
    member_int(&out, "n", INT64_MIN);
    member_bool(&out, "b", true);
    member_bool(&out, "c", false);
    member_open(&out, "o", '{');
    member_int(&out, "p", 1);
    CHECK_STR(buf_str(&out),
              "{\"t\":\"2024-01-15T10:30:00.123456Z\",\"u\":null,\"j\":[1],\"k\":null,"
              "\"n\":-9223372036854775808,\"b\":true,\"c\":false,\"o\":{\"p\":1");
    buf_done(&out);
}

int main(void)
{
    RUN(writes_members);
    RUN(writes_times_numbers_and_json);
    return test_end();
}
