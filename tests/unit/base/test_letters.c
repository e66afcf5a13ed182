/*
 * test_letters.c - lower and upper case, and what is UTF-8.
 */
#include "base/letters.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void converts_case(void)
{
    static const struct {
        const char *text;
        const char *lower;
        const char *upper;
    } cases[] = {
        { "", "", "" },
        { "VOICE", "voice", "VOICE" },
        { "eMail-1_[`{", "email-1_[`{", "EMAIL-1_[`{" },
        { "ÄÖÜ straße", "äöü straße", "ÄÖÜ STRASSE" },
        { "ΟΔΟΣ", "οδος", "ΟΔΟΣ" },
        { "Привет", "привет", "ПРИВЕТ" },
        { "I", "i", "I" },
        { "İ", "i̇", "İ" },
        { "日本", "日本", "日本" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;

        TEST_CASE(cases[i].text);
        buf_init(&out, 1000);
        letters_lower(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].lower);
        buf_clear(&out);
        letters_upper(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].upper);
        buf_done(&out);
    }
}

static void knows_utf8(void)
{
    CHECK(letters_valid(STR("")));
    CHECK(letters_valid(STR("a\0b")));
    CHECK(letters_valid(STR("ä日\xf0\x9f\x98\x80")));
    CHECK(!letters_valid(STR("a\xff")));
    CHECK(!letters_valid(STR("\xc3")));
    CHECK(!letters_valid(STR("\xc0\x80")));
    CHECK(!letters_valid(STR("\xed\xa0\x80")));
}

int main(void)
{
    RUN(converts_case);
    RUN(knows_utf8);
    return test_end();
}
