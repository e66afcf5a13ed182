/*
 * base64url.c - see base64url.h.
 */
#include "base/base64url.h"

#include "base/chars.h"

enum {
    INVALID = 64,
    BITS = 6, /* per character */
};

static unsigned value_of(char c)
{
    if (char_is_upper(c))
        return (unsigned)(c - 'A');
    if (char_is_lower(c))
        return (unsigned)(c - 'a') + 26;
    if (char_is_digit(c))
        return (unsigned)(c - '0') + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : INVALID;
}

bool base64url_decode(struct str text, uint8_t *out)
{
    uint32_t pending = 0; /* the bits that are read but not yet written */
    unsigned count = 0;   /* how many */

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = value_of(text.ptr[i]);

        if (value == INVALID)
            return false;
        pending = pending << BITS | value;
        count += BITS;
        if (count < 8)
            continue;
        count -= 8;
        *out++ = (uint8_t)(pending >> count);
        pending &= (1U << count) - 1;
    }
    return pending == 0;
}
