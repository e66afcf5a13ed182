/*
 * json_read_number.c - numbers: 64-bit integers become json-c's, all others keep their text.
 *
 * The text is the user data of a json-c double, with a serializer that writes it, so that 30
 * digits, 1e400 and -0 are written as they were read. json_object_deep_copy() cannot copy such a
 * number without help, so json_copy() is here, too.
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/chars.h"
#include "base/json_internal.h"

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
    bool cut;     /* the mantissa did not hold all digits */
    bool integer; /* neither fraction nor exponent */
};

static inline bool at_digit(const struct json_input *in)
{
    return in->at < in->end && char_is_digit((char)*in->at);
}

static bool number_fail(struct json_input *in, const char *reason)
{
    in->reason = reason;
    return false;
}

static inline void add_digit(struct decimal *number, unsigned digit)
{
    if (LIKELY(number->mantissa < MANTISSA_FULL ||
               (number->mantissa == MANTISSA_FULL && digit <= UINT64_MAX % 10)))
        number->mantissa = number->mantissa * 10 + digit;
    else
        number->cut = true;
}

static bool scan_integer(struct json_input *in, struct decimal *number)
{
    number->negative = *in->at == '-';
    if (number->negative)
        in->at++;
    if (!at_digit(in))
        return number_fail(in, "a number needs a digit behind '-'");
    if (*in->at == '0') {
        in->at++;
        return at_digit(in) ? number_fail(in, "a number must not begin with 0") : true;
    }
    while (at_digit(in))
        add_digit(number, *in->at++ - (unsigned)'0');
    return true;
}

static bool scan_fraction(struct json_input *in, struct decimal *number)
{
    in->at++;
    if (!at_digit(in))
        return number_fail(in, "a number needs a digit behind '.'");

    const unsigned char *start = in->at;

    while (at_digit(in))
        add_digit(number, *in->at++ - (unsigned)'0');
    number->exponent = (long)(start - in->at);
    return true;
}

static bool scan_exponent(struct json_input *in, struct decimal *number)
{
    long exponent = 0;
    bool negative = false;

    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
        negative = *in->at++ == '-';
    if (!at_digit(in))
        return number_fail(in, "a number needs a digit in its exponent");
    for (; at_digit(in); in->at++) {
        if (exponent < EXPONENT_FULL)
            exponent = exponent * 10 + (*in->at - '0');
    }
    number->exponent += negative ? -exponent : exponent;
    return true;
}

/*
 * With few digits and a small power of ten, one operation on exact operands gives the correctly
 * rounded result. All others are left to strtod(); the program never sets a locale.
 */
static double to_double(const struct decimal *number, const char *text)
{
    static const double powers[EXACT_POWER + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

    if (FLT_EVAL_METHOD != 0 || number->cut || number->mantissa > EXACT_MANTISSA ||
        number->exponent < -EXACT_POWER || number->exponent > EXACT_POWER)
        return strtod(text, NULL);

    double value = (double)number->mantissa;

    if (number->exponent < 0)
        value /= powers[-number->exponent];
    else
        value *= powers[number->exponent];
    return number->negative ? -value : value;
}

static int write_source(struct json_object *number, struct printbuf *out, int level, int flags)
{
    const struct json_source *source = json_source(number);

    (void)level;
    (void)flags;
    return printbuf_memappend(out, source->text, (int)source->len);
}

static void free_source(struct json_object *number, void *source)
{
    (void)number;
    mem_free(source);
}

/* Takes ownership of `source`. */
static struct json_object *with_source(double value, struct json_source *source)
{
    struct json_object *made = json_made(json_object_new_double(value));

    json_object_set_serializer(made, write_source, source, free_source);
    return made;
}

static struct json_source *make_source(bool integer, struct str text)
{
    struct json_source *source = mem_realloc(NULL, sizeof(*source) + text.len + 1);

    source->integer = integer;
    source->len = text.len;
    memcpy(source->text, text.ptr, text.len);
    source->text[text.len] = '\0';
    return source;
}

static struct json_object *make_number(const struct decimal *number, struct str text)
{
    bool fits = number->integer && !number->cut;

    if (fits && !number->negative) {
        if (LIKELY(number->mantissa <= INT64_MAX))
            return json_made(json_object_new_int64((int64_t)number->mantissa));
        return json_made(json_object_new_uint64(number->mantissa));
    }
    /* -0 must be written as -0. */
    if (fits && number->mantissa > 0 && number->mantissa <= (uint64_t)INT64_MAX + 1)
        return json_made(json_object_new_int64((int64_t)-number->mantissa));

    struct json_source *source = make_source(number->integer, text);

    return with_source(to_double(number, source->text), source);
}

bool json_scan_number(struct json_input *in, struct json_object **out)
{
    const unsigned char *start = in->at;
    struct decimal number = { .integer = true };

    if (!scan_integer(in, &number))
        return false;
    if (in->at < in->end && *in->at == '.') {
        number.integer = false;
        if (!scan_fraction(in, &number))
            return false;
    }
    if (in->at < in->end && (*in->at | 0x20) == 'e') {
        number.integer = false;
        if (!scan_exponent(in, &number))
            return false;
    }
    *out = make_number(&number, (struct str){ (const char *)start, (size_t)(in->at - start) });
    return true;
}

/* As json-c does, except for numbers with a text. */
static int copy_shallow(struct json_object *value, struct json_object *parent, const char *key,
                        size_t index, struct json_object **copy)
{
    const struct json_source *source = NULL;

    if (json_object_is_type(value, json_type_double))
        source = json_source(value);
    if (!source)
        return json_c_shallow_copy_default(value, parent, key, index, copy);
    *copy = with_source(json_object_get_double(value),
                        make_source(source->integer, (struct str){ source->text, source->len }));
    return 2; /* the serializer is already set */
}

struct json_object *json_copy(struct json_object *value)
{
    struct json_object *copy = NULL;

    if (value && json_object_deep_copy(value, &copy, copy_shallow) != 0)
        abort();
    return copy;
}
