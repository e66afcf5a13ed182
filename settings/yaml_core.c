/*
 * yaml_core.c - see yaml_core.h.
 *
 * The three number grammars are disjoint but for their sign, so each is tried on its own.
 */
#include "settings/yaml_core.h"

#include <inttypes.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/json.h"

/* A decimal number taken apart: slices of the text, which the writer joins again. */
struct decimal {
    bool negative;
    bool point;
    struct str whole;
    struct str fraction;
    struct str exponent; /* with its `e` */
};

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(text, str_from_c(words[i])))
            return true;
    return false;
}

static bool is_null(struct str text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    return is_one_of(text, words, COUNT_OF(words));
}

static bool is_true(struct str text)
{
    static const char *const words[] = { "true", "True", "TRUE" };

    return is_one_of(text, words, COUNT_OF(words));
}

static bool is_false(struct str text)
{
    static const char *const words[] = { "false", "False", "FALSE" };

    return is_one_of(text, words, COUNT_OF(words));
}

static bool is_infinite_or_nan(struct str text)
{
    static const char *const words[] = { ".inf", ".Inf", ".INF" };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN" };

    if (is_one_of(text, nans, COUNT_OF(nans)))
        return true;
    if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-'))
        text = str_from(text, 1);
    return is_one_of(text, words, COUNT_OF(words));
}

/* The digits at the front of `rest`, which moves behind them. */
static struct str take_digits(struct str *rest)
{
    size_t count = 0;

    while (count < rest->len && char_is_digit(rest->ptr[count]))
        count++;

    struct str digits = { rest->ptr, count };

    *rest = (struct str){ rest->ptr + count, rest->len - count };
    return digits;
}

static bool take_exponent(struct str *rest, struct str *exponent)
{
    const char *start = rest->ptr;
    size_t whole = rest->len;

    if (rest->len == 0)
        return true;
    if (rest->ptr[0] != 'e' && rest->ptr[0] != 'E')
        return false;
    *rest = (struct str){ rest->ptr + 1, rest->len - 1 };
    if (rest->len > 0 && (rest->ptr[0] == '+' || rest->ptr[0] == '-'))
        *rest = (struct str){ rest->ptr + 1, rest->len - 1 };
    if (take_digits(rest).len == 0)
        return false;
    *exponent = (struct str){ start, whole - rest->len };
    return true;
}

/* Is it [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool split_decimal(struct str text, struct decimal *out)
{
    struct decimal number = { 0 };
    struct str rest = text;

    if (rest.len > 0 && (rest.ptr[0] == '+' || rest.ptr[0] == '-')) {
        number.negative = rest.ptr[0] == '-';
        rest = (struct str){ rest.ptr + 1, rest.len - 1 };
    }
    number.whole = take_digits(&rest);
    if (rest.len > 0 && rest.ptr[0] == '.') {
        number.point = true;
        rest = (struct str){ rest.ptr + 1, rest.len - 1 };
        number.fraction = take_digits(&rest);
    }
    if (number.whole.len + number.fraction.len == 0 || !take_exponent(&rest, &number.exponent) ||
        rest.len > 0)
        return false;
    *out = number;
    return true;
}

enum radix { RADIX_NO, RADIX_YES, RADIX_TOO_LARGE };

/* Is it 0x or 0o and digits of that base? They have no sign. */
static enum radix read_radix(struct str text, uint64_t *value)
{
    bool hexadecimal = str_starts_with(text, STR("0x"));
    unsigned base = hexadecimal ? 16 : 8;
    enum radix verdict = RADIX_YES;

    if (text.len < 3 || (!hexadecimal && !str_starts_with(text, STR("0o"))))
        return RADIX_NO;
    *value = 0;
    for (size_t i = 2; i < text.len; i++) {
        unsigned digit = (unsigned)char_hex_value(text.ptr[i]);

        if (digit >= base)
            return RADIX_NO;
        if (*value > (UINT64_MAX - digit) / base)
            verdict = RADIX_TOO_LARGE;
        *value = *value * base + digit;
    }
    return verdict;
}

enum yaml_core_kind yaml_core_kind(struct str text)
{
    struct decimal decimal;
    uint64_t value;

    if (is_null(text))
        return YAML_CORE_NULL;
    if (is_true(text) || is_false(text))
        return YAML_CORE_BOOLEAN;
    if (is_infinite_or_nan(text))
        return YAML_CORE_NO_JSON;
    if (split_decimal(text, &decimal))
        return decimal.point || decimal.exponent.len > 0 ? YAML_CORE_FLOAT : YAML_CORE_INTEGER;
    switch (read_radix(text, &value)) {
    case RADIX_YES:
        return YAML_CORE_INTEGER;
    case RADIX_TOO_LARGE:
        return YAML_CORE_NO_JSON;
    default:
        return YAML_CORE_STRING;
    }
}

static void write_decimal(struct buf *out, const struct decimal *number)
{
    struct str whole = number->whole;

    while (whole.len > 1 && whole.ptr[0] == '0')
        whole = str_from(whole, 1);
    if (number->negative)
        buf_add_char(out, '-');
    buf_add(out, whole.len > 0 ? whole : STR("0"));
    if (number->point) {
        buf_add_char(out, '.');
        buf_add(out, number->fraction.len > 0 ? number->fraction : STR("0"));
    }
    buf_add(out, number->exponent);
}

void yaml_core_write(struct buf *out, struct str text)
{
    struct decimal decimal;
    uint64_t value;

    if (is_null(text))
        buf_add(out, STR("null"));
    else if (is_true(text))
        buf_add(out, STR("true"));
    else if (is_false(text))
        buf_add(out, STR("false"));
    else if (split_decimal(text, &decimal))
        write_decimal(out, &decimal);
    else if (read_radix(text, &value) == RADIX_YES)
        buf_printf(out, "%" PRIu64, value);
    else
        json_write_string(out, text);
}
