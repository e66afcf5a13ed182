/*
 * test_regex.c - ECMA-262's meaning of patterns, what is refused and where, and the limits.
 */
#include "base/regex.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "tests/unit/test.h"
#include "tests/unit/without_jit.h"

/* With ThreadSanitizer long texts come to the limit of time before any other. */
#ifdef __SANITIZE_THREAD__
enum { SLOW_BUILD = 1 };
#else
enum { SLOW_BUILD = 0 };
#endif

struct search_case {
    const char *pattern;
    const char *text;
    bool matches;
};

static void check_searches(const struct search_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct regex *regex = NULL;
        struct error err = { 0 };

        TEST_CASE(cases[i].pattern);
        CHECK(regex_is_ecma(str_from_c(cases[i].pattern)));
        CHECK(regex_create(str_from_c(cases[i].pattern), &regex, &err));
        CHECK_STR(str_from_c(err.text), "");
        if (regex)
            CHECK_INT(regex_search(regex, str_from_c(cases[i].text), NULL),
                      cases[i].matches ? REGEX_MATCH : REGEX_NO_MATCH);
        regex_destroy(regex);
    }
}

static void plain_text_matches_as_a_pattern_would(void)
{
    static const struct search_case cases[] = {
        { "", "", true },
        { "", "abc", true },
        { "^", "abc", true },
        { "$", "abc", true },
        { "^$", "", true },
        { "^$", "a", false },
        { "abc", "xxabcxx", true },
        { "abc", "xxabxcx", false },
        { "^abc", "abcd", true },
        { "^abc", "xabc", false },
        { "abc$", "xabc", true },
        { "abc$", "abcx", false },
        { "abc$", "abc\n", false },
        { "^abc$", "abc", true },
        { "^abc$", "abcd", false },
        { "^abc$", "ab", false },
        { "\\.json$", "a.json", true },
        { "\\.json$", "ajson", false },
        { "^x-.*", "x-\n", true },
        { "^x-.*", "y-", false },
        { ".*", "\n", true },
        { "^.*$", "a\nb", false },
        { "^\xC3\xA1$", "\xC3\xA1", true },
        { "a/b", "a/b", true },
        { "a\\/b", "a/b", true },
        { "a-b_c", "a-b_c", true },
    };

    check_searches(cases, COUNT_OF(cases));
}

static const struct search_case escapes[] = {
    { "^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", true },
    { "^\\cC$", "\x03", true },
    { "^\\cc$", "\x03", true },
    { "^\\x41\\u0042\\u{43}\\u{000044}$", "ABCD", true },
    { "^\\uD83D\\uDE00$", "\xF0\x9F\x98\x80", true },
    { "^\\u{1F600}$", "\xF0\x9F\x98\x80", true },
    { "^.$", "\xF0\x9F\x98\x80", true },
    { "^[\\uD800-\\uDFFF]$", "a", false },
    { "^[^\\uD800-\\uDFFF]$", "a", true },
    { "\\uD83D", "\xF0\x9F\x98\x80", false },
    { "^\\0", "a", false },
    { "^a.b$", "a\nb", false },
    { "^a.b$", "a\rb", false },
    { "^a.b$",
      "a\xE2\x80\xA8"
      "b",
      false },
    { "^a.b$",
      "a\xE2\x80\xA9"
      "b",
      false },
    { "^a.b$",
      "a\xC2\x85"
      "b",
      true },
    { "^a.b$", "a\vb", true },
    { "^\\d$", "7", true },
    { "^\\d$", "\xDF\x80", false },
    { "^\\D$", "\xDF\x80", true },
    { "^\\w$", "_", true },
    { "^\\w$", "\xC3\xA9", false },
    { "^\\W$", "\xC3\xA9", true },
    { "^\\s$", "\xEF\xBB\xBF", true },
    { "^\\s$", "\xC2\xA0", true },
    { "^\\s$", "\xE2\x80\x83", true },
    { "^\\s$", "\xE2\x80\x8B", false },
    { "^\\s$", "\xC2\x85", false },
    { "^\\S$", "\xC2\x85", true },
    { "^\\S$", "\xE3\x80\x80", false },
    { "^[\\s]$", "\xE2\x80\xAF", true },
    { "^[\\S]$", "\xE2\x80\xAF", false },
    { "^[\\S]$", "\xF0\x9F\x98\x80", true },
    { "^[^\\S]$", "\xE2\x80\xAF", true },
    { "^[\\s\\S]$", "\n", true },
    { "\\bfoo\\b", "a foo b", true },
    { "\\bfoo\\b", "afoob", false },
    { "\xC3\xA9\\bfoo",
      "\xC3\xA9"
      "foo",
      true },
    { "a\\Bb", "ab", true },
    { "^abc$", "abc\n", false },
    { "^b", "a\nb", false },
    { "a$", "a\nb", false },
    { "\\(\\)\\[\\]\\{\\}\\*\\+\\?\\^\\$\\|\\\\\\.\\/\\-", "()[]{}*+?^$|\\./-", true },
    { "\\@\\#\\ \\_x", "@# _x", true },
};

