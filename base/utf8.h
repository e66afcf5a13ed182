/*
 * utf8.h - one character of UTF-8, checked as RFC 3629 wants it.
 *
 * Overlong forms, surrogates and what lies above U+10FFFF are not characters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool utf8_continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Only the second byte's range depends on the first one, which is none of ASCII. */
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

/** Bytes of the character at `at`, 1 to 4; 0 when there is none before `end`. */
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
