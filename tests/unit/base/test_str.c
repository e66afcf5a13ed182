/*
 * test_str.c - claims about base/str.h; globs are compared with a slow, obvious matcher.
 */
#include "base/str.h"

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/test.h"

static void compares_bytes(void)
{
    CHECK(str_equal(STR("a\0b"), STR("a\0b")));
    CHECK(!str_equal(STR("a\0b"), STR("a\0c")));
    CHECK(str_equal(STR_NONE, STR("")));
    CHECK(str_starts_with(STR("abc"), STR("")) && str_starts_with(STR("abc"), STR("abc")));
    CHECK(!str_starts_with(STR("abc"), STR("abcd")) && !str_starts_with(STR_NONE, STR("a")));
    CHECK(str_ends_with(STR("abc"), STR("bc")) && str_ends_with(STR_NONE, STR_NONE));
    CHECK(!str_ends_with(STR("abc"), STR("xabc")));
    CHECK_STR(str_from(STR("abc"), 1), "bc");
    CHECK_STR(str_from(STR("abc"), 3), "");
    CHECK_STR(str_from(STR("abc"), 99), "");
    CHECK_STR(str_from_c(NULL), "");
}

static void trims_spaces_and_tabs_only(void)
{
    static const struct {
        const char *text;
        const char *trimmed;
    } cases[] = {
        { "", "" },
        { " ", "" },
        { " \t \t", "" },
        { "a", "a" },
        { " a\t", "a" },
        { "\ta b ", "a b" },
        { "\na\n", "\na\n" },
        { "a\r ", "a\r" },
        { "\xC2\xA0"
          "a",
          "\xC2\xA0"
          "a" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].text);
        CHECK_STR(str_trim(str_from_c(cases[i].text)), cases[i].trimmed);
    }
    CHECK_STR(str_trim(STR_NONE), "");
}

static void ignores_the_case_of_ascii_letters_only(void)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        { "", "", true },
        { "abcXYZ", "ABCxyz", true },
        { "a", "b", false },
        { "a", "aa", false },
        { "[", "{", false },
        { "@", "`", false },
        { "\xC3\x89", "\xC3\xA9", false },
        { "Z", "z", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].a);
        CHECK(str_equal_ignore_case(str_from_c(cases[i].a), str_from_c(cases[i].b)) ==
              cases[i].equal);
    }
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void orders_by_bytes_a_prefix_first(void)
{
    static const char *const ordered[] = { "", "A", "a", "aa", "ab", "b", "\x7f", "\xC3\xA9" };

    for (size_t i = 0; i < COUNT_OF(ordered); i++)
        for (size_t j = 0; j < COUNT_OF(ordered); j++)
            CHECK_INT(sign(str_compare(str_from_c(ordered[i]), str_from_c(ordered[j]))),
                      sign((int)i - (int)j));
    CHECK(str_compare(STR("a"), STR("a\0")) < 0);
    CHECK_INT(str_compare(STR_NONE, STR("")), 0);
}

/* The text after its first character. */
static struct str rest(struct str s)
{
    size_t len = 1;

    while (len < s.len && ((unsigned char)s.ptr[len] & 0xC0) == 0x80)
        len++;
    return (struct str){ s.ptr + len, s.len - len };
}

/* What str_matches_glob() means, in exponential time. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool matches(struct str s, struct str glob)
{
    if (glob.len == 0)
        return s.len == 0;
    if (glob.ptr[0] == '*')
        return matches(s, rest(glob)) || (s.len > 0 && matches(rest(s), glob));
    if (s.len == 0)
        return false;
    if (glob.ptr[0] == '?')
        return matches(rest(s), rest(glob));
    return s.ptr[0] == glob.ptr[0] && matches((struct str){ s.ptr + 1, s.len - 1 },
                                              (struct str){ glob.ptr + 1, glob.len - 1 });
}

/* Word `number` over `letters`, all lengths in turn; its length in bytes. */
static size_t word(size_t number, const char *const *letters, size_t count, char *to)
{
    size_t len = 0;

    while (number > 0) {
        size_t letter_len = strlen(letters[(number - 1) % count]);

        memcpy(to + len, letters[(number - 1) % count], letter_len);
        len += letter_len;
        number = (number - 1) / count;
    }
    return len;
}

static void globs_agree_with_the_slow_matcher(void)
{
    static const char *const letters[] = { "a", "b", "\xC3\xA9" };
    static const char *const signs[] = { "a", "\xC3\xA9", "*", "?" };
    size_t wrong = 0;

    for (size_t i = 0; i <= 363; i++) {      /* up to five letters */
        for (size_t j = 0; j <= 1364; j++) { /* up to five signs */
            char text[16];
            char glob[16];
            struct str s = { text, word(i, letters, COUNT_OF(letters), text) };
            struct str g = { glob, word(j, signs, COUNT_OF(signs), glob) };

            wrong += str_matches_glob(s, g) != matches(s, g);
        }
    }
    CHECK_INT((int64_t)wrong, 0);
}

static void knows_only_star_and_question_mark(void)
{
    static const struct {
        const char *text;
        const char *glob;
        bool match;
    } cases[] = {
        { "", "", true },
        { "", "*", true },
        { "", "?", false },
        { "a", "", false },
        { "genesyscloud", "genesys*", true },
        { "Genesyscloud", "genesys*", false },
        { "interaction.started", "interaction.*", true },
        { "interactionXstarted", "interaction.*", false },
        { "a{id}b", "a{id}b", true },
        { "a[b]", "a[b]", true },
        { "ab", "a[b]", false },
        { "a\\b", "a\\b", true },
        { "*", "\\*", false },
        { "\xF0\x9F\x98\x80", "?", true },
        { "\xF0\x9F\x98\x80", "??", false },
        { "a\nb", "a?b", true },
        { "aXbXc", "*X*X*", true },
        { "aXbc", "*X*X*", false },
        { "***", "***", true },
        { "x", "**********", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].glob);
        CHECK(str_matches_glob(str_from_c(cases[i].text), str_from_c(cases[i].glob)) ==
              cases[i].match);
    }
    CHECK(str_matches_glob(STR("a\0b"), STR("a?b")));
    CHECK(!str_matches_glob(STR("a\0b"), STR("a")));
}

static void hostile_texts_do_not_explode(void)
{
    enum { LEN = 20000 };
    char *text = mem_alloc(LEN);

    memset(text, 'a', LEN);
    CHECK(!str_matches_glob((struct str){ text, LEN }, STR("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")));
    CHECK(!str_matches_glob((struct str){ text, LEN }, STR("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    memset(text, 0x80, LEN); /* continuation bytes without a lead */
    CHECK(str_matches_glob((struct str){ text, LEN }, STR("?")));
    mem_free(text);
}

int main(void)
{
    RUN(compares_bytes);
    RUN(trims_spaces_and_tabs_only);
    RUN(ignores_the_case_of_ascii_letters_only);
    RUN(orders_by_bytes_a_prefix_first);
    RUN(globs_agree_with_the_slow_matcher);
    RUN(knows_only_star_and_question_mark);
    RUN(hostile_texts_do_not_explode);
    return test_end();
}
