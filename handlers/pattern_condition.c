/*
 * pattern_condition.c - the conditions in the lists of a pattern: what they mean, and whether a
 * scalar of an event meets one.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/chars.h"
#include "base/utf8.h"
#include "handlers/pattern_internal.h"

enum {
    SURE_DIGITS = 15,
    EXPONENT_MAX = 1000000,
    DOUBLE_DIGITS = 17,
    DOUBLE_SIZE = 40,
    FEWER = 3, /* digits: from the most to those that are always enough */
};

/* Meeting a condition. */

/* A decimal number as written: the digits from the first that is not 0 on, perhaps with a point. */
struct pattern_decimal {
    const char *at;
    const char *end;
    int64_t exponent; /* of the first digit; without meaning if there is none */
};

/* Of a JSON number, behind its `e`. A very large one stays very large. */
static int64_t exponent_of(const char *at, const char *end)
{
    bool negative = *at == '-';
    int64_t exponent = 0;

    for (at += !char_is_digit(*at); at < end && exponent < EXPONENT_MAX; at++)
        exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

static struct pattern_decimal decimal_of(struct str text)
{
    const char *end = text.ptr + text.len;
    struct pattern_decimal decimal = { .at = text.ptr, .end = text.ptr };

    while (decimal.end < end && *decimal.end != 'e' && *decimal.end != 'E')
        decimal.end++;
    while (decimal.at < decimal.end && (*decimal.at < '1' || *decimal.at > '9'))
        decimal.at++;

    const char *point = memchr(text.ptr, '.', (size_t)(decimal.end - text.ptr));

    if (!point)
        point = decimal.end;
    decimal.exponent = point - decimal.at - (decimal.at < point);
    if (decimal.end < end)
        decimal.exponent += exponent_of(decimal.end + 1, end);
    return decimal;
}

/* The next digit; 0 at the end, where any number of them may follow. */
static char take_digit(struct pattern_decimal *decimal)
{
    while (decimal->at < decimal->end && !char_is_digit(*decimal->at))
        decimal->at++;
    if (decimal->at == decimal->end)
        return '0';
    return *decimal->at++;
}

/* Is the absolute value the same, digit for digit? */
static bool is_same_decimal(struct str a, struct str b)
{
    struct pattern_decimal one = decimal_of(a);
    struct pattern_decimal other = decimal_of(b);
    bool is_zero = one.at == one.end;

    if (is_zero || other.at == other.end)
        return is_zero && other.at == other.end;
    if (one.exponent != other.exponent)
        return false;
    while (one.at < one.end || other.at < other.end)
        if (take_digit(&one) != take_digit(&other))
            return false;
    return true;
}

/* Has the number so few digits, and no exponent, that a double is written with the same? */
static bool is_surely_double(struct str text)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == 'e' || text.ptr[i] == 'E')
            return false;
        digits += char_is_digit(text.ptr[i]);
    }
    return digits <= SURE_DIGITS;
}

/* The digits from the first to the last that is not 0, counted up to one more than a double has. */
static int count_digits(struct str text)
{
    struct pattern_decimal decimal = decimal_of(text);
    int count = 0;

    for (int zeros = 0; decimal.at < decimal.end && count <= DOUBLE_DIGITS;) {
        bool is_zero = take_digit(&decimal) == '0';

        count += is_zero ? 0 : zeros + 1;
        zeros = is_zero ? zeros + 1 : 0;
    }
    return count;
}

/* Write it with so many digits. Is it read as the same double again? */
static bool write_double(double value, int digits, char text[static DOUBLE_SIZE])
{
    (void)snprintf(text, DOUBLE_SIZE, "%.*e", digits - 1, value);
    return strtod(text, NULL) == value;
}

/*
 * Is the number what its nearest double is written as, with the fewest digits that tell it from
 * others? Others, as 1e400 or one of 20 digits, lie in no range and are compared as texts.
 *
 * Fifteen digits always tell it, except near 0. If more are needed, a few numbers of digits need to
 * be tried: a power of two has neighbours at two distances, so that one digit less is not enough to
 * try.
 */
static bool is_double(const struct flat *number, double *value)
{
    struct str written = flat_str(number);
    char text[DOUBLE_SIZE];
    int digits;

    *value = flat_double(number);
    if (is_surely_double(written))
        return true;
    digits = count_digits(written);
    if (!isfinite(*value) || digits > DOUBLE_DIGITS)
        return false;
    if (digits == 0 || (digits <= SURE_DIGITS && isnormal(*value)))
        return true;
    if (!write_double(*value, digits, text) || !is_same_decimal(written, str_from_c(text)))
        return false;
    for (int fewer = digits > FEWER ? digits - FEWER : 1; fewer < digits; fewer++)
        if (write_double(*value, fewer, text))
            return false;
    return true;
}

