/*
 * json_number.c - the values of numbers, as Python's `json` module reads them: int and float.
 *
 * A number without fraction and exponent is an exact integer of any length; any other one is a
 * double. The two kinds are compared exactly, without rounding one to the other.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_internal.h"

#define TWO_TO_63 9223372036854775808.0
#define TWO_TO_64 18446744073709551616.0

static struct json_numeric small(bool negative, uint64_t magnitude)
{
    return (struct json_numeric){ .kind = NUMERIC_SMALL,
                                  .negative = negative && magnitude > 0,
                                  .magnitude = magnitude };
}

/* Is the value below 2^64? Then set `*value`. */
static bool fits_64_bits(struct str digits, uint64_t *value)
{
    uint64_t sum = 0;

    if (digits.len > 20)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(digits.ptr[i] - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}

static struct json_numeric from_source(const struct json_source *source, double value)
{
    struct str digits = { source->text, source->len };
    bool negative = source->text[0] == '-';
    uint64_t magnitude;

    if (negative)
        digits = str_from(digits, 1);
    if (fits_64_bits(digits, &magnitude))
        return small(negative, magnitude);
    return (struct json_numeric){
        .kind = NUMERIC_BIG, .negative = negative, .digits = digits, .real = value
    };
}

struct json_numeric json_numeric(struct json_object *number)
{
    if (json_object_is_type(number, json_type_int)) {
        int64_t value = json_object_get_int64(number);

        if (value == INT64_MAX) /* or above */
            return small(false, json_object_get_uint64(number));
        return small(value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
    }

    const struct json_source *source = json_source(number);
    double value = json_object_get_double(number);

    if (source && source->integer)
        return from_source(source, value);
    return (struct json_numeric){ .kind = NUMERIC_REAL, .negative = value < 0, .real = value };
}

size_t json_real_digits(double real, char digits[static JSON_REAL_DIGITS])
{
    int len = snprintf(digits, JSON_REAL_DIGITS, "%.0f", fabs(real));

    assert(len > 0 && len < JSON_REAL_DIGITS);
    return (size_t)len;
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Order of two decimal numbers without leading zeros. */
static int compare_digits(struct str a, struct str b)
{
    return a.len != b.len ? order(a.len, b.len) : memcmp(a.ptr, b.ptr, a.len);
}

static int compare_small_to_real(uint64_t small, double real)
{
    if (real >= TWO_TO_64)
        return -1;

    uint64_t whole = (uint64_t)real;

    if (small != whole)
        return order(small, whole);
    return real > (double)whole ? -1 : 0; /* a double with a fraction is below 2^53: exact */
}

static int compare_big_to_real(struct str big, double real)
{
    char digits[JSON_REAL_DIGITS];

    if (real < TWO_TO_64)
        return 1;
    if (isinf(real))
        return -1;
    return compare_digits(big, (struct str){ digits, json_real_digits(real, digits) });
}

/* Order without signs; `a->kind` is not above `b->kind`. */
static int compare_magnitudes(const struct json_numeric *a, const struct json_numeric *b)
{
    if (a->kind == NUMERIC_REAL) {
        double x = fabs(a->real);
        double y = fabs(b->real);

        return (x > y) - (x < y);
    }
    if (b->kind == NUMERIC_REAL)
        return a->kind == NUMERIC_SMALL ? compare_small_to_real(a->magnitude, fabs(b->real))
                                        : compare_big_to_real(a->digits, fabs(b->real));
    if (a->kind == NUMERIC_BIG)
        return compare_digits(a->digits, b->digits);
    return b->kind == NUMERIC_BIG ? -1 : order(a->magnitude, b->magnitude);
}

int json_compare_numbers(struct json_object *a, struct json_object *b)
{
    struct json_numeric x = json_numeric(a);
    struct json_numeric y = json_numeric(b);
    int result;

    if (x.negative != y.negative)
        return x.negative ? -1 : 1; /* zero is never negative */
    result = x.kind <= y.kind ? compare_magnitudes(&x, &y) : -compare_magnitudes(&y, &x);
    return x.negative ? -result : result;
}

double json_double(struct json_object *number)
{
    if (json_object_is_type(number, json_type_int)) {
        struct json_numeric exact = json_numeric(number);

        return exact.negative ? -(double)exact.magnitude : (double)exact.magnitude;
    }
    return json_object_get_double(number);
}

bool json_int64(struct json_object *number, int64_t *value)
{
    struct json_numeric exact = json_numeric(number);

    if (exact.kind == NUMERIC_REAL) {
        if (!(exact.real >= -TWO_TO_63 && exact.real < TWO_TO_63) ||
            trunc(exact.real) != exact.real)
            return false;
        *value = (int64_t)exact.real;
        return true;
    }
    if (exact.kind == NUMERIC_BIG || exact.magnitude > (uint64_t)INT64_MAX + exact.negative)
        return false;
    *value = (int64_t)(exact.negative ? -exact.magnitude : exact.magnitude);
    return true;
}
