/*
 * base64url.h - Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5), as
 * JOSE writes it (RFC 7515, section 2).
 *
 * Strict: one text for each byte string. Padding, white space, the other alphabet's `+` and `/`, a
 * single character left over, and bits left over that are not 0 are all refused, so that nobody can
 * write a token in two ways.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/** How many bytes a text of `len` characters stands for, when it stands for any. */
static inline size_t base64url_decoded_size(size_t len)
{
    return len / 4 * 3 + len % 4 * 3 / 4;
}

/** Write base64url_decoded_size(text.len) bytes to `out`. False: `text` is not to the letter. */
NODISCARD bool base64url_decode(struct str text, uint8_t *out);