static void characters_and_escapes_mean_what_ecma_says(void)
{
    check_searches(escapes, COUNT_OF(escapes));
}

static void classes_mean_what_ecma_says(void)
{
    static const struct search_case cases[] = {
        { "[]", "", false },
        { "[]", "a", false },
        { "a[]*b", "ab", true },
        { "^[^]$", "\n", true },
        { "^[^]]", "a]", true },
        { "^[a-c]+$", "abc", true },
        { "^[\\w-]+$", "a-b", true },
        { "^[\\w-.]+$", "a-b.", true },
        { "^[\\w-.]+$", "a+b", false },
        { "^[+--]+$", "+,-", true },
        { "^[-a]+$", "a-", true },
        { "^[a-]+$", "a-", true },
        { "^[a\\-z]+$", "b", false },
        { "^[\\b]$", "\b", true },
        { "^[[]$", "[", true },
        { "^[&&]$", "&", true },
        { "^[[:alpha:]]$", ":]", true },
        { "^[.*+?(){}|^$]+$", ".*+?(){}|^$", true },
        { "^[\\]\\\\]+$", "]\\", true },
        { "^[\xC3\xA0-\xC3\xBF]$", "\xC3\xA9", true },
        { "^[\\u{1F600}-\\u{1F64F}]$", "\xF0\x9F\x98\x80", true },
        { "^[\\D]$", "a", true },
        { "^[^\\d]$", "5", false },
        { "^[\\p{Lu}\\d]+$", "A1", true },
        { "^[\\P{Lu}]+$", "a1", true },
        { "^[\\cA]$", "\x01", true },
        { "^[\\/]$", "/", true },
        { "^[#-]$", "-", true },
    };

    check_searches(cases, COUNT_OF(cases));
}

static void unicode_properties_go_by_their_ecma_names(void)
{
    static const struct search_case cases[] = {
        { "^\\p{Letter}+$", "a\xCF\x80", true },
        { "^\\p{Letter}+$", "1", false },
        { "^\\p{L}+$", "a\xCF\x80", true },
        { "^\\P{L}+$", "123", true },
        { "^\\p{digit}+$", "42", true },
        { "^\\p{digit}+$", "\xE0\xA7\xAA\xE0\xA7\xA8", true },
        { "^\\p{Nd}$", "4", true },
        { "^\\p{punct}$", "!", true },
        { "^\\p{cntrl}$", "\x01", true },
        { "^\\p{LC}$", "a", true },
        { "^\\p{Cased_Letter}$", "1", false },
        { "^\\p{gc=Lu}$", "A", true },
        { "^\\p{General_Category=Uppercase_Letter}$", "a", false },
        { "^\\p{Script=Greek}$", "\xCF\x80", true },
        { "^\\p{sc=Grek}$", "\xCF\x80", true },
        { "^\\p{Script_Extensions=Greek}$", "\xCF\x80", true },
        { "^\\p{scx=Old_Italic}$", "a", false },
        { "^\\p{Alphabetic}$", "a", true },
        { "^\\p{Alpha}$", "1", false },
        { "^\\p{White_Space}$", " ", true },
        { "^\\p{Emoji}$", "\xF0\x9F\x98\x80", true },
        { "^\\p{ASCII}$", "\xC3\xA9", false },
        { "^\\p{Any}$", "\xC3\xA9", true },
        { "^\\p{Assigned}$", "a", true },
        { "^\\P{Assigned}$", "a", false },
        { "^\\p{ID_Start}\\p{ID_Continue}*$", "ab1", true },
    };

    check_searches(cases, COUNT_OF(cases));
}

