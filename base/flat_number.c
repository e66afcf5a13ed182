/*
 * flat_number.c - the values of numbers, as Python's `json` module reads them: int and float.
 *
 * A number without fraction and exponent is an exact integer of any length; any other one is a
 * double. The two kinds are compared exactly, without rounding one to the other.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chars.h"
#include "base/flat_internal.h"

#define TWO_TO_63 9223372036854775808.0
#define TWO_TO_64 18446744073709551616.0

static struct flat_numeric small(bool negative, uint64_t magnitude)
{
    return (struct flat_numeric){ .kind = NUMERIC_SMALL,
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

/* Up to these, integers and powers of ten are exact as doubles. */
#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER    22

/* From here on the mantissa may have no room for another digit. */
#define MANTISSA_FULL (UINT64_MAX / 10)

/* Above this a number is zero or infinite anyway. Keeps the arithmetic in range. */
#define EXPONENT_FULL 100000

struct decimal {
    uint64_t mantissa; /* the digits without the point */
    long exponent;     /* times ten to this */
    bool negative;
    bool cut; /* the mantissa did not hold all digits */
};

static inline void add_digit(struct decimal *number, unsigned digit)
{
    if (LIKELY(number->mantissa < MANTISSA_FULL ||
               (number->mantissa == MANTISSA_FULL && digit <= UINT64_MAX % 10)))
        number->mantissa = number->mantissa * 10 + digit;
    else
        number->cut = true;
}

/* Take the digits at the front. */
static size_t add_digits(struct decimal *number, struct str *text)
{
    size_t len = 0;

    for (; len < text->len && char_is_digit(text->ptr[len]); len++)
        add_digit(number, (unsigned)(text->ptr[len] - '0'));
    *text = str_from(*text, len);
    return len;
}

static long read_exponent(struct str text)
{
    bool negative = next_is_one_of(text, "-");
    long exponent = 0;

    if (next_is_one_of(text, "+-"))
        text = str_from(text, 1);
    for (size_t i = 0; i < text.len && exponent < EXPONENT_FULL; i++)
        exponent = exponent * 10 + (text.ptr[i] - '0');
    return negative ? -exponent : exponent;
}

/* `text` is a number by JSON's grammar. */
static struct decimal read_decimal(struct str text)
{
    struct decimal number = { .negative = text.ptr[0] == '-' };

    text = str_from(text, number.negative);
    (void)add_digits(&number, &text);
    if (next_is_one_of(text, ".")) {
        text = str_from(text, 1);
        number.exponent = -(long)add_digits(&number, &text);
    }
    if (text.len > 0)
        number.exponent += read_exponent(str_from(text, 1));
    return number;
}

/* strtod() needs a NUL behind the text. */
static double convert(struct str text)
{
    enum { SHORT = 64 };
    char copy[SHORT];
    char *longer;
    double value;

    if (text.len < SHORT) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        return strtod(copy, NULL);
    }
    longer = mem_copy(text.ptr, text.len);
    value = strtod(longer, NULL);
    mem_free(longer);
    return value;
}

/*
 * With few digits and a small power of ten, one operation on exact operands gives the correctly
 * rounded result. All others are left to strtod(); the program never sets a locale.
 */
static double to_double(const struct decimal *number, struct str text)
{
    static const double powers[EXACT_POWER + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

    if (FLT_EVAL_METHOD != 0 || number->cut || number->mantissa > EXACT_MANTISSA ||
        number->exponent < -EXACT_POWER || number->exponent > EXACT_POWER)
        return convert(text);

    double value = (double)number->mantissa;

    if (number->exponent < 0)
        value /= powers[-number->exponent];
    else
        value *= powers[number->exponent];
    return number->negative ? -value : value;
}

static struct flat_numeric integer(struct str text)
{
    bool negative = text.ptr[0] == '-';
    struct str digits = { text.ptr + negative, text.len - negative };
    uint64_t magnitude;

    if (LIKELY(fits_64_bits(digits, &magnitude)))
        return small(negative, magnitude);
    return (struct flat_numeric){ .kind = NUMERIC_BIG, .negative = negative, .digits = digits };
}

struct flat_numeric flat_numeric(const struct flat *number)
{
    if (number->kind == JSON_INTEGER)
        return integer(flat_str(number));

    const struct decimal decimal = read_decimal(flat_str(number));
    double value = to_double(&decimal, flat_str(number));

    return (struct flat_numeric){ .kind = NUMERIC_REAL, .negative = value < 0, .real = value };
}

double flat_big_double(const struct flat_numeric *big)
{
    double value = big->digits.len < FLAT_REAL_DIGITS ? convert(big->digits) : (double)INFINITY;

    return big->negative ? -value : value;
}

size_t flat_real_digits(double real, char digits[static FLAT_REAL_DIGITS])
{
    int len = snprintf(digits, FLAT_REAL_DIGITS, "%.0f", fabs(real));

    assert(len > 0 && len < FLAT_REAL_DIGITS);
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
    char digits[FLAT_REAL_DIGITS];

    if (real < TWO_TO_64)
        return 1;
    if (isinf(real))
        return -1;
    return compare_digits(big, (struct str){ digits, flat_real_digits(real, digits) });
}

/* Order without signs; `a->kind` is not above `b->kind`. */
static int compare_magnitudes(const struct flat_numeric *a, const struct flat_numeric *b)
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

int flat_compare_numbers(const struct flat *a, const struct flat *b)
{
    struct flat_numeric x = flat_numeric(a);
    struct flat_numeric y = flat_numeric(b);
    int result;

    if (x.negative != y.negative)
        return x.negative ? -1 : 1; /* zero is never negative */
    result = x.kind <= y.kind ? compare_magnitudes(&x, &y) : -compare_magnitudes(&y, &x);
    return x.negative ? -result : result;
}

double flat_double(const struct flat *number)
{
    struct flat_numeric exact = flat_numeric(number);

    if (exact.kind == NUMERIC_BIG)
        return flat_big_double(&exact);
    if (exact.kind == NUMERIC_REAL)
        return exact.real;
    return exact.negative ? -(double)exact.magnitude : (double)exact.magnitude;
}

bool flat_int64(const struct flat *number, int64_t *value)
{
    struct flat_numeric exact = flat_numeric(number);

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
