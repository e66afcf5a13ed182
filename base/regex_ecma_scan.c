/*
 * regex_ecma_scan.c - the lexical parts of ECMA-262 patterns: characters, escapes, names, counts.
 *
 * The escapes are those of the `u` flag: a letter without a meaning is an error, so \a, \A, \Z and
 * \Q of other dialects are refused.
 */
#include "base/chars.h"
#include "base/regex_ecma_internal.h"
#include "base/utf8.h"

static char next_char(const struct ecma_scan *scan)
{
    if (ecma_scan_ended(scan))
        return '\0';
    return scan->text.ptr[scan->at];
}

bool ecma_scan_character(struct ecma_scan *scan, uint32_t *code, struct error *err)
{
    struct str rest = str_from(scan->text, scan->at);

    if (!utf8_take(&rest, code))
        return fail(err, ERR_MALFORMED, "at byte %zu: not UTF-8", scan->at);
    scan->at = scan->text.len - rest.len;
    return true;
}

/* ------------------------------------------------------------------ numbers in escapes */

static bool take_hex_digit(struct ecma_scan *scan, uint32_t *value)
{
    int digit = char_hex_value(next_char(scan));

    if (digit < 0)
        return false;
    *value = *value << 4 | (uint32_t)digit;
    scan->at++;
    return true;
}

/* Exactly `count` hexadecimal digits. */
static bool take_hex(struct ecma_scan *scan, unsigned count, uint32_t *value)
{
    size_t start = scan->at;

    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!take_hex_digit(scan, value)) {
            scan->at = start;
            return false;
        }
    }
    return true;
}

/* {H...}, up to the largest code point. */
static bool take_braced_hex(struct ecma_scan *scan, uint32_t *value)
{
    *value = 0;
    if (!ecma_scan_accept(scan, "{") || !take_hex_digit(scan, value))
        return false;
    while (*value <= UTF8_CODEPOINT_MAX && take_hex_digit(scan, value))
        continue;
    return *value <= UTF8_CODEPOINT_MAX && ecma_scan_accept(scan, "}");
}

/* HHHH, HHHH\uHHHH for a surrogate pair, or {H...}. */
static bool take_unicode(struct ecma_scan *scan, uint32_t *value)
{
    struct ecma_scan after;
    uint32_t low;

    if (ecma_scan_peek(scan, "{"))
        return take_braced_hex(scan, value);
    if (!take_hex(scan, 4, value))
        return false;
    after = *scan;
    if (*value >= 0xD800 && *value <= 0xDBFF && ecma_scan_accept(&after, "\\u") &&
        take_hex(&after, 4, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        *value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
        *scan = after;
    }
    return true;
}

/* --------------------------------------------------------------------------- the escapes */

/* \t and the like, with what they stand for. */
static const char controls[][2] = {
    { 't', '\t' }, { 'n', '\n' }, { 'v', '\v' }, { 'f', '\f' }, { 'r', '\r' },
};

static bool take_control(struct ecma_scan *scan, struct ecma_escape *out)
{
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        if (controls[i][0] == out->letter) {
            out->code = (uint32_t)controls[i][1];
            return true;
        }
    }
    if (out->letter != 'c' || !char_is_alpha(next_char(scan)))
        return false;
    out->code = (unsigned char)scan->text.ptr[scan->at++] & 0x1FU;
    return true;
}

/* p or P: {name}, {name=value}; regex_property_add() checks the name. */
static bool take_property(struct ecma_scan *scan, struct ecma_escape *out)
{
    size_t start = scan->at + 1;

    if (!ecma_scan_accept(scan, "{"))
        return false;
    while (char_is_alnum(next_char(scan)) || next_char(scan) == '_' || next_char(scan) == '=')
        scan->at++;
    out->name = ecma_scan_since(scan, start);
    return ecma_scan_accept(scan, "}");
}

static bool take_set(struct ecma_scan *scan, struct ecma_escape *out)
{
    out->kind = ECMA_SET;
    if (out->letter == 'p' || out->letter == 'P')
        return take_property(scan, out);
    return true;
}

/* A number that is too large for any group must not overflow. */
static void take_group_number(struct ecma_scan *scan, struct ecma_escape *out)
{
    out->kind = ECMA_REFERENCE;
    out->code = (uint32_t)(out->letter - '0');
    while (char_is_digit(next_char(scan))) {
        uint32_t digit = (uint32_t)(scan->text.ptr[scan->at++] - '0');

        out->code = out->code > 100000 ? out->code : out->code * 10 + digit;
    }
}

/* The escapes of a letter and what belongs to it; false for an unknown one. */
static bool take_lettered(struct ecma_scan *scan, bool in_class, struct ecma_escape *out)
{
    switch (out->letter) {
    case 'b':
        out->code = '\b';
        out->kind = in_class ? ECMA_CHARACTER : ECMA_BOUNDARY;
        return true;
    case 'B':
        out->kind = ECMA_BOUNDARY;
        return !in_class;
    case 'k':
        out->kind = ECMA_NAMED_REFERENCE;
        return !in_class && ecma_scan_accept(scan, "<") && ecma_scan_name(scan, &out->name);
    case 'x':
        return take_hex(scan, 2, &out->code);
    case 'u':
        return take_unicode(scan, &out->code);
    default:
        return strchr("dDsSwWpP", out->letter) ? take_set(scan, out) : take_control(scan, out);
    }
}

