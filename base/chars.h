/*
 * chars.h - ASCII character classes, and small steps of grammars such as those of RFC 3986.
 *
 * Each take_ function steps over what it is named for at the front of `text` and says whether it
 * was there; when it was not, `text` stays as it is.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_alnum(char c)
{
    return char_is_digit(c) || char_is_alpha(c);
}

static inline bool char_is_hex(char c)
{
    return char_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool char_is_ascii(char c)
{
    return (unsigned char)c < 0x80;
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

static inline bool take_char(struct str *text, const char *set)
{
    if (!next_is_one_of(*text, set))
        return false;
    *text = str_from(*text, 1);
    return true;
}

/** As many characters of the class as there are; how many. */
static inline size_t take_run(struct str *text, bool (*is_member)(char c))
{
    size_t count = 0;

    while (count < text->len && is_member(text->ptr[count]))
        count++;
    *text = str_from(*text, count);
    return count;
}

/** "%" and two hexadecimal digits. */
static inline bool take_percent(struct str *text)
{
    if (text->len < 3 || text->ptr[0] != '%' || !char_is_hex(text->ptr[1]) ||
        !char_is_hex(text->ptr[2]))
        return false;
    *text = str_from(*text, 3);
    return true;
}

/** Take off what comes before the first `separator`, and the separator; all when there is none. */
static inline struct str take_until(struct str *text, char separator)
{
    const char *end = text->len ? memchr(text->ptr, separator, text->len) : NULL;
    struct str part = { text->ptr, end ? (size_t)(end - text->ptr) : text->len };

    *text = str_from(*text, end ? part.len + 1 : part.len);
    return part;
}

/** Is the whole of `text` of that class, and not empty? */
static inline bool all_are(struct str text, bool (*is_member)(char c))
{
    return take_run(&text, is_member) > 0 && text.len == 0;
}