static void groups_and_counts_mean_what_ecma_says(void)
{
    static const struct search_case cases[] = {
        { "^(a|bc)+$", "abca", true },
        { "^(?:a|bc)+$", "abcb", false },
        { "^(?=a)ab", "ab", true },
        { "(?=a)b?a", "a", true },
        { "(?=a)[a-c]*?a$", "ba", true },
        { "(?=a)b?a", "b", false },
        { "^(?!a)", "ab", false },
        { "(?<=a)b", "ab", true },
        { "(?<!a)b", "ab", false },
        { "^(?<year>\\d{4})-\\k<year>$", "2024-2024", true },
        { "^(?<year>\\d{4})-\\k<year>$", "2024-2025", false },
        { "^(?<$\xC3\xA9_1>a)\\k<$\xC3\xA9_1>$", "aa", true },
        { "^(a)(b)\\2\\1$", "abba", true },
        { "^(a|b)?\\1{2}$", "", true },
        { "^(a|b)?\\1{2}$", "aaa", true },
        { "^(a|b)?\\1{2}$", "aa", false },
        { "^\\1+(a)$", "a", true },
        { "^\\1(a)$", "a", true },
        { "^(?:\\k<x>(?<x>a))+$", "aa", false },
        { "^(a)|b\\1$", "b", true },
        { "^a{2}$", "aa", true },
        { "^a{2,}$", "aaa", true },
        { "^a{2,3}$", "aaaa", false },
        { "^a{0}$", "", true },
        { "^a{,3}$", "a{,3}", true },
        { "^{$", "{", true },
        { "^a{$", "a{", true },
        { "^{a}$", "{a}", true },
        { "^x{1}}$", "x}", true },
        { "^]$", "]", true },
        { "^${a}$", "", false },
        { "\\$\\{[a-z]+\\}", "${abc}", true },
        { "^a*?b+?c??$", "aabbc", true },
        { "^a{1,2}?$", "aa", true },
        { "a||b", "", true },
        { "()", "", true },
        { "^(){3}$", "", true },
    };

    check_searches(cases, COUNT_OF(cases));
}

