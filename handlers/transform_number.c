/*
 * transform_number.c - conversions of numbers.
 *
 * Numbers are copied and changed as text, never through a double, so no digit is lost.
 */
#include <stdio.h>

#include "base/chars.h"
#include "base/clock.h"
#include "handlers/transform_internal.h"
#include "schema/format/format.h"

/* Stands for any larger exponent. */
#define EXPONENT_HUGE INT64_C(1000000000000000)

/* Milliseconds of the years 0 to 9999, which four digits can write. */
#define MIN_EPOCH_MS INT64_C(-62167219200000)
#define MAX_EPOCH_MS INT64_C(253402300799999)

enum {
    MILLISECOND_TEXT = 23, /* YYYY-MM-DDTHH:MM:SS.mmm */
    MILLISECOND_DIGITS = 3,
    INTEGER_DIGITS_MAX = 1000,
    EXPONENT_DIGITS_MAX = 15,
    INT64_DIGITS = 18, /* of which every number fits */
};

/* A number by JSON's grammar. */
struct decimal {
    bool negative;
    struct str whole;
    struct str fraction;
    struct str mantissa; /* sign, whole and fraction */
    char letter;         /* of the exponent, e or E; 0: none */
    bool exponent_fits;
    int64_t exponent;
};

static struct str take_digits(struct str *text)
{
    struct str digits = { text->ptr ? text->ptr : "", 0 };

    digits.len = take_run(text, char_is_digit);
    return digits;
}

/* What follows the letter of an exponent. */
static bool take_exponent(struct str *text, struct decimal *out)
{
    bool negative = next_is_one_of(*text, "-");
    struct str digits;

    (void)take_char(text, "+-");
    digits = take_digits(text);
    while (digits.len > 0 && digits.ptr[0] == '0' && digits.len > 1)
        digits = str_from(digits, 1);
    out->exponent_fits = digits.len <= EXPONENT_DIGITS_MAX;
    for (size_t i = 0; out->exponent_fits && i < digits.len; i++)
        out->exponent = out->exponent * 10 + (digits.ptr[i] - '0');
    if (!out->exponent_fits)
        out->exponent = EXPONENT_HUGE;
    if (negative)
        out->exponent = -out->exponent;
    return digits.len > 0;
}

/* Is it a number by JSON's grammar? */
static bool read_decimal(struct str text, struct decimal *out)
{
    struct decimal decimal = { .exponent_fits = true };
    struct str rest = text;

    decimal.negative = take_char(&rest, "-");
    decimal.whole = take_digits(&rest);
    if (decimal.whole.len == 0 || (decimal.whole.len > 1 && decimal.whole.ptr[0] == '0'))
        return false;
    if (take_char(&rest, ".")) {
        decimal.fraction = take_digits(&rest);
        if (decimal.fraction.len == 0)
            return false;
    }
    decimal.mantissa = (struct str){ text.ptr, text.len - rest.len };
    if (next_is_one_of(rest, "eE"))
        decimal.letter = rest.ptr[0];
    if (take_char(&rest, "eE") && !take_exponent(&rest, &decimal))
        return false;
    *out = decimal;
    return rest.len == 0;
}

static enum json_kind kind_of(const struct decimal *decimal)
{
    return decimal->fraction.len == 0 && !decimal->letter ? JSON_INTEGER : JSON_NUMBER;
}

TRANSFORM_CONVERT(transform_number)
{
    struct decimal decimal;

    (void)step;
    if (flat_is_number(*value))
        return TRANSFORM_MADE;
    if (!flat_is_string(*value) || !read_decimal(flat_str(*value), &decimal))
        return transform_cannot(run, "is not a number");
    return transform_slice_of(run, kind_of(&decimal), flat_str(*value), value);
}

/* The digits of whole and fraction, without zeros at the front, in run->work. */
static struct str digits_of(struct transform_run *run, const struct decimal *decimal)
{
    struct str digits;

    buf_clear(&run->work);
    buf_add(&run->work, decimal->whole);
    buf_add(&run->work, decimal->fraction);
    digits = (struct str){ run->work.ptr ? run->work.ptr : "", run->work.len };
    while (digits.len > 0 && digits.ptr[0] == '0')
        digits = str_from(digits, 1);
    return digits;
}

static bool ends_in_zeros(struct str digits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (i == digits.len || digits.ptr[digits.len - 1 - i] != '0')
            return false;
    return true;
}

/* Add the integer of these digits times ten to the `zeros`. */
static void add_integer(struct buf *out, bool negative, struct str digits, int64_t zeros)
{
    if (zeros < 0)
        digits.len -= (size_t)-zeros;
    if (negative)
        buf_add_char(out, '-');
    buf_add(out, digits);
    for (int64_t i = 0; i < zeros; i++)
        buf_add_char(out, '0');
}

