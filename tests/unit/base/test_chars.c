/*
 * test_chars.c - claims about base/chars.h.
 */
#include "base/chars.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void numbers_are_read_up_to_a_maximum(void)
{
    static const struct {
        const char *text;
        int64_t max;
        int64_t number; /* -1: none */
        const char *rest;
    } cases[] = {
        { "0", 0, 0, "" },
        { "12", 12, 12, "" },
        { "13", 12, -1, "13" },
        { "12x", 99, 12, "x" },
        { "007", 7, 7, "" },
        { "5", 4, -1, "5" },
        { "10", 9, -1, "10" },
        { "", 9, -1, "" },
        { "-1", 9, -1, "-1" },
        { "+1", 9, -1, "+1" },
        { " 1", 9, -1, " 1" },
        { "9223372036854775807", INT64_MAX, INT64_MAX, "" },
        { "9223372036854775808", INT64_MAX, -1, "9223372036854775808" },
        { "99999999999999999999", INT64_MAX, -1, "99999999999999999999" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str text = str_from_c(cases[i].text);
        bool is_whole = cases[i].number >= 0 && !*cases[i].rest;
        int64_t number = -1;

        TEST_CASE(cases[i].text);
        CHECK_INT(take_number(&text, cases[i].max, &number), cases[i].number >= 0);
        CHECK_INT(number, cases[i].number);
        CHECK_STR(text, cases[i].rest);
        number = -1;
        CHECK_INT(whole_number(str_from_c(cases[i].text), cases[i].max, &number), is_whole);
        CHECK_INT(number, is_whole ? cases[i].number : -1);
    }
    CHECK(!whole_number(STR_NONE, 9, &(int64_t){ 0 }));
}

int main(void)
{
    RUN(numbers_are_read_up_to_a_maximum);
    return test_end();
}
