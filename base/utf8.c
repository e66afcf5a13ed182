/*
 * utf8.c - see utf8.h. The only user of libunistring.
 *
 * The case of ASCII text, which is most text, is changed without libunistring and its allocation.
 */
#include "base/utf8.h"

#include <unicase.h>
#include <unictype.h>

#include "base/chars.h"
#include "base/memory.h"

typedef uint8_t *convert(const uint8_t *text, size_t len, const char *language, uninorm_t form,
                         uint8_t *into, size_t *size);

bool utf8_is_valid(struct str text)
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

struct str utf8_prefix(struct str text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    const unsigned char *at = (const unsigned char *)text.ptr;
    size_t start = len;

    while (start > 0 && utf8_continues(at[start - 1]))
        start--;
    /* The last character that begins in the prefix must end in it. */
    if (start > 0 && at[start - 1] >= 0x80 && utf8_length(at + start - 1, at + len) == 0)
        len = start - 1;
    return (struct str){ text.ptr, len };
}

bool utf8_is_printable(uint32_t code)
{
    if (code < 0x80)
        return code >= ' ' && code < 0x7F;
    return !uc_is_general_category_withtable(code, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z);
}

static void change_case(struct buf *out, struct str text, char (*ascii)(char c), convert *unicode)
{
    if (text.len > 0 && !all_are(text, char_is_ascii)) {
        size_t size = 0;
        uint8_t *changed =
            mem_check(unicode((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &size));

        buf_add(out, (struct str){ (const char *)changed, size });
        mem_free(changed);
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(out, ascii(text.ptr[i]));
}

void utf8_lower(struct buf *out, struct str text)
{
    change_case(out, text, char_lower, u8_tolower);
}

void utf8_upper(struct buf *out, struct str text)
{
    change_case(out, text, char_upper, u8_toupper);
}
