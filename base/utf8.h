/*
 * utf8.h - UTF-8 text (RFC 3629): check it, take it apart, build it, change its case.
 *
 * A character is one code point. Overlong forms, surrogates and values above U+10FFFF are not
 * characters. Indexes and lengths count bytes.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { UTF8_CODEPOINT_MAX = 0x10FFFF };

/** Is `byte` the second, third or fourth byte of a character? */
static inline bool utf8_continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* May `second` follow `first`, a byte above 0x7F? Only the second byte's range depends on the
 * first. */
static inline bool utf8_begins(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return first >= 0xC2 && first <= 0xF4 && utf8_continues(second);
    }
}

/** Length of the character at `at`, 1 to 4; 0 when no whole character is there before `end`. */
static inline size_t utf8_length(const unsigned char *at, const unsigned char *end)
{
    size_t left = (size_t)(end - at);

    if (left == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    if (left < 2 || !utf8_begins(at[0], at[1]))
        return 0;
    if (at[0] < 0xE0)
        return 2;
    if (left < 3 || !utf8_continues(at[2]))
        return 0;
    if (at[0] < 0xF0)
        return 3;
    return left >= 4 && utf8_continues(at[3]) ? 4 : 0;
}

/**
 * Take the first character off `text`. False, with `text` unchanged, when `text` is empty or does
 * not begin with a character.
 */
static inline bool utf8_take(struct str *text, uint32_t *codepoint)
{
    /* The bits of the first byte that belong to the code point, by the character's length. */
    static const unsigned char payload[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *at = (const unsigned char *)text->ptr;
    size_t length = text->len ? utf8_length(at, at + text->len) : 0;

    if (length == 0)
        return false;

    uint32_t code = at[0] & payload[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (at[i] & 0x3FU);
    *codepoint = code;
    text->ptr += length;
    text->len -= length;
    return true;
}

/** Write the character `code`, no surrogate, up to UTF8_CODEPOINT_MAX. Returns its length. */
static inline size_t utf8_put(char to[static 1], uint32_t code)
{
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = length; i > 1; i--) {
        to[i - 1] = (char)(0x80U | (code & 0x3FU));
        code >>= 6;
    }
    to[0] = (char)(lead[length] | code);
    return length;
}

/** Add the character `code`, as utf8_put() takes it. */
static inline void utf8_add(struct buf *out, uint32_t code)
{
    char bytes[4];

    buf_add(out, (struct str){ bytes, utf8_put(bytes, code) });
}

/** The index of the character after the one at index `at`. `text` is valid. */
static inline size_t utf8_next(struct str text, size_t at)
{
    do {
        at++;
    } while (at < text.len && utf8_continues((unsigned char)text.ptr[at]));
    return at;
}

/** The number of characters in `text`, which is valid. */
static inline size_t utf8_count(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += !utf8_continues((unsigned char)text.ptr[i]);
    return count;
}

/** Is the whole of `text` UTF-8? */
bool utf8_is_valid(struct str text);

/**
 * Is the character neither of category "other" (control, format, surrogate, private, unassigned)
 * nor a separator, except the space? This is what Python's str.isprintable() says.
 */
bool utf8_is_printable(uint32_t code);

/** The first bytes of `text`, at most `max`, without a character that is cut off at their end. */
struct str utf8_prefix(struct str text, size_t max);

/**
 * Add `text`, valid UTF-8, in lower or upper case: Unicode's default mapping, the same under every
 * locale. The result may be longer or shorter than `text`.
 */
void utf8_lower(struct buf *out, struct str text);
void utf8_upper(struct buf *out, struct str text);
