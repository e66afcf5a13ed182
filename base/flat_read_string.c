/*
 * flat_read_string.c - strings: a pass that checks, and a second pass if there are escapes.
 *
 * The first pass reads 16 bytes at once with SSE2 and refuses every bad escape, so that the second
 * one cannot fail.
 */
#include <string.h>

#include "base/chars.h"
#include "base/flat_internal.h"
#include "base/utf8.h"

/* Four hex digits, or -1. */
static long hex_unit(const unsigned char *at, const unsigned char *end)
{
    long unit = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = char_hex_value((char)at[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(long unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(long unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static bool string_fail(struct json_input *in, const unsigned char *at, const char *reason)
{
    in->at = at;
    in->reason = reason;
    return false;
}

/* Step over a \u escape, or a surrogate pair of two; `*unit` is its first code unit. */
static bool scan_unicode(struct json_input *in, long *unit)
{
    const unsigned char *escape = in->at;

    *unit = hex_unit(escape + 2, in->end);
    if (*unit < 0)
        return string_fail(in, escape, "\\u needs four hex digits");
    if (is_low_surrogate(*unit))
        return string_fail(in, escape, "lone surrogate");
    in->at = escape + 6;
    if (!is_high_surrogate(*unit))
        return true;
    if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u' ||
        !is_low_surrogate(hex_unit(in->at + 2, in->end)))
        return string_fail(in, escape, "lone surrogate");
    in->at += 6;
    return true;
}

/* Step over an escape, whose backslash comes next. */
static bool scan_escape(struct json_input *in, struct json_raw *out)
{
    long unit;

    out->escaped = true;
    if (in->end - in->at < 2)
        return string_fail(in, in->end, "the text ends inside a string");
    switch (in->at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        in->at += 2;
        return true;
    case 'u':
        if (!scan_unicode(in, &unit))
            return false;
        out->nul = out->nul || unit == 0;
        return true;
    default:
        return string_fail(in, in->at, "unknown escape");
    }
}

/* Step over characters above ASCII; there are often many in a row. */
static bool scan_characters(struct json_input *in)
{
    while (in->at < in->end && *in->at >= 0x80) {
        size_t len = utf8_length(in->at, in->end);

        if (len == 0)
            return string_fail(in, in->at, "invalid UTF-8");
        in->at += len;
    }
    return true;
}

bool json_scan_string(struct json_input *in, struct json_raw *out)
{
    const unsigned char *begin = in->at;
    struct json_raw raw = { 0 };

    for (;;) {
        in->at = json_skip_plain(in->at, in->end, true);
        if (in->at == in->end)
            return string_fail(in, in->end, "the text ends inside a string");
        if (LIKELY(*in->at == '"'))
            break;
        if (*in->at == '\\') {
            if (!scan_escape(in, &raw))
                return false;
        } else if (*in->at < 0x20) {
            return string_fail(in, in->at, "control character in a string");
        } else if (!scan_characters(in)) {
            return false;
        }
    }
    raw.bytes = (struct str){ (const char *)begin, (size_t)(in->at - begin) };
    in->at++;
    *out = raw;
    return true;
}

/* `*from` is at the `u` and is moved past the escape. */
static char *put_unicode(char *to, const unsigned char **from, const unsigned char *end)
{
    uint32_t c = (uint32_t)hex_unit(*from + 1, end);

    *from += 5;
    if (is_high_surrogate((long)c)) {
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)hex_unit(*from + 2, end) - 0xDC00);
        *from += 6;
    }
    return to + utf8_put(to, c);
}

static char short_escape(unsigned char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default: /* `"`, `\` and `/` */
        return (char)c;
    }
}

size_t json_unescape(const struct json_raw *raw, char *to)
{
    const unsigned char *from = (const unsigned char *)raw->bytes.ptr;
    const unsigned char *end = from + raw->bytes.len;
    char *start = to;

    while (from < end) {
        const unsigned char *backslash = memchr(from, '\\', (size_t)(end - from));
        size_t run = (size_t)((backslash ? backslash : end) - from);

        memcpy(to, from, run);
        to += run;
        from += run;
        if (!backslash)
            break;
        from++;
        if (*from == 'u')
            to = put_unicode(to, &from, end);
        else
            *to++ = short_escape(*from++);
    }
    return (size_t)(to - start);
}