static const struct {
    const char *pattern;
    const char *why;
} refused[] = {
    { "a(b", "at byte 3: missing ')'" },
    { "^(abc]", "at byte 6: missing ')'" },
    { "a)b", "at byte 1: ')' without its '('" },
    { "ab[c", "at byte 2: class without its ']'" },
    { "[b-a]", "at byte 1: range out of order in a class" },
    { "*", "at byte 0: nothing to repeat" },
    { "a|+", "at byte 2: nothing to repeat" },
    { "^*", "at byte 1: nothing to repeat" },
    { "(?=a)*", "at byte 5: nothing to repeat" },
    { "(*UTF)a", "at byte 1: nothing to repeat" },
    { "a**", "at byte 2: nothing to repeat" },
    { "a++", "at byte 2: nothing to repeat" },
    { "a?+", "at byte 2: nothing to repeat" },
    { "a{2}{3}", "at byte 4: nothing to repeat" },
    { "{2}", "at byte 0: nothing to repeat" },
    { "a{3,2}", "at byte 1: numbers out of order in a count" },
    { "a\\", "at byte 1: nothing behind the backslash" },
    { "\\a", "at byte 0: unknown escape" },
    { "\\Aa", "at byte 0: unknown escape" },
    { "a\\Z", "at byte 1: unknown escape" },
    { "a\\z", "at byte 1: unknown escape" },
    { "\\Qa\\E", "at byte 0: unknown escape" },
    { "\\e", "at byte 0: unknown escape" },
    { "\\h", "at byte 0: unknown escape" },
    { "\\R", "at byte 0: unknown escape" },
    { "\\X", "at byte 0: unknown escape" },
    { "\\K", "at byte 0: unknown escape" },
    { "\\N", "at byte 0: unknown escape" },
    { "\\G", "at byte 0: unknown escape" },
    { "\\g{1}(a)", "at byte 0: unknown escape" },
    { "\\xg", "at byte 0: unknown escape" },
    { "\\x{41}", "at byte 0: unknown escape" },
    { "\\u12", "at byte 0: unknown escape" },
    { "\\u{110000}", "at byte 0: unknown escape" },
    { "\\u{}", "at byte 0: unknown escape" },
    { "\\c1", "at byte 0: unknown escape" },
    { "\\01", "at byte 0: unknown escape" },
    { "\\pL", "at byte 0: unknown escape" },
    { "\\p{L", "at byte 0: unknown escape" },
    { "[\\B]", "at byte 1: unknown escape" },
    { "(a)[\\1]", "at byte 4: unknown escape" },
    { "\\1", "at byte 0: reference to a group that is not there" },
    { "(a)\\2", "at byte 3: reference to a group that is not there" },
    { "\\99999999999(a)", "at byte 0: reference to a group that is not there" },
    { "\\k<a>", "at byte 0: reference to a group that is not there" },
    { "\\k", "at byte 0: unknown escape" },
    { "\\p{Foo}", "at byte 0: unknown Unicode property" },
    { "\\p{letter}", "at byte 0: unknown Unicode property" },
    { "\\p{L&}", "at byte 0: unknown escape" },
    { "\\p{Greek}", "at byte 0: unknown Unicode property" },
    { "\\p{Script=greek}", "at byte 0: unknown Unicode property" },
    { "\\p{}", "at byte 0: unknown Unicode property" },
    { "\\p{=}", "at byte 0: unknown Unicode property" },
    { "(?P<name>x)", "at byte 0: unknown kind of group" },
    { "(?P=name)", "at byte 0: unknown kind of group" },
    { "(?#comment)a", "at byte 0: unknown kind of group" },
    { "(?i)abc", "at byte 0: unknown kind of group" },
    { "a(?ims)abc", "at byte 1: unknown kind of group" },
    { "(?>a)", "at byte 0: unknown kind of group" },
    { "(?|a)", "at byte 0: unknown kind of group" },
    { "(?R)", "at byte 0: unknown kind of group" },
    { "(?'n'a)", "at byte 0: unknown kind of group" },
    { "(?<>a)", "at byte 0: group with a bad name" },
    { "(?<1>a)", "at byte 0: group with a bad name" },
    { "(?<n>a)(?<n>b)", "at byte 7: two groups of one name" },
    { "a\xFF", "at byte 1: not UTF-8" },
};

static void refuses_what_ecma_does_not_have(void)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct regex *regex = NULL;
        struct error err = { 0 };

        TEST_CASE(refused[i].pattern);
        CHECK(!regex_is_ecma(str_from_c(refused[i].pattern)));
        CHECK(!regex_create(str_from_c(refused[i].pattern), &regex, &err));
        CHECK_INT(err.code, ERR_MALFORMED);
        CHECK_STR(str_from_c(err.text), refused[i].why);
        CHECK(regex == NULL);
    }
}

