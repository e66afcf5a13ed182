/*
 * regex_literal.c - patterns that need no regular expression: `^abc`, `^abc$`, `\.json$`, `.*`.
 *
 * Most patterns for property names in published schemas are of this kind, and comparing bytes costs
 * a tenth of the fastest search of PCRE2.
 */
#include <string.h>

#include "base/chars.h"
#include "base/memory.h"
#include "base/regex_internal.h"
#include "base/utf8.h"

/* Take a character that stands for itself, with or without a backslash. */
static bool take_plain(struct str *pattern, struct str *plain)
{
    struct str rest = *pattern;
    bool escaped = str_starts_with(rest, STR("\\"));
    uint32_t code;

    if (escaped)
        rest = str_from(rest, 1);
    plain->ptr = rest.ptr;
    if (!utf8_take(&rest, &code) || code == 0)
        return false;
    /* After a backslash a letter or digit does not stand for itself. */
    if (code < 0x80 &&
        (escaped ? char_is_alnum((char)code) : char_is_one_of((char)code, "^$.*+?()[]{}|\\")))
        return false;
    plain->len = (size_t)(rest.ptr - plain->ptr);
    *pattern = rest;
    return true;
}

bool regex_literal_init(struct regex_literal *out, struct str pattern)
{
    struct regex_literal literal = { .text = mem_alloc(pattern.len + 1) };
    struct str plain;

    if (str_starts_with(pattern, STR("^"))) {
        literal.at_start = true;
        pattern = str_from(pattern, 1);
    }

    while (take_plain(&pattern, &plain)) {
        memcpy(literal.text + literal.len, plain.ptr, plain.len);
        literal.len += plain.len;
    }
    literal.at_end = str_equal(pattern, STR("$"));
    /* A final .* matches any rest, also an empty one. */
    if (pattern.len > 0 && !literal.at_end && !str_equal(pattern, STR(".*"))) {
        regex_literal_done(&literal);
        return false;
    }
    *out = literal;
    return true;
}

void regex_literal_done(struct regex_literal *literal)
{
    mem_free(literal->text);
    *literal = (struct regex_literal){ 0 };
}

bool regex_literal_search(const struct regex_literal *literal, struct str text)
{
    struct str wanted = { literal->text, literal->len };

    if (literal->at_start && literal->at_end)
        return str_equal(text, wanted);
    if (literal->at_start)
        return str_starts_with(text, wanted);
    if (literal->at_end)
        return str_ends_with(text, wanted);
    return wanted.len == 0 ||
           (text.len >= wanted.len && memmem(text.ptr, text.len, wanted.ptr, wanted.len) != NULL);
}
