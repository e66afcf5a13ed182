/*
 * yaml_core.c - see yaml_core.h.
 *
 * The grammars of decimal numbers and of 0x and 0o are disjoint, so each is tried on its own.
 */
#include "settings/yaml_core.h"

#include <inttypes.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/json.h"

static const struct {
    const char *text;
    const char *json;
    enum yaml_core_kind kind;
} words[] = {
    { "", "null", YAML_CORE_NULL },          { "~", "null", YAML_CORE_NULL },
    { "null", "null", YAML_CORE_NULL },      { "Null", "null", YAML_CORE_NULL },
    { "NULL", "null", YAML_CORE_NULL },      { "true", "true", YAML_CORE_BOOLEAN },
    { "True", "true", YAML_CORE_BOOLEAN },   { "TRUE", "true", YAML_CORE_BOOLEAN },
    { "false", "false", YAML_CORE_BOOLEAN }, { "False", "false", YAML_CORE_BOOLEAN },
    { "FALSE", "false", YAML_CORE_BOOLEAN }, { ".inf", "", YAML_CORE_NO_JSON },
    { ".Inf", "", YAML_CORE_NO_JSON },       { ".INF", "", YAML_CORE_NO_JSON },
    { "+.inf", "", YAML_CORE_NO_JSON },      { "+.Inf", "", YAML_CORE_NO_JSON },
    { "+.INF", "", YAML_CORE_NO_JSON },      { "-.inf", "", YAML_CORE_NO_JSON },
    { "-.Inf", "", YAML_CORE_NO_JSON },      { "-.INF", "", YAML_CORE_NO_JSON },
    { ".nan", "", YAML_CORE_NO_JSON },       { ".NaN", "", YAML_CORE_NO_JSON },
    { ".NAN", "", YAML_CORE_NO_JSON },
};

/* Take the digits at the front of `rest` off. */
static struct str take_digits(struct str *rest)
{
    const char *start = rest->ptr;

    if (rest->len == 0)
        return STR("");
    return (struct str){ start, take_run(rest, char_is_digit) };
}

/* Is it empty or [eE] [-+]? [0-9]+ ? */
static bool is_exponent(struct str text)
{
    if (text.len == 0)
        return true;
    if (!take_char(&text, "eE"))
        return false;
    (void)take_char(&text, "+-");
    return all_are(text, char_is_digit);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static enum yaml_core_kind yaml_core_write_decimal(struct buf *out, struct str text)
{
    bool negative = str_starts_with(text, STR("-"));
    struct str fraction = STR("");
    struct str whole;
    bool point;

    (void)take_char(&text, "+-");
    whole = take_digits(&text);
    point = take_char(&text, ".");
    if (point)
        fraction = take_digits(&text);
    if (whole.len + fraction.len == 0 || !is_exponent(text))
        return YAML_CORE_STRING;
    while (whole.len > 1 && whole.ptr[0] == '0')
        whole = str_from(whole, 1);
    if (negative)
        buf_add_char(out, '-');
    buf_add(out, whole.len > 0 ? whole : STR("0"));
    if (point) {
        buf_add_char(out, '.');
        buf_add(out, fraction.len > 0 ? fraction : STR("0"));
    }
    buf_add(out, text);
    return point || text.len > 0 ? YAML_CORE_FLOAT : YAML_CORE_INTEGER;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* 0x or 0o and digits of that base, without a sign. */
static enum yaml_core_kind yaml_core_write_radix(struct buf *out, struct str text)
{
    bool hexadecimal = str_starts_with(text, STR("0x"));
    unsigned base = hexadecimal ? 16 : 8;
    struct str digits = str_from(text, 2);
    uint64_t value = 0;

    if ((!hexadecimal && !str_starts_with(text, STR("0o"))) ||
        !all_are(digits, hexadecimal ? char_is_hex : is_octal))
        return YAML_CORE_STRING;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)char_hex_value(digits.ptr[i]);

        if (value > (UINT64_MAX - digit) / base)
            return YAML_CORE_NO_JSON;
        value = value * base + digit;
    }
    buf_printf(out, "%" PRIu64, value);
    return YAML_CORE_INTEGER;
}

enum yaml_core_kind yaml_core_write(struct buf *out, struct str text)
{
    enum yaml_core_kind kind = yaml_core_write_decimal(out, text);

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal(text, str_from_c(words[i].text))) {
            buf_add(out, str_from_c(words[i].json));
            return words[i].kind;
        }
    if (kind == YAML_CORE_STRING)
        kind = yaml_core_write_radix(out, text);
    if (kind == YAML_CORE_STRING)
        json_write_string(out, text);
    return kind;
}

enum yaml_core_kind yaml_core_kind(struct str text)
{
    CLEANUP(buf_done) struct buf ignored;

    buf_init(&ignored, SIZE_MAX / 2);
    return yaml_core_write(&ignored, text);
}
