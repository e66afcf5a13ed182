/*
 * base64url.h - Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5), as
 * JOSE writes it (RFC 7515, section 2).
 *
 * Strict: each byte string has exactly one text. Padding, white space, `+` and `/`, a single
 * character at the end, and unused bits that are not 0 are refused, so that a token cannot be
 * written in two ways.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/** The number of bytes that a valid text of `len` characters encodes. */
static inline size_t base64url_decoded_size(size_t len)
{
    return len / 4 * 3 + len % 4 * 3 / 4;
}

/** Write base64url_decoded_size(text.len) bytes to `out`. False when `text` is not valid. */
NODISCARD bool base64url_decode(struct str text, uint8_t *out);