TRANSFORM_CONVERT(transform_integer)
{
    CLEANUP(buf_done) struct buf out = { 0 };
    struct decimal decimal;
    struct str digits;
    int64_t zeros;

    (void)step;
    if ((!flat_is_number(*value) && !flat_is_string(*value)) ||
        !read_decimal(flat_str(*value), &decimal))
        return transform_cannot(run, "is not an integer");
    digits = digits_of(run, &decimal);
    if (digits.len == 0)
        return transform_slice_of(run, JSON_INTEGER, STR("0"), value);
    zeros = decimal.exponent - (int64_t)decimal.fraction.len;
    if (zeros < 0 && !ends_in_zeros(digits, (size_t)-zeros))
        return transform_cannot(run, "is not an integer");
    if (zeros > INTEGER_DIGITS_MAX)
        return transform_cannot(run, "is too large for an integer");
    buf_init(&out, run->out->max);
    add_integer(&out, decimal.negative, digits, zeros);
    return transform_make(run, JSON_INTEGER, buf_str(&out), value);
}

/* Add the digits of whole and fraction with `places` of them behind the point. */
static void add_shifted(struct buf *out, const struct decimal *decimal, int64_t places)
{
    size_t start;
    size_t skip = 0;

    if (decimal->negative)
        buf_add_char(out, '-');
    start = out->len;
    for (int64_t i = (int64_t)(decimal->whole.len + decimal->fraction.len); i <= places; i++)
        buf_add_char(out, '0');
    buf_add(out, decimal->whole);
    buf_add(out, decimal->fraction);
    for (int64_t i = places; i < 0; i++)
        buf_add_char(out, '0');
    if (out->overflow)
        return;
    /* Of zeros at the front only the one before the point stays. */
    while (out->ptr[start + skip] == '0' &&
           (int64_t)(out->len - start - skip) > (places > 0 ? places : 0) + 1)
        skip++;
    memmove(out->ptr + start, out->ptr + start + skip, out->len - start - skip);
    out->len -= skip;
    if (places <= 0 || !buf_reserve(out, 1))
        return;
    memmove(out->ptr + out->len - places + 1, out->ptr + out->len - places, (size_t)places);
    out->ptr[out->len - (size_t)places] = '.';
    out->len++;
}

TRANSFORM_CONVERT(transform_shift)
{
    struct decimal decimal;

    if (!flat_is_number(*value) || !read_decimal(flat_str(*value), &decimal))
        return transform_cannot(run, "is not a number");
    if (step->from == 0)
        return TRANSFORM_MADE;
    if (!decimal.exponent_fits)
        return transform_cannot(run, "has an exponent that is too large");
    buf_clear(&run->work);
    if (decimal.letter) {
        buf_add(&run->work, decimal.mantissa);
        buf_add_char(&run->work, decimal.letter);
        buf_add_int(&run->work, decimal.exponent + step->from);
        return transform_make(run, JSON_NUMBER, buf_str(&run->work), value);
    }
    int64_t places = (int64_t)decimal.fraction.len - step->from;

    add_shifted(&run->work, &decimal, places);
    return transform_make(run, places > 0 ? JSON_NUMBER : JSON_INTEGER, buf_str(&run->work), value);
}

/* Times from numbers. */

static enum transform_made make_time(struct transform_run *run, int64_t milliseconds,
                                     const struct flat **value)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(milliseconds * US_PER_MS, text);
    text[MILLISECOND_TEXT] = 'Z';
    return transform_make(run, JSON_STRING, (struct str){ text, MILLISECOND_TEXT + 1 }, value);
}

static bool is_date_time(const struct flat *value)
{
    return flat_is_string(value) && format_check(format_find(STR("date-time")), flat_str(value));
}

static bool is_in_range(int64_t milliseconds)
{
    return milliseconds >= MIN_EPOCH_MS && milliseconds <= MAX_EPOCH_MS;
}

TRANSFORM_CONVERT(transform_epoch_ms)
{
    int64_t milliseconds;

    (void)step;
    if (is_date_time(*value))
        return TRANSFORM_MADE;
    if (!flat_is_number(*value) || !flat_int64(*value, &milliseconds) || !is_in_range(milliseconds))
        return transform_cannot(run, "is not a time in milliseconds");
    return make_time(run, milliseconds, value);
}

/* The number times 1000 as an integer; what is behind the point of that is cut towards the past. */
static bool read_milliseconds(struct transform_run *run, struct str text, int64_t *out)
{
    struct decimal decimal;
    struct str digits;
    int64_t count; /* of digits that the result has */

    if (!read_decimal(text, &decimal))
        return false;
    digits = digits_of(run, &decimal);
    count =
        (int64_t)digits.len + decimal.exponent - (int64_t)decimal.fraction.len + MILLISECOND_DIGITS;
    *out = 0;
    if (digits.len == 0)
        return true;
    if (count > INT64_DIGITS)
        return false;
    for (int64_t i = 0; i < count; i++)
        *out = *out * 10 + (i < (int64_t)digits.len ? digits.ptr[i] - '0' : 0);
    if (decimal.negative) {
        size_t dropped =
            count < (int64_t)digits.len ? digits.len - (size_t)(count > 0 ? count : 0) : 0;

        *out = -*out - !ends_in_zeros(digits, dropped);
    }
    return true;
}

TRANSFORM_CONVERT(transform_epoch_s)
{
    int64_t milliseconds;

    (void)step;
    if (is_date_time(*value))
        return TRANSFORM_MADE;
    if (!flat_is_number(*value) || !read_milliseconds(run, flat_str(*value), &milliseconds) ||
        !is_in_range(milliseconds))
        return transform_cannot(run, "is not a time in seconds");
    return make_time(run, milliseconds, value);
}