static bool take_escape(struct ecma_scan *scan, bool in_class, struct ecma_escape *out)
{
    if (out->letter == '0') {
        out->code = 0;
        return !char_is_digit(next_char(scan));
    }
    if (char_is_digit(out->letter)) {
        take_group_number(scan, out);
        return !in_class;
    }
    return take_lettered(scan, in_class, out);
}

bool ecma_scan_escape(struct ecma_scan *scan, bool in_class, struct ecma_escape *out,
                      struct error *err)
{
    *out = (struct ecma_escape){ .kind = ECMA_CHARACTER, .at = scan->at++ };
    if (ecma_scan_ended(scan))
        return fail(err, ERR_MALFORMED, "at byte %zu: nothing behind the backslash", out->at);
    out->letter = scan->text.ptr[scan->at];
    if (!char_is_alnum(out->letter))
        return ecma_scan_character(scan, &out->code, err);
    scan->at++;
    return take_escape(scan, in_class, out) ||
           fail(err, ERR_MALFORMED, "at byte %zu: unknown escape", out->at);
}

/* ----------------------------------------------------------------------- names and counts */

/* Any character above ASCII is allowed: the name is only compared with other names. */
bool ecma_scan_name(struct ecma_scan *scan, struct str *name)
{
    size_t start = scan->at;

    for (char c = next_char(scan); c != '\0'; c = next_char(scan)) {
        bool fits = char_is_alpha(c) || c == '_' || c == '$' || !char_is_ascii(c) ||
                    (char_is_digit(c) && scan->at > start);

        if (!fits)
            break;
        scan->at++;
    }
    *name = ecma_scan_since(scan, start);
    return name->len > 0 && ecma_scan_accept(scan, ">");
}

const char *ecma_scan_look(struct ecma_scan *scan)
{
    static const char *const looks[] = { "(?=", "(?!", "(?<=", "(?<!" };

    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (ecma_scan_accept(scan, looks[i]))
            return looks[i];
    return NULL;
}

static struct str take_digits(struct ecma_scan *scan)
{
    size_t start = scan->at;

    while (char_is_digit(next_char(scan)))
        scan->at++;
    return ecma_scan_since(scan, start);
}

/* Order of two decimal numbers of any length. */
static int order_of_counts(struct str a, struct str b)
{
    while (a.len > 1 && a.ptr[0] == '0')
        a = str_from(a, 1);
    while (b.len > 1 && b.ptr[0] == '0')
        b = str_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return str_compare(a, b);
}

struct ecma_count ecma_scan_count(const struct ecma_scan *scan)
{
    struct ecma_scan ahead = *scan;
    struct ecma_count count = { 0 };
    struct str most = { 0 };

    ahead.at++;

    struct str least = take_digits(&ahead);

    if (least.len == 0)
        return count;
    if (ecma_scan_accept(&ahead, ","))
        most = take_digits(&ahead);
    if (!ecma_scan_accept(&ahead, "}"))
        return count;
    count.length = ahead.at - scan->at;
    count.reversed = most.len > 0 && order_of_counts(least, most) > 0;
    return count;
}

/* --------------------------------------------------------------------- counting the groups */

static void scan_class(struct ecma_scan *scan)
{
    while (!ecma_scan_ended(scan) && next_char(scan) != ']')
        scan->at += next_char(scan) == '\\' ? 2 : 1;
}

/* Step over the opening of the next capturing group. False when there is none. */
static bool next_group(struct ecma_scan *scan, struct str *name)
{
    *name = (struct str){ 0 };
    for (; !ecma_scan_ended(scan); scan->at++) {
        if (ecma_scan_accept(scan, "[")) {
            scan_class(scan);
        } else if (next_char(scan) == '\\') {
            scan->at++;
        } else if (ecma_scan_accept(scan, "(")) {
            if (!ecma_scan_peek(scan, "?"))
                return true;
            if (ecma_scan_accept(scan, "?<") && ecma_scan_name(scan, name))
                return true;
            scan->at--; /* undoes the loop's step: what follows may open a group itself */
        }
    }
    return false;
}

unsigned ecma_scan_groups(struct str pattern)
{
    struct ecma_scan scan = { .text = pattern };
    struct str name;
    unsigned count = 0;

    while (next_group(&scan, &name))
        count++;
    return count;
}

unsigned ecma_scan_group(struct str pattern, struct str name)
{
    struct ecma_scan scan = { .text = pattern };
    struct str here;

    for (unsigned number = 1; next_group(&scan, &here); number++) {
        if (here.len > 0 && str_equal(here, name))
            return number;
    }
    return 0;
}