static bool meets_number(const struct pattern_number *number, const struct flat *value)
{
    double found;

    if (!flat_is_number(value))
        return false;
    if (number->is_double)
        return is_double(value, &found) && found == number->value;
    return str_equal(number->text, flat_str(value));
}

static bool meets_range(const struct pattern_range *range, const struct flat *value)
{
    double found;

    return flat_is_number(value) && is_double(value, &found) &&
           (range->from_included ? found >= range->from : found > range->from) &&
           (range->to_included ? found <= range->to : found < range->to);
}

static bool read_address(struct str text, struct pattern_block *out)
{
    char address[INET6_ADDRSTRLEN];

    if (text.len >= sizeof(address) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(address, text.ptr, text.len);
    address[text.len] = '\0';
    out->family = memchr(address, ':', text.len) ? AF_INET6 : AF_INET;
    return inet_pton(out->family, address, out->address) == 1;
}

static bool meets_block(const struct pattern_block *block, struct str value)
{
    struct pattern_block one;
    size_t bytes = block->bits / 8;
    unsigned rest = block->bits % 8;

    if (!read_address(value, &one) || one.family != block->family ||
        memcmp(one.address, block->address, bytes) != 0)
        return false;
    return rest == 0 || (one.address[bytes] ^ block->address[bytes]) >> (8 - rest) == 0;
}

/* The pieces in their order; between two of them may be anything. */
static bool meets_wildcard(const struct str *pieces, size_t count, struct str value)
{
    struct str last = pieces[count - 1];

    if (!str_starts_with(value, pieces[0]))
        return false;
    if (count == 1)
        return value.len == pieces[0].len;
    value = str_from(value, pieces[0].len);
    for (size_t i = 1; i + 1 < count; i++) {
        const char *at =
            value.len > 0 ? memmem(value.ptr, value.len, pieces[i].ptr, pieces[i].len) : NULL;

        if (!at)
            return false;
        value = str_from(value, (size_t)(at - value.ptr) + pieces[i].len);
    }
    return str_ends_with(value, last);
}

/* Is the byte one of the letter's two forms? False for a letter of several bytes. */
static bool is_byte_of(const struct pattern_letter *letter, char byte)
{
    return (letter->lower.len == 1 && byte == *letter->lower.ptr) ||
           (letter->upper.len == 1 && byte == *letter->upper.ptr);
}

/* Take the letter off the beginning of `text`. */
static bool take_first(const struct pattern_letter *letter, struct str *text)
{
    if (text->len > 0 && is_byte_of(letter, *text->ptr)) {
        text->ptr++;
        text->len--;
        return true;
    }

    struct str form = str_starts_with(*text, letter->lower) ? letter->lower : letter->upper;

    if (!str_starts_with(*text, form))
        return false;
    *text = str_from(*text, form.len);
    return true;
}

static bool take_last(const struct pattern_letter *letter, struct str *text)
{
    if (text->len > 0 && is_byte_of(letter, text->ptr[text->len - 1])) {
        text->len--;
        return true;
    }

    struct str form = str_ends_with(*text, letter->lower) ? letter->lower : letter->upper;

    if (!str_ends_with(*text, form))
        return false;
    text->len -= form.len;
    return true;
}

static bool meets_folded(const struct pattern_condition *condition, struct str value)
{
    const struct pattern_letter *letters = condition->letters.list;
    size_t count = condition->letters.count;
    bool backwards = condition->test == PATTERN_SUFFIX_FOLDED;

    for (size_t i = 0; i < count; i++)
        if (backwards ? !take_last(&letters[count - 1 - i], &value)
                      : !take_first(&letters[i], &value))
            return false;
    return condition->test != PATTERN_EQUAL_FOLDED || value.len == 0;
}

static bool meets_text(const struct pattern_condition *condition, struct str value)
{
    switch (condition->test) {
    case PATTERN_TEXT:
        return str_equal(value, condition->text);
    case PATTERN_PREFIX:
        return str_starts_with(value, condition->text);
    case PATTERN_SUFFIX:
        return str_ends_with(value, condition->text);
    case PATTERN_WILDCARD:
        return meets_wildcard(condition->wildcard.pieces, condition->wildcard.count, value);
    case PATTERN_CIDR:
        return meets_block(&condition->block, value);
    default:
        return meets_folded(condition, value);
    }
}

static bool meets_none(const struct pattern_condition *list, size_t count, const struct flat *value)
{
    for (size_t i = 0; i < count; i++)
        if (pattern_meets(&list[i], value))
            return false;
    return true;
}

bool pattern_meets(const struct pattern_condition *condition, const struct flat *value)
{
    switch (condition->test) {
    case PATTERN_NUMBER:
        return meets_number(&condition->number, value);
    case PATTERN_RANGE:
        return meets_range(&condition->range, value);
    case PATTERN_LITERAL:
        return flat_kind(value) == condition->literal.kind &&
               flat_is_true(value) == condition->literal.is_true;
    case PATTERN_EXISTS:
        return true;
    case PATTERN_ABSENT:
        return false;
    case PATTERN_ANYTHING_BUT:
        return meets_none(condition->but.list, condition->but.count, value);
    default:
        return flat_is_string(value) && meets_text(condition, flat_str(value));
    }
}

/* Compiling. */

static bool want_text(const struct flat *source, const char *name, struct error *err)
{
    return flat_is_string(source) || fail(err, ERR_INVALID, "%s takes a string", name);
}

/* A context for the compilation of one operator. */
struct operand {
    struct arena *arena;
    const struct flat *source; /* the value of the operator */
    bool is_negated;           /* inside `anything-but` */
};

static bool compile_exists(const struct operand *operand, struct pattern_condition *out,
                           struct error *err)
{
    if (!flat_is_boolean(operand->source))
        return fail(err, ERR_INVALID, "exists takes true or false");
    out->test = flat_is_true(operand->source) ? PATTERN_EXISTS : PATTERN_ABSENT;
    return true;
}

static bool compile_folded(const struct operand *operand, struct pattern_condition *out,
                           struct error *err)
{
    struct str text = flat_str(operand->source);
    struct pattern_letter *letters;
    struct str rest;
    uint32_t code;
    size_t count = 0;

    if (!want_text(operand->source, "equals-ignore-case", err))
        return false;
    letters = arena_alloc(operand->arena, (text.len + 1) * sizeof(*letters));
    for (rest = text; rest.len > 0; count++) {
        struct str one = rest;
        struct buf *lower = arena_buf(operand->arena, SIZE_MAX);
        struct buf *upper = arena_buf(operand->arena, SIZE_MAX);

        if (!utf8_take(&rest, &code))
            return fail(err, ERR_INVALID, "a string is no UTF-8");
        one.len -= rest.len;
        utf8_lower(lower, one);
        utf8_upper(upper, one);
        letters[count] = (struct pattern_letter){ buf_str(lower), buf_str(upper) };
    }
    out->test = PATTERN_EQUAL_FOLDED;
    out->letters.list = letters;
    out->letters.count = count;
    return true;
}

struct end_operator {
    const char *name;
    enum pattern_test exact;
    enum pattern_test folded;
};

/* `prefix` and `suffix`: a string, or one to compare without regard to case. */
static bool compile_end(const struct end_operator *end, const struct operand *operand,
                        struct pattern_condition *out, struct error *err)
{
    const struct flat *source = operand->source;

    if (flat_is_object(source) && flat_count(source) == 1 && !operand->is_negated) {
        struct operand inner = { operand->arena, source + 1, false };

        if (!str_equal(flat_key(inner.source), STR("equals-ignore-case")))
            return fail(err, ERR_INVALID, "%s takes a string or equals-ignore-case", end->name);
        if (!compile_folded(&inner, out, err))
            return false;
        out->test = end->folded;
        return true;
    }
    if (!want_text(source, end->name, err))
        return false;
    if (operand->is_negated && flat_str(source).len == 0)
        return fail(err, ERR_INVALID, "%s must not be empty inside anything-but", end->name);
    out->test = end->exact;
    out->text = arena_copy(operand->arena, flat_str(source));
    return true;
}

static bool compile_prefix(const struct operand *operand, struct pattern_condition *out,
                           struct error *err)
{
    static const struct end_operator end = { "prefix", PATTERN_PREFIX, PATTERN_PREFIX_FOLDED };

    return compile_end(&end, operand, out, err);
}

static bool compile_suffix(const struct operand *operand, struct pattern_condition *out,
                           struct error *err)
{
    static const struct end_operator end = { "suffix", PATTERN_SUFFIX, PATTERN_SUFFIX_FOLDED };

    return compile_end(&end, operand, out, err);
}

/* Take one piece off `text`, up to the next star. `*star`: there was one. */
static bool take_piece(struct arena *arena, struct str *text, struct str *piece, bool *star,
                       struct error *err)
{
    struct buf *out = arena_buf(arena, SIZE_MAX);
    size_t i = 0;

    for (; i < text->len && text->ptr[i] != '*'; i++) {
        if (text->ptr[i] == '\\' &&
            (++i == text->len || (text->ptr[i] != '*' && text->ptr[i] != '\\')))
            return fail(err, ERR_INVALID, "in wildcard, only * or \\ may follow a backslash");
        buf_add_char(out, text->ptr[i]);
    }
    *star = i < text->len;
    if (*star && i + 1 < text->len && text->ptr[i + 1] == '*')
        return fail(err, ERR_INVALID, "in wildcard, two * must not follow each other");
    *piece = buf_str(out);
    *text = *star ? str_from(*text, i + 1) : STR("");
    return true;
}

static bool compile_wildcard(const struct operand *operand, struct pattern_condition *out,
                             struct error *err)
{
    struct str text = flat_str(operand->source);
    struct str *pieces;
    bool star = true;

    if (!want_text(operand->source, "wildcard", err))
        return false;
    pieces = arena_alloc(operand->arena, (text.len + 1) * sizeof(*pieces));
    out->test = PATTERN_WILDCARD;
    out->wildcard.pieces = pieces;
    for (out->wildcard.count = 0; star; out->wildcard.count++)
        if (!take_piece(operand->arena, &text, &pieces[out->wildcard.count], &star, err))
            return false;
    return true;
}

static bool compile_cidr(const struct operand *operand, struct pattern_condition *out,
                         struct error *err)
{
    struct str bits_text = flat_is_string(operand->source) ? flat_str(operand->source) : STR("");
    struct str address = take_until(&bits_text, '/');
    struct pattern_block *block = &out->block;
    int64_t bits;

    out->test = PATTERN_CIDR;
    if (!read_address(address, block) || bits_text.len > 3 ||
        !whole_number(bits_text, block->family == AF_INET ? 32 : 128, &bits))
        return fail(err, ERR_INVALID, "cidr takes a block as 10.0.0.0/24");
    block->bits = (unsigned)bits;
    return true;
}

/* One comparison of `numeric`. False: it is none, or it does not fit behind the one before. */
static bool add_bound(struct pattern_range *range, struct str name, double bound, size_t before)
{
    bool included = str_ends_with(name, STR("="));

    if (str_equal(name, STR("=")) && before == 0) {
        *range = (struct pattern_range){ bound, bound, true, true };
        return true;
    }
    if ((str_equal(name, STR(">")) || str_equal(name, STR(">="))) && before == 0) {
        range->from = bound;
        range->from_included = included;
        return true;
    }
    if ((str_equal(name, STR("<")) || str_equal(name, STR("<="))) && range->to == INFINITY) {
        range->to = bound;
        range->to_included = included;
        return true;
    }
    return false;
}

static bool compile_numeric(const struct operand *operand, struct pattern_condition *out,
                            struct error *err)
{
    const struct flat *list = operand->source;
    struct pattern_range *range = &out->range;
    size_t count = flat_is_array(list) ? flat_count(list) : 0;

    out->test = PATTERN_RANGE;
    *range = (struct pattern_range){ -INFINITY, INFINITY, false, false };
    if (count != 2 && count != 4)
        return fail(err, ERR_INVALID,
                    "numeric takes one or two comparisons, as [\">\", 0, \"<\", 5]");
    for (size_t i = 0; i < count; i += 2) {
        const struct flat *name = flat_at(list, i);
        const struct flat *number = flat_at(list, i + 1);
        double bound;

        if (!flat_is_string(name) || !flat_is_number(number))
            return fail(err, ERR_INVALID, "in numeric, a number must follow each of = < <= > >=");
        if (!is_double(number, &bound))
            return fail(err, ERR_INVALID, "in numeric, a number does not fit a double");
        if (!add_bound(range, flat_str(name), bound, i))
            return fail(err, ERR_INVALID, "in numeric, = stands alone, and > comes before <");
    }
    if (count == 4 && (range->from >= range->to || range->from == -INFINITY))
        return fail(err, ERR_INVALID, "in numeric, the lower bound must be below the upper one");
    return true;
}

typedef bool compile_operator(const struct operand *operand, struct pattern_condition *out,
                              struct error *err);

static compile_operator compile_anything_but;

static const struct {
    struct str name;
    compile_operator *compile;
    bool may_be_negated; /* inside `anything-but` */
} operators[] = {
    { STR_INIT("exists"), compile_exists, false },
    { STR_INIT("prefix"), compile_prefix, true },
    { STR_INIT("suffix"), compile_suffix, true },
    { STR_INIT("equals-ignore-case"), compile_folded, true },
    { STR_INIT("wildcard"), compile_wildcard, true },
    { STR_INIT("cidr"), compile_cidr, false },
    { STR_INIT("numeric"), compile_numeric, false },
    { STR_INIT("anything-but"), compile_anything_but, false },
};

static compile_operator *find_operator(struct str name, bool negated)
{
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        if (str_equal(name, operators[i].name) && (operators[i].may_be_negated || !negated))
            return operators[i].compile;
    return NULL;
}

bool pattern_is_operator(struct str name)
{
    return find_operator(name, false) != NULL;
}

/* Compile `source` as one value of an operator inside anything-but, or a list of such values. */
static bool compile_negated(struct arena *arena, compile_operator *compile,
                            const struct flat *source, struct pattern_condition *out,
                            struct error *err)
{
    bool is_list = flat_is_array(source);
    size_t count = is_list ? flat_count(source) : 1;
    struct pattern_condition *list = arena_alloc(arena, (count + 1) * sizeof(*list));

    if (count == 0)
        return fail(err, ERR_INVALID, "a list inside anything-but is empty");
    for (size_t i = 0; i < count; i++) {
        struct operand operand = { arena, is_list ? flat_at(source, i) : source, true };

        if (!compile(&operand, &list[i], err))
            return false;
    }
    out->but.list = list;
    out->but.count = count;
    return true;
}

static bool compile_value(const struct operand *operand, struct pattern_condition *out,
                          struct error *err)
{
    const struct flat *source = operand->source;

    if (flat_is_string(source)) {
        out->test = PATTERN_TEXT;
        out->text = arena_copy(operand->arena, flat_str(source));
        return true;
    }
    if (flat_is_number(source)) {
        out->test = PATTERN_NUMBER;
        out->number.text = arena_copy(operand->arena, flat_str(source));
        out->number.is_double = is_double(source, &out->number.value);
        return out->number.is_double || !operand->is_negated ||
               fail(err, ERR_INVALID, "in anything-but, a number does not fit a double");
    }
    return fail(err, ERR_INVALID, "anything-but takes strings or numbers");
}

static bool compile_anything_but(const struct operand *operand, struct pattern_condition *out,
                                 struct error *err)
{
    const struct flat *source = operand->source;

    out->test = PATTERN_ANYTHING_BUT;
    if (flat_is_object(source)) {
        compile_operator *compile = NULL;

        if (flat_count(source) == 1)
            compile = find_operator(flat_key(source + 1), true);
        if (!compile)
            return fail(err, ERR_INVALID,
                        "anything-but takes one of prefix, suffix, equals-ignore-case, wildcard");
        return compile_negated(operand->arena, compile, source + 1, out, err);
    }
    if (flat_is_array(source))
        for (FLAT_EACH(element, source))
            if (flat_is_string(element) != flat_is_string(source + 1))
                return fail(err, ERR_INVALID, "anything-but takes all strings or all numbers");
    return compile_negated(operand->arena, compile_value, source, out, err);
}

bool pattern_compile_condition(struct arena *arena, const struct flat *source,
                               struct pattern_condition *out, struct error *err)
{
    struct operand operand = { arena, source, false };
    compile_operator *compile;

    *out = (struct pattern_condition){ 0 };
    if (flat_is_string(source) || flat_is_number(source))
        return compile_value(&operand, out, err);
    if (flat_is_array(source))
        return fail(err, ERR_INVALID, "a list must not contain a list");
    if (!flat_is_object(source)) {
        out->test = PATTERN_LITERAL;
        out->literal.kind = flat_kind(source);
        out->literal.is_true = flat_is_true(source);
        return true;
    }
    if (flat_count(source) != 1)
        return fail(err, ERR_INVALID, "an operator is an object with one key");
    operand.source = source + 1;
    compile = find_operator(flat_key(operand.source), false);
    return compile
               ? compile(&operand, out, err)
               : fail(err, ERR_INVALID, "%.*s is no operator", STR_ARG(flat_key(operand.source)));
}