/* Good ECMA that PCRE2 cannot do: a format, but no pattern. */
static void says_where_the_library_gives_up(void)
{
    static const struct {
        const char *pattern;
        const char *why; /* how it begins: the rest depends on the library's version */
    } cases[] = {
        { "x(?<=a+)b", "at byte 1: " },
        { "\\s.a{70000}", "at byte 11: number too big in {} quantifier" },
        { "((?:abcdefgh){60000}){60000}",
          "pattern of 28 bytes is too large for PCRE2, which allows 64 KiB when compiled" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regex *regex = NULL;
        struct error err = { 0 };

        TEST_CASE(cases[i].pattern);
        CHECK(regex_is_ecma(str_from_c(cases[i].pattern)));
        CHECK(!regex_create(str_from_c(cases[i].pattern), &regex, &err));
        CHECK_INT(err.code, ERR_MALFORMED);
        CHECK(str_starts_with(str_from_c(err.text), str_from_c(cases[i].why)));
        regex_destroy(regex);
    }
    CHECK(!regex_is_ecma(STR("\\p{Script=Klingonese}")));
}

static struct regex *create(const char *pattern)
{
    struct regex *regex = NULL;
    struct error err = { 0 };

    CHECK(regex_create(str_from_c(pattern), &regex, &err));
    return regex;
}

/* `count` times `part`, then `end`; the caller ends `out`. */
static struct str repeated(struct buf *out, const char *part, size_t count, const char *end)
{
    buf_init(out, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        buf_add(out, str_from_c(part));
    buf_add(out, str_from_c(end));
    return buf_str(out);
}

static void bounds_the_pattern(void)
{
    struct regex *regex = NULL;
    struct error err = { 0 };
    struct buf text;

    (void)repeated(&text, "(?:[\\u1234-\\u5678]x|\\d+y)", 2000, "");
    CHECK_INT((int64_t)text.len, 50000);
    CHECK(regex_create(buf_str(&text), &regex, &err));
    regex_destroy(regex);
    buf_done(&text);

    (void)repeated(&text, "a", 262144, "");
    CHECK(regex_create(buf_str(&text), &regex, &err));
    regex_destroy(regex);
    buf_add_char(&text, 'a');
    CHECK(!regex_create(buf_str(&text), &regex, &err));
    CHECK_STR(str_from_c(err.text), "pattern longer than 262144 bytes");
    CHECK(!regex_is_ecma(buf_str(&text)));
    buf_done(&text);

    (void)repeated(&text, "(", 251, "");
    CHECK(!regex_create(buf_str(&text), &regex, &err));
    CHECK_STR(str_from_c(err.text), "at byte 250: groups nested too deeply");
    buf_done(&text);
}

/* Words that differ, `count` of them with bars between: "w0x|w1x|..." */
static void add_words(struct buf *out, const char *begin, int count, const char *end)
{
    buf_add(out, str_from_c(begin));
    for (int i = 0; i < count; i++)
        buf_printf(out, "%sw%dx", i > 0 ? "|" : "", i);
    buf_add(out, str_from_c(end));
}

static void check_word(const struct regex *regex, int word, const char *before, const char *after,
                       enum regex_verdict verdict)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%sw%dx%s", before, word, after);
    CHECK_INT(regex_search(regex, str_from_c(text), NULL), verdict);
}

static void divides_what_is_too_large_for_the_library(void)
{
    static const struct {
        const char *begin; /* of the pattern; words follow */
        const char *end;
        const char *before; /* of texts; a word follows */
        const char *after;
        const char *other; /* in the place of `after`: no match */
        bool refused;
    } cases[] = {
        { "^(?:", ")$", "", "", "x", false },
        { "\\b(?:", ")\\b", "a ", " b", "x b", false },
        { "^a(b(?<name>", ")[)|\\]]+(?:c|d))e$", "ab", ")|]de", ")|]fe", false },
        { "^(?=x)|(?:y(", ")\\)){1}", "", "", "", true },
    };
    enum { WORDS = 12000 };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regex *regex = NULL;
        struct error err = { 0 };
        struct buf pattern;

        TEST_CASE(cases[i].begin);
        buf_init(&pattern, SIZE_MAX);
        add_words(&pattern, cases[i].begin, WORDS, cases[i].end);
        CHECK(regex_is_ecma(buf_str(&pattern)));
        CHECK(regex_create(buf_str(&pattern), &regex, &err) == !cases[i].refused);
        for (int word = 0; regex && word < WORDS; word += 1999) {
            check_word(regex, word, cases[i].before, cases[i].after, REGEX_MATCH);
            check_word(regex, word, cases[i].before, cases[i].other, REGEX_NO_MATCH);
            check_word(regex, word + WORDS, cases[i].before, cases[i].after, REGEX_NO_MATCH);
        }
        regex_destroy(regex);
        buf_done(&pattern);
    }
}

static void nul_is_a_character_like_others(void)
{
    static const char text[] = { 'a', '\0', 'b' };
    static const char pattern[] = { '^', 'a', '\0', '[', 'b', ']' };
    struct regex *escaped = create("^a\\0b$");
    struct regex *raw = NULL;
    struct error err = { 0 };

    CHECK(regex_create((struct str){ pattern, sizeof(pattern) }, &raw, &err));
    CHECK_INT(regex_search(escaped, (struct str){ text, sizeof(text) }, NULL), REGEX_MATCH);
    CHECK_INT(regex_search(raw, (struct str){ text, sizeof(text) }, NULL), REGEX_MATCH);
    CHECK_INT(regex_search(raw, (struct str){ NULL, 0 }, NULL), REGEX_NO_MATCH);
    regex_destroy(escaped);
    regex_destroy(raw);
}

