/*
 * test_error.c - claims about base/error.h.
 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/test.h"

static void says_what_went_wrong(void)
{
    struct error err = { 0 };

    CHECK(!fail(&err, ERR_MALFORMED, "%s: line %d", "file", 12));
    CHECK_INT(err.code, ERR_MALFORMED);
    CHECK_STR(str_from_c(err.text), "file: line 12");
}

static void adds_the_systems_word(void)
{
    struct error err = { 0 };

    CHECK(!fail_errno(&err, ERR_SYSTEM, ENOENT, "%s", "some/file"));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK_STR(str_from_c(err.text), "some/file: No such file or directory");
}

static void puts_context_before(void)
{
    struct error err = { 0 };

    (void)fail(&err, ERR_CONFIG, "bad");
    CHECK(!fail_within(&err, "inner"));
    CHECK(!fail_within(&err, "outer"));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from_c(err.text), "outer: inner: bad");
}

static void percent_signs_in_context_are_just_text(void)
{
    struct error err = { 0 };

    (void)fail(&err, ERR_CONFIG, "%s", "100%s%n");
    (void)fail_within(&err, "%d%n");
    CHECK_STR(str_from_c(err.text), "%d%n: 100%s%n");
}

/* Is `s` made of whole characters of at most three bytes? */
static bool is_whole(struct str s)
{
    size_t i = 0;

    while (i < s.len) {
        unsigned char lead = (unsigned char)s.ptr[i];

        i += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }
    return i == s.len;
}

static void cuts_long_texts_at_a_character(void)
{
    static const struct {
        const char *name;
        const char *character;
    } cases[] = {
        { "one byte", "a" },
        { "two bytes", "\xC3\xA9" },
        { "three bytes", "\xE2\x82\xAC" },
        { "four bytes", "\xF0\x9F\x98\x80" },
    };

    for (size_t i = 0; i < 4 * sizeof(cases) / sizeof(cases[0]); i++) {
        char text[3000] = "";
        size_t len = i / 4; /* what shifts the cut through the character */
        struct error err = { 0 };
        struct str character = str_from_c(cases[i % 4].character);

        TEST_CASE(cases[i % 4].name);
        memset(text, 'x', len);
        for (; len + character.len < sizeof(text); len += character.len)
            memcpy(text + len, character.ptr, character.len);
        (void)fail(&err, ERR_INTERNAL, "%s", text);

        struct str cut = str_from_c(err.text);

        CHECK(cut.len > ERR_TEXT_SIZE - 8 && cut.len < ERR_TEXT_SIZE);
        CHECK(is_whole(cut));
        CHECK(str_starts_with(str_from_c(text), cut));
        (void)fail_within(&err, "yy");
        CHECK(is_whole(str_from_c(err.text)));
        (void)fail_errno(&err, ERR_SYSTEM, EACCES, "%s", text);
        CHECK(is_whole(str_from_c(err.text)));
    }
}

static void keeps_what_just_fits(void)
{
    char text[ERR_TEXT_SIZE];
    struct error err = { 0 };

    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - 3, "\xC3\xA9", 3);
    (void)fail(&err, ERR_INTERNAL, "%s", text);
    CHECK_STR(str_from_c(err.text), text);
}

int main(void)
{
    RUN(says_what_went_wrong);
    RUN(adds_the_systems_word);
    RUN(puts_context_before);
    RUN(percent_signs_in_context_are_just_text);
    RUN(cuts_long_texts_at_a_character);
    RUN(keeps_what_just_fits);
    return test_end();
}
