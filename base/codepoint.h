/*
 * codepoint.h - take characters off the front of UTF-8 text, put them at the end of a buffer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"

enum { CODEPOINT_MAX = 0x10FFFF };

/**
 * Take the first character off `text`. False at the end, and at bytes that are no character (then
 * `text` keeps them: it is not empty).
 */
static inline bool codepoint_take(struct str *text, uint32_t *out)
{
    /* What the first byte of a sequence of so many bytes carries. */
    static const unsigned char payload[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *at = (const unsigned char *)text->ptr;
    size_t length = text->len ? utf8_length(at, at + text->len) : 0;

    if (length == 0)
        return false;

    uint32_t code = at[0] & payload[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (at[i] & 0x3FU);
    *out = code;
    text->ptr += length;
    text->len -= length;
    return true;
}

/** Add one character, which is neither a surrogate nor above CODEPOINT_MAX. */
static inline void codepoint_add(struct buf *out, uint32_t code)
{
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    char *to = buf_reserve(out, length);

    if (!to)
        return;
    out->len += length;
    for (size_t i = length; i > 1; i--) {
        to[i - 1] = (char)(0x80U | (code & 0x3FU));
        code >>= 6;
    }
    to[0] = (char)(lead[length] | code);
}
