/*
 * chars.h - ASCII character classes, and small steps of grammars such as those of RFC 3986.
 *
 * No function here depends on a locale. A take_ function removes what it is named after from the
 * front of `text`. It returns false, with `text` unchanged, when that is not there.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool char_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool char_is_alpha(char c)
{
    return char_is_lower(c) || char_is_upper(c);
}

static inline bool char_is_alnum(char c)
{
    return char_is_digit(c) || char_is_alpha(c);
}

static inline bool char_is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

/** Is `c` a space, tab, line feed or carriage return? */
static inline bool char_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline char char_lower(char c)
{
    if (char_is_upper(c))
        return (char)(c - 'A' + 'a');
    return c;
}

static inline char char_upper(char c)
{
    if (char_is_lower(c))
        return (char)(c - 'a' + 'A');
    return c;
}

/** The value of the hexadecimal digit `c`, of either case; -1 when it is not one. */
static inline int char_hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline bool char_is_hex(char c)
{
    return char_hex_value(c) >= 0;
}

/** Is `c` one of `set`? NUL never is. */
static inline bool char_is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/** Does `text` begin with one of `set`? */
static inline bool next_is_one_of(struct str text, const char *set)
{
    return text.len > 0 && char_is_one_of(text.ptr[0], set);
}

/** One character of `set`. */
static inline bool take_char(struct str *text, const char *set)
{
    if (!next_is_one_of(*text, set))
        return false;
    *text = str_from(*text, 1);
    return true;
}

/** All characters of the class at the front. Returns how many, which may be 0. */
static inline size_t take_run(struct str *text, bool (*is_member)(char c))
{
    size_t count = 0;

    while (count < text->len && is_member(text->ptr[count]))
        count++;
    *text = str_from(*text, count);
    return count;
}

/** A decimal number of at most `max`, without a sign. It may begin with zeroes. */
static inline bool take_number(struct str *text, int64_t max, int64_t *number)
{
    int64_t value = 0;
    size_t at = 0;

    for (; at < text->len && char_is_digit(text->ptr[at]); at++) {
        int digit = text->ptr[at] - '0';

        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == 0)
        return false;
    *number = value;
    *text = str_from(*text, at);
    return true;
}

/** Is the whole text such a number? */
static inline bool whole_number(struct str text, int64_t max, int64_t *number)
{
    int64_t value;

    if (!take_number(&text, max, &value) || text.len > 0)
        return false;
    *number = value;
    return true;
}

/** `%` and two hexadecimal digits. */
static inline bool take_percent(struct str *text)
{
    if (text->len < 3 || text->ptr[0] != '%' || !char_is_hex(text->ptr[1]) ||
        !char_is_hex(text->ptr[2]))
        return false;
    *text = str_from(*text, 3);
    return true;
}

/**
 * Everything before the first `separator`, which is removed too. The whole text when there is no
 * separator. Returns the part before it.
 */
static inline struct str take_until(struct str *text, char separator)
{
    const char *end = text->len ? memchr(text->ptr, separator, text->len) : NULL;
    struct str part = { text->ptr, end ? (size_t)(end - text->ptr) : text->len };

    *text = str_from(*text, end ? part.len + 1 : part.len);
    return part;
}

/** Is every character of `text` in the class? False for an empty text. */
static inline bool all_are(struct str text, bool (*is_member)(char c))
{
    return take_run(&text, is_member) > 0 && text.len == 0;
}
