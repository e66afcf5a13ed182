/*
 * flat_multiple.c - multipleOf by Python's rules (docs/decisions/010); see json.h.
 *
 * An integer divisor divides integers exactly, and doubles with fmod(). Any other divisor divides
 * doubles, so 4.35 is not a multiple of 0.01; only a quotient that is too large for a double is
 * computed exactly. Where Python raises an exception, the result is false.
 */
#include <math.h>
#include <string.h>

#include "base/flat_internal.h"

/* Decimal digits per 64-bit word; ten times the value still fits. */
enum { WORD_DIGITS = 18 };

#define WORD_BASE UINT64_C(1000000000000000000)

/* The decimal number `digits` modulo `divisor`, word by word: there may be a million digits. */
static uint64_t digits_modulo(struct str digits, uint64_t divisor)
{
    unsigned __int128 rest = 0;

    while (digits.len > 0) {
        size_t len = digits.len < WORD_DIGITS ? digits.len : WORD_DIGITS;
        uint64_t scale = 1;
        uint64_t word = 0;

        for (size_t i = 0; i < len; i++) {
            scale *= 10;
            word = word * 10 + (uint64_t)(digits.ptr[i] - '0');
        }
        rest = (rest * scale + word) % divisor;
        digits = str_from(digits, len);
    }
    return (uint64_t)rest;
}

/* The words of `digits`, the least significant first. */
static void to_words(struct str digits, uint64_t *words, size_t count)
{
    size_t end = digits.len;

    for (size_t i = 0; i < count; i++) {
        size_t start = end > WORD_DIGITS ? end - WORD_DIGITS : 0;

        words[i] = 0;
        for (size_t at = start; at < end; at++)
            words[i] = words[i] * 10 + (uint64_t)(digits.ptr[at] - '0');
        end = start;
    }
}

/* rest = rest * 10 + digit */
static void push_digit(uint64_t *rest, size_t count, uint64_t digit)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = rest[i] * 10 + digit;

        digit = value / WORD_BASE;
        rest[i] = value % WORD_BASE;
    }
}

static bool is_below(const uint64_t *a, const uint64_t *b, size_t count)
{
    while (count-- > 0) {
        if (a[count] != b[count])
            return a[count] < b[count];
    }
    return false;
}

/* a -= b, where b <= a */
static void subtract(uint64_t *a, const uint64_t *b, size_t count)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t minus = b[i] + borrow;

        borrow = a[i] < minus;
        a[i] = a[i] + (borrow ? WORD_BASE : 0) - minus;
    }
}

/* Is one big integer a multiple of another? Long division, digit by digit, for the remainder. */
static bool divides_big(struct str digits, struct str divisor)
{
    size_t count = divisor.len / WORD_DIGITS + 1; /* with room for one more digit */
    uint64_t *words = mem_alloc_array(count * 2, sizeof(*words));
    uint64_t *rest = words + count;
    bool zero = true;

    to_words(divisor, words, count);
    for (size_t i = 0; i < digits.len; i++) {
        push_digit(rest, count, (uint64_t)(digits.ptr[i] - '0'));
        while (!is_below(rest, words, count))
            subtract(rest, words, count);
    }
    for (size_t i = 0; i < count; i++)
        zero = zero && rest[i] == 0;
    mem_free(words);
    return zero;
}

static bool is_multiple_of_integer(const struct flat_numeric *number,
                                   const struct flat_numeric *divisor)
{
    if (divisor->kind == NUMERIC_SMALL && divisor->magnitude == 0)
        return false;
    if (number->kind == NUMERIC_REAL) {
        double by =
            divisor->kind == NUMERIC_BIG ? flat_big_double(divisor) : (double)divisor->magnitude;

        return isfinite(by) && fmod(number->real, by) == 0;
    }
    if (divisor->kind == NUMERIC_BIG)
        return number->kind == NUMERIC_BIG ? divides_big(number->digits, divisor->digits)
                                           : number->magnitude == 0;
    if (number->kind == NUMERIC_BIG)
        return digits_modulo(number->digits, divisor->magnitude) == 0;
    return number->magnitude % divisor->magnitude == 0;
}

/* value = odd * 2^exponent; `value` is finite and not 0. */
static void split(double value, uint64_t *odd, int *exponent)
{
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(value), exponent), 53);
    int zeros = __builtin_ctzll(mantissa);

    *odd = mantissa >> zeros;
    *exponent += zeros - 53;
}

/*
 * The quotient is larger than any double, so the divisor's power of two divides the number's (an
 * integer's is at least 0), and only the odd parts need to be divided.
 */
static bool is_exact_multiple(const struct flat_numeric *number, double divisor)
{
    uint64_t by;
    uint64_t odd;
    int by_exponent;
    int exponent;

    split(divisor, &by, &by_exponent);
    if (number->kind == NUMERIC_SMALL)
        return number->magnitude % by == 0;
    if (number->kind == NUMERIC_BIG)
        return digits_modulo(number->digits, by) == 0;
    split(number->real, &odd, &exponent);
    return odd % by == 0 && exponent >= by_exponent;
}

static bool is_multiple_of_real(const struct flat_numeric *number, double divisor)
{
    double value = number->real;

    if (number->kind == NUMERIC_SMALL)
        value = (double)number->magnitude;
    else if (number->kind == NUMERIC_BIG)
        value = flat_big_double(number);
    if (divisor == 0 || !isfinite(value))
        return false;

    double quotient = value / divisor;

    return isinf(quotient) ? is_exact_multiple(number, divisor) : trunc(quotient) == quotient;
}

bool flat_is_multiple(const struct flat *number, const struct flat *divisor)
{
    struct flat_numeric value = flat_numeric(number);
    struct flat_numeric by = flat_numeric(divisor);

    if (by.kind == NUMERIC_REAL)
        return is_multiple_of_real(&value, by.real);
    return is_multiple_of_integer(&value, &by);
}
