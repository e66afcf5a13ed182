/*
 * format.c - see format.h: the table of formats, and the functions of some small ones.
 */
#include "schema/format/format.h"

#include "base/attr.h"
#include "base/chars.h"
#include "base/flat.h"
#include "base/regex.h"
#include "schema/format/format_internal.h"

struct format {
    struct str name;
    bool (*check)(struct str text);
};

/* 8-4-4-4-12 hexadecimal digits, RFC 4122; any version and variant. */
static bool is_uuid(struct str text)
{
    static const unsigned char digits[] = { 8, 4, 4, 4, 12 };

    for (size_t i = 0; i < COUNT_OF(digits); i++) {
        if (i > 0 && !take_char(&text, "-"))
            return false;
        if (take_run(&text, char_is_hex) != digits[i])
            return false;
    }
    return text.len == 0;
}

/* A non-negative integer without leading zeros. */
static bool take_natural(struct str *text)
{
    return take_char(text, "0") ||
           (next_is_one_of(*text, "123456789") && take_run(text, char_is_digit));
}

/* An integer, optionally "+" or "-" and another one ("0-1"), then "#" or a JSON Pointer. */
static bool is_relative_json_pointer(struct str text)
{
    if (!take_natural(&text))
        return false;
    if (take_char(&text, "+-") && !take_natural(&text))
        return false;
    return str_equal(text, STR("#")) || json_pointer_is_valid(text);
}

static const struct format formats[] = {
    { STR_INIT("date"), format_is_date },
    { STR_INIT("date-time"), format_is_date_time },
    { STR_INIT("duration"), format_is_duration },
    { STR_INIT("email"), format_is_email },
    { STR_INIT("hostname"), format_is_hostname },
    { STR_INIT("idn-email"), format_is_idn_email },
    { STR_INIT("idn-hostname"), format_is_idn_hostname },
    { STR_INIT("ipv4"), format_is_ipv4 },
    { STR_INIT("ipv6"), format_is_ipv6 },
    { STR_INIT("iri"), format_is_iri },
    { STR_INIT("iri-reference"), format_is_iri_reference },
    { STR_INIT("json-pointer"), json_pointer_is_valid },
    { STR_INIT("regex"), regex_is_ecma },
    { STR_INIT("relative-json-pointer"), is_relative_json_pointer },
    { STR_INIT("time"), format_is_time },
    { STR_INIT("uri"), format_is_uri },
    { STR_INIT("uri-reference"), format_is_uri_reference },
    { STR_INIT("uri-template"), format_is_uri_template },
    { STR_INIT("uuid"), is_uuid },
};

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (str_equal(formats[i].name, name))
            return &formats[i];
    }
    return NULL;
}

bool format_check(const struct format *format, struct str text)
{
    return format->check(text);
}