/* Each of these would take from seconds to for ever. */
static void gives_up_on_what_is_too_expensive(void)
{
    static const struct {
        const char *pattern;
        const char *part;
        size_t count;
    } cases[] = {
        { "^(a+)+$", "a", 40 },          { "(a+)+$", "a", 40 },
        { "(a+)+$", "a", 5000 },         { "^(a|a)*$", "a", 60 },
        { "^([a-z]+)*\\d$", "a", 3000 }, { "(?=[a-z]*\\d).", "a", 1000000 },
        { "\\s+$", " ", 400000 },        { "^(?:[a-z]*\\d|.)*$", "a", 200000 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regex *regex = create(cases[i].pattern);
        uint64_t steps = 100000000;
        struct buf text;

        TEST_CASE(cases[i].pattern);
        CHECK_INT(regex_search(regex, repeated(&text, cases[i].part, cases[i].count, "!"), &steps),
                  REGEX_TOO_EXPENSIVE);
        CHECK(steps <= 100000000 - 100000);
        buf_done(&text);
        regex_destroy(regex);
    }
}

static void copes_with_long_texts(void)
{
    static const struct {
        const char *pattern;
        const char *part;
        size_t count;
        enum regex_verdict verdict;
    } cases[] = {
        { "^([a-z]+,)*!$", "abc,", 20000, REGEX_MATCH },
        { "^(?:[a-z]|,)*!$", "abc,", 10000, REGEX_MATCH },
        { "[0-9]", "abc,", 30000, REGEX_NO_MATCH },
        { "[^a-z,]", "abc,", 30000, REGEX_MATCH },
        { "(?<=,)!$", "abc,", 30000, REGEX_MATCH },
        { "^.*$", "\xC3\xA9", 30000, REGEX_MATCH },
        { "\xC3\xA9!|x", "\xC3\xA9", 30000, REGEX_MATCH },
        { "(?:x|y)!", "\xC3\xA9", 30000, REGEX_NO_MATCH },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regex *regex = create(cases[i].pattern);
        struct buf text;

        TEST_CASE(cases[i].pattern);
        CHECK_INT(regex_search(regex, repeated(&text, cases[i].part, cases[i].count, "!"), NULL),
                  cases[i].verdict);
        buf_done(&text);
        regex_destroy(regex);
    }
}

/* The last text of each is 150 KB long. */
static void answers_whatever_is_linear_on_the_text(void)
{
    static const struct {
        const char *pattern;
        const char *part;
        const char *end;
        enum regex_verdict verdict;
    } cases[] = {
        { "^(\\w+\\s?)+$", "hello ", "", REGEX_MATCH },
        { "^(\\w+\\s?)+$", "a ", "", REGEX_MATCH },
        { "^(?:a|b)*$", "ab", "", REGEX_MATCH },
        { "^(?:a|b)*$", "ab", "!", REGEX_NO_MATCH },
        { "^(a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p)*$", "p", "", REGEX_MATCH },
        { "^(?:\\d+\\.?){1,}$", "12.", "", REGEX_MATCH },
        { "^(?=(?:a|b)*$)(?:a|c)*", "a", "", REGEX_MATCH },
        { "^(?:(?!end)[^])*end$", "en ", "end", REGEX_MATCH },
        { "^(?:.(?<!x))*$", "ab", "x", REGEX_NO_MATCH },
        { "^(?:\xC3\xA9|\\p{L})+$", "\xC3\xA9", "", REGEX_MATCH },
        { "(?:a|b)*!$", "ab", "!", REGEX_MATCH },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct regex *regex = create(cases[i].pattern);

        TEST_CASE(cases[i].pattern);
        for (size_t bytes = 150; bytes <= 150000; bytes *= 10) {
            struct buf text;

            CHECK_INT(regex_search(regex,
                                   repeated(&text, cases[i].part, bytes / strlen(cases[i].part),
                                            cases[i].end),
                                   NULL),
                      cases[i].verdict);
            buf_done(&text);
        }
        regex_destroy(regex);
    }
}

/* Back-references need backtracking, whose memory has an end. */
static void says_so_when_memory_is_the_limit(void)
{
    struct regex *regex = create("^(?:(a|b)\\1?)*$");
    struct buf text;

    CHECK_INT(regex_search(regex, repeated(&text, "aab", 3000, ""), NULL), REGEX_MATCH);
    buf_done(&text);
    CHECK_INT(regex_search(regex, repeated(&text, "aab", 2000000, ""), NULL), REGEX_OVER_LIMIT);
    buf_done(&text);
    CHECK_INT(regex_search(regex, STR("aab"), NULL), REGEX_MATCH);
    regex_destroy(regex);
}

static void charges_what_it_spends(void)
{
    struct regex *cheap = create("^[a-z]+$");
    struct regex *plain = create("^abc$");
    struct regex *costly = create("^(a+)+$");
    struct str text = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    uint64_t steps = 1000;

    CHECK_INT(regex_search(cheap, STR("abc"), &steps), REGEX_MATCH);
    CHECK_INT(regex_search(plain, STR("abc"), &steps), REGEX_MATCH);
    CHECK(steps < 1000 && steps > 900);
    CHECK_INT(regex_search(costly, text, &steps), REGEX_TOO_EXPENSIVE);
    CHECK_INT((int64_t)steps, 0);
    CHECK_INT(regex_search(cheap, STR("abc"), &steps), REGEX_TOO_EXPENSIVE);
    CHECK_INT(regex_search(plain, STR("abc"), &steps), REGEX_TOO_EXPENSIVE);
    /* A search that was cut short leaves nothing behind for the next one. */
    CHECK_INT(regex_search(cheap, STR("abc"), NULL), REGEX_MATCH);
    regex_destroy(cheap);
    regex_destroy(plain);
    regex_destroy(costly);
    regex_destroy(NULL);
}

static void *search_often(void *shared)
{
    const struct regex *regex = shared;
    bool right = true;

    for (int i = 0; i < 1000; i++)
        right = right && regex_search(regex, STR("abc-123"), NULL) == REGEX_MATCH &&
                regex_search(regex, STR("abc-12x"), NULL) == REGEX_NO_MATCH;
    return right ? shared : NULL;
}

static void threads_share_a_pattern(void)
{
    struct regex *regex = create("^[a-z]+-\\d+$");
    pthread_t threads[4];
    void *result;

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK_INT(pthread_create(&threads[i], NULL, search_often, regex), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        CHECK_INT(pthread_join(threads[i], &result), 0);
        CHECK(result == regex);
    }
    regex_destroy(regex);
}

static void run_all(void)
{
    if (!SLOW_BUILD) {
        RUN(copes_with_long_texts);
        RUN(answers_whatever_is_linear_on_the_text);
        RUN(says_so_when_memory_is_the_limit);
    }
    RUN(plain_text_matches_as_a_pattern_would);
    RUN(characters_and_escapes_mean_what_ecma_says);
    RUN(classes_mean_what_ecma_says);
    RUN(unicode_properties_go_by_their_ecma_names);
    RUN(groups_and_counts_mean_what_ecma_says);
    RUN(refuses_what_ecma_does_not_have);
    RUN(says_where_the_library_gives_up);
    RUN(bounds_the_pattern);
    RUN(divides_what_is_too_large_for_the_library);
    RUN(nul_is_a_character_like_others);
    RUN(gives_up_on_what_is_too_expensive);
    RUN(charges_what_it_spends);
    RUN(threads_share_a_pattern);
}

static void has_no_jit(void)
{
    CHECK(!regex_has_jit());
}

/* All of it again in a process whose memory cannot become code. */
static pid_t start_without_jit(void)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    CHECK(without_jit());
    RUN(has_no_jit);
    run_all();
    exit(test_end()); /* NOLINT(concurrency-mt-unsafe): it has one thread */
}

int main(void)
{
    pid_t child = start_without_jit();
    int status = -1;

    run_all();
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
    return test_end();
}
