/*
 * test_letters.c - lower and upper case, and what is UTF-8.
 */
#include "base/utf8.h"

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
        utf8_lower(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].lower);
        buf_clear(&out);
        utf8_upper(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].upper);
        buf_done(&out);
    }
}

static void knows_utf8(void)
{
    CHECK(utf8_is_valid(STR("")));
    CHECK(utf8_is_valid(STR("a\0b")));
    CHECK(utf8_is_valid(STR("ä日\xf0\x9f\x98\x80")));
    CHECK(!utf8_is_valid(STR("a\xff")));
    CHECK(!utf8_is_valid(STR("\xc3")));
    CHECK(!utf8_is_valid(STR("\xc0\x80")));
    CHECK(!utf8_is_valid(STR("\xed\xa0\x80")));
}

static void knows_what_is_printable(void)
{
    static const uint32_t printable[] = { ' ', '~', 0xA1, 0x377, 0x4E2D, 0xFFFD, 0x1F600, 0x2FA1D };
    static const uint32_t others[] = { 0,      0x1F,   0x7F,    0x80,    0xA0,   0xAD,
                                       0x378,  0x200B, 0x2028,  0x3000,  0xD800, 0xE000,
                                       0xFEFF, 0xFFFF, 0xE0001, 0x10FFFF };

    for (size_t i = 0; i < COUNT_OF(printable); i++)
        CHECK(utf8_is_printable(printable[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        CHECK(!utf8_is_printable(others[i]));
}

int main(void)
{
    RUN(knows_what_is_printable);
    RUN(converts_case);
    RUN(knows_utf8);
    return test_end();
}
