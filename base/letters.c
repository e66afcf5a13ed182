/*
 * letters.c - see letters.h.
 *
 * ASCII, which is what events mostly hold, takes a path without libunistring and its allocation.
 */
#include "base/letters.h"

#include <stdint.h>
#include <unicase.h>

#include "base/memory.h"
#include "base/utf8.h"

typedef uint8_t *convert(const uint8_t *text, size_t len, const char *language, uninorm_t form,
                         uint8_t *into, size_t *size);

bool letters_valid(struct str text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = text.len > 0 ? at + text.len : at;

    while (at < end) {
        size_t len = utf8_length(at, end);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > 0x7f)
            return false;
    return true;
}

static void add_converted(struct buf *out, struct str text, convert *function)
{
    size_t size = 0;
    uint8_t *converted = function((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &size);

    /* Out of memory is the only failure; letters as they are beat none. */
    buf_add(out, converted ? (struct str){ (const char *)converted, size } : text);
    mem_free(converted);
}

void letters_lower(struct buf *out, struct str text)
{
    if (!is_ascii(text)) {
        add_converted(out, text, u8_tolower);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        buf_add_char(out, c);
    }
}

void letters_upper(struct buf *out, struct str text)
{
    if (!is_ascii(text)) {
        add_converted(out, text, u8_toupper);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        buf_add_char(out, c);
    }
}
