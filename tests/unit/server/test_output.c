/*
 * test_output.c - claims about server/output.h.
 */
#include "server/output.h"

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
        output_text(&out, "m", cases[i].text);
        CHECK_STR(buf_str(&out), cases[i].member);
        buf_clear(&out);
        output_bytes(&out, "m", cases[i].text);
        CHECK_STR(buf_str(&out), cases[i].bytes);
        buf_done(&out);
    }
}

static void writes_times_and_json(void)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    buf_add_char(&out, '{');
    output_time(&out, "t", 1705314600123456);
    output_time(&out, "u", 0);
    output_json(&out, "j", STR("[1]"));
    output_json(&out, "k", STR_NONE);
    CHECK_STR(buf_str(&out),
              "{\"t\":\"2024-01-15T10:30:00.123456Z\",\"u\":null,\"j\":[1],\"k\":null");
    buf_done(&out);
}

static void writes_columns(void)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    output_column(&out, STR("ab"), 4);
    output_column(&out, STR_NONE, 2);
    output_column(&out, STR("abc"), 1);
    output_time_column(&out, 1705314600123456);
    output_time_column(&out, 0);
    CHECK_STR(buf_str(&out), "ab   -  abc 2024-01-15T10:30:00Z                      ");
    buf_done(&out);
}

int main(void)
{
    RUN(writes_members);
    RUN(writes_times_and_json);
    RUN(writes_columns);
    return test_end();
}
