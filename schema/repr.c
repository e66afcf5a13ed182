/*
 * repr.c - see repr.h.
 *
 * Output is added in pieces of a few bytes. So a buffer is full, or almost, when it overflows; and
 * no time is spent on the rest of a value that does not fit.
 */
#include "schema/repr.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { SHORTEST_MAX = 17 }; /* so many digits identify every double */

/* -------------------------------------------------------------------------------- strings */

static void add_escaped(struct buf *out, uint32_t code)
{
    if (code < 0x100)
        buf_printf(out, "\\x%02x", code);
    else if (code < 0x10000)
        buf_printf(out, "\\u%04x", code);
    else
        buf_printf(out, "\\U%08x", code);
}

static void add_character(struct buf *out, uint32_t code, char quote)
{
    static const char letters[] = { ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r' };

    if (code < sizeof(letters) && letters[code]) {
        buf_add_char(out, '\\');
        buf_add_char(out, letters[code]);
    } else if (code == '\\' || code == (unsigned char)quote) {
        buf_add_char(out, '\\');
        buf_add_char(out, (char)code);
    } else if (utf8_is_printable(code)) {
        utf8_add(out, code);
    } else {
        add_escaped(out, code);
    }
}

/* The number of bytes at the front that need no escape and fit. */
static size_t plain_run(struct str s, char quote, size_t room)
{
    size_t most = s.len < room ? s.len : room;
    size_t len = 0;

    while (len < most && s.ptr[len] >= ' ' && s.ptr[len] < 0x7F && s.ptr[len] != quote &&
           s.ptr[len] != '\\')
        len++;
    return len;
}

/* The fast path: the string needs no escape. */
static bool add_plain(struct buf *out, struct str s)
{
    char *to;

    if (out->max - out->len < s.len + 2 || plain_run(s, '\'', s.len) < s.len)
        return false;
    to = buf_reserve(out, s.len + 2);
    if (!to)
        return false;
    to[0] = '\'';
    if (s.len > 0)
        memcpy(to + 1, s.ptr, s.len);
    to[s.len + 1] = '\'';
    out->len += s.len + 2;
    return true;
}

void repr_string(struct buf *out, struct str s)
{
    if (add_plain(out, s))
        return;

    bool single = s.len > 0 && memchr(s.ptr, '\'', s.len);
    bool both = single && memchr(s.ptr, '"', s.len);
    const char *quotes = "'\"";
    char quote = quotes[single && !both];
    uint32_t code;

    buf_add_char(out, quote);
    while (!out->overflow && s.len > 0) {
        size_t plain = plain_run(s, quote, out->max - out->len);

        buf_add(out, (struct str){ s.ptr, plain });
        s = str_from(s, plain);
        if (utf8_take(&s, &code))
            add_character(out, code, quote);
    }
    buf_add_char(out, quote);
}

/* -------------------------------------------------------------------------------- numbers */

static bool reads_as(const char *text, double value)
{
    return strtod(text, NULL) == value;
}

/* Add one to the last digit of "d.ddde+xx". 9.99 becomes 0.00, which is never the right value. */
static void increment(char *text)
{
    char *digit = strchr(text, 'e');

    while (digit-- > text) {
        if (*digit == '.')
            continue;
        if (*digit != '9') {
            (*digit)++;
            return;
        }
        *digit = '0';
    }
}

/*
 * The shortest decimal number that strtod() reads as `value` (positive, finite), as "d.ddde+xx".
 * Usually it is `value` rounded to that number of digits. For a power of two it can be the next
 * larger decimal number, because the double below is nearer than the one above.
 */
static void shortest(double value, char text[static 32])
{
    for (int digits = 1; digits <= SHORTEST_MAX; digits++) {
        (void)snprintf(text, 32, "%.*e", digits - 1, value);
        if (reads_as(text, value))
            return;
        if (digits == SHORTEST_MAX || strtod(text, NULL) > value)
            continue;
        increment(text);
        if (reads_as(text, value))
            return;
    }
}

static void add_zeros(struct buf *out, int count)
{
    for (int i = 0; i < count; i++)
        buf_add_char(out, '0');
}

/* The digits with the decimal point after the first `point` digits, padded with zeros. */
static void add_fixed(struct buf *out, struct str digits, int point)
{
    int count = (int)digits.len;

    if (point <= 0) {
        buf_add(out, STR("0."));
        add_zeros(out, -point);
        buf_add(out, digits);
    } else if (point >= count) {
        buf_add(out, digits);
        add_zeros(out, point - count);
        buf_add(out, STR(".0"));
    } else {
        buf_add(out, (struct str){ digits.ptr, (size_t)point });
        buf_add_char(out, '.');
        buf_add(out, str_from(digits, (size_t)point));
    }
}

/* Write "d.ddde+xx" as Python does: with an exponent if it is below 1e-4, or at least 1e16. */
static void add_shortest(struct buf *out, const char *text)
{
    char digits[SHORTEST_MAX + 1] = "";
    size_t count = 0;
    int exponent;

    for (; *text != 'e'; text++) {
        if (*text != '.')
            digits[count++] = *text;
    }
    exponent = (int)strtod(text + 1, NULL);
    if (exponent >= -4 && exponent < 16) {
        add_fixed(out, (struct str){ digits, count }, exponent + 1);
        return;
    }
    buf_add_char(out, digits[0]);
    if (count > 1)
        buf_printf(out, ".%s", digits + 1);
    buf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void add_double(struct buf *out, double value)
{
    char text[32];

    if (isnan(value)) {
        buf_add(out, STR("nan"));
        return;
    }
    if (signbit(value))
        buf_add_char(out, '-');
    if (isinf(value)) {
        buf_add(out, STR("inf"));
    } else if (value == 0) {
        buf_add(out, STR("0.0"));
    } else {
        shortest(fabs(value), text);
        add_shortest(out, text);
    }
}

/* Digit by digit, so that the buffer gets the first digits of a number that does not fit. */
static void add_digits(struct buf *out, const struct flat *value)
{
    struct str digits = flat_str(value);

    for (size_t i = 0; i < digits.len && !out->overflow; i++)
        buf_add_char(out, digits.ptr[i]);
}

/* Python has integers of any length, and no negative zero among them. */
static void add_integer(struct buf *out, const struct flat *value)
{
    int64_t small;

    if (flat_int64(value, &small))
        buf_add_int(out, small);
    else
        add_digits(out, value);
}

/* ----------------------------------------------------------------------------- containers */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the reader lets a tree be */
static void add_array(struct buf *out, const struct flat *array)
{
    buf_add_char(out, '[');
    for (FLAT_EACH(element, array)) {
        if (out->overflow)
            break;
        if (element->index > 0)
            buf_add(out, STR(", "));
        repr_value(out, element);
    }
    buf_add_char(out, ']');
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the reader lets a tree be */
static void add_object(struct buf *out, const struct flat *object)
{
    buf_add_char(out, '{');
    for (FLAT_EACH(member, object)) {
        if (out->overflow)
            break;
        if (member->index > 0)
            buf_add(out, STR(", "));
        repr_string(out, flat_key(member));
        buf_add(out, STR(": "));
        repr_value(out, member);
    }
    buf_add_char(out, '}');
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the reader lets a tree be */
void repr_value(struct buf *out, const struct flat *value)
{
    switch (flat_kind(value)) {
    case JSON_NULL:
        buf_add(out, STR("None"));
        break;
    case JSON_BOOLEAN:
        buf_add(out, flat_is_true(value) ? STR("True") : STR("False"));
        break;
    case JSON_INTEGER:
        add_integer(out, value);
        break;
    case JSON_NUMBER:
        add_double(out, flat_double(value));
        break;
    case JSON_STRING:
        repr_string(out, flat_str(value));
        break;
    case JSON_ARRAY:
        add_array(out, value);
        break;
    case JSON_OBJECT:
        add_object(out, value);
        break;
    }
}

void repr_type(struct buf *out, const struct flat *value)
{
    static const char *const names[] = {
        [JSON_NULL] = "<null>",     [JSON_BOOLEAN] = "<boolean>", [JSON_INTEGER] = "<integer>",
        [JSON_NUMBER] = "<number>", [JSON_STRING] = "<string>",   [JSON_ARRAY] = "<array>",
        [JSON_OBJECT] = "<object>",
    };

    buf_add(out, str_from_c(names[flat_kind(value)]));
}
