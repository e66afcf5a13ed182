/*
 * test_regex_can_match.c - which patterns match no text.
 */
#include "base/regex.h"
#include "tests/unit/test.h"

static void check_all(const char *const *patterns, size_t count, bool can)
{
    for (size_t i = 0; i < count; i++) {
        struct regex *regex = NULL;
        struct error err = { 0 };

        TEST_CASE(patterns[i]);
        CHECK(regex_create_capturing(str_from_c(patterns[i]), &regex, &err));
        CHECK_INT(regex_can_match(str_from_c(patterns[i])), can);
        regex_destroy(regex);
    }
}

static void what_matches_no_text_is_found(void)
{
    static const char *const patterns[] = {
        "[]",      "a[]b",      "[]+",       "[]{2}",     "([])",         "a^b",
        "a^",      "$a",        "a$b",       "(a|b)^c",   "(?:a^|$b)",    "a+^",
        "(^a){2}", "(^a){2,}",  "(a$){2,3}", "(a$)+b",    "(?<n>[])",     "a(?=^)",
        "(?=[])",  "(?<=[])",   "(?=a^)",    "$(?=a)",    "\\d^",         "\\u{1F600}^",
        "[^]^",    "[a\\]b]^",  "[\\]]^",    "\xC3\xA9^", "(\xC3\xA9)+^", "((((a))))^",
        "a{1}^",   "a{60000}^", "{^",        "a?b^",      "(a|)b^",       "(?:a{2}?)^",
    };

    check_all(patterns, COUNT_OF(patterns), false);
}

static void what_may_match_is_left_alone(void)
{
    static const char *const patterns[] = {
        "",        "a",          "[^]",        "[]?",          "[]*",
        "[]{0}",   "[]{0,2}",    "a|[]",       "^a$",          "^^a$$",
        "^$",      "$^",         "a*^",        "a?^b",         "(a|)^b",
        "a{0}^",   "a{0,}^",     "$a?",        "$a*b?",        "(^a|b)",
        "(^a)?b",  "(^a|b){2}",  "(^|,)a",     "a($|,)",       "(a$)?b",
        "a(?!^)",  "(?![])",     "(?<![])",    "(?=$)",        "a(?=$)",
        "(?<=^)a", "\\b^",       "\\B^",       "(a?)\\1^",     "(?<n>a?)\\k<n>^",
        "(a*)+^",  "(a?)+^b",    "[^a]$",      "\\^a",         "a\\^",
        "a[$^]b",  "\xC3\xA9*^", "\xC3\xA9?^", "(\xC3\xA9|)^", "a{,2}",
        "x{",      "^.*?$",      "(?:a{0}?)^",
    };

    check_all(patterns, COUNT_OF(patterns), true);
}

int main(void)
{
    RUN(what_matches_no_text_is_found);
    RUN(what_may_match_is_left_alone);
    return test_end();
}
