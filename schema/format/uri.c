/*
 * uri.c - URIs (RFC 3986), IRIs (RFC 3987) and URI templates (RFC 6570).
 *
 * The grammar of an IRI is that of a URI with more characters, so both use the same functions. A
 * host such as "999.1.1.1", which is not a valid IPv4 address, is a registered name (RFC 3986).
 */
#include "base/uri.h"
#include "base/chars.h"
#include "base/utf8.h"
#include "schema/format/format_internal.h"

/* unreserved and sub-delims. */
#define PLAIN "-._~!$&'()*+,;="

enum alphabet {
    URI,
    IRI,
    IRI_PRIVATE, /* the query of an IRI: also private-use characters */
};

/* Is it an ucschar of RFC 3987, or with `private_use` an ucschar or iprivate? */
static bool is_iri_character(unsigned code, bool private_use)
{
    unsigned plane = code >> 16;

    if (plane == 0)
        return (code >= 0xA0 && code <= 0xD7FF) || (code >= 0xF900 && code <= 0xFDCF) ||
               (code >= 0xFDF0 && code <= 0xFFEF) ||
               (private_use && code >= 0xE000 && code <= 0xF8FF);
    if ((code & 0xFFFF) > 0xFFFD)
        return false;
    if (plane < 14)
        return true;
    return plane == 14 ? code >= 0xE1000 : private_use;
}

/* A character of the alphabet or of `more`, or a percent-encoded byte. */
static bool take_part_char(struct str *text, enum alphabet alphabet, const char *more)
{
    struct str rest = *text;
    uint32_t code;

    if (take_percent(text))
        return true;
    if (!utf8_take(&rest, &code))
        return false;
    if (code < 0x80 ? !char_is_alnum((char)code) && !char_is_one_of((char)code, PLAIN) &&
                          !char_is_one_of((char)code, more)
                    : alphabet == URI || !is_iri_character(code, alphabet == IRI_PRIVATE))
        return false;
    *text = rest;
    return true;
}

/* Does `part` consist of such characters only? */
static bool is_part(struct str part, enum alphabet alphabet, const char *more)
{
    while (part.len > 0) {
        if (!take_part_char(&part, alphabet, more))
            return false;
    }
    return true;
}

/* RFC 3986's IPvFuture, such as "v1.fe80". */
static bool is_future_address(struct str text)
{
    return take_char(&text, "vV") && take_run(&text, char_is_hex) > 0 && take_char(&text, ".") &&
           text.len > 0 && !memchr(text.ptr, '%', text.len) && is_part(text, URI, ":");
}

/* "[...]", and the ":" before a port. The port is left in `*text`. */
static bool take_address(struct str *text)
{
    struct str address;

    if (!take_char(text, "[") || text->len == 0 || !memchr(text->ptr, ']', text->len))
        return false;
    address = take_until(text, ']');
    return (format_is_ipv6(address) || is_future_address(address)) &&
           (text->len == 0 || take_char(text, ":"));
}

/* [userinfo "@"] host [":" port] */
static bool is_authority(struct str text, enum alphabet alphabet)
{
    if (text.len > 0 && memchr(text.ptr, '@', text.len) &&
        !is_part(take_until(&text, '@'), alphabet, ":"))
        return false;
    if (next_is_one_of(text, "[") ? !take_address(&text)
                                  : !is_part(take_until(&text, ':'), alphabet, ""))
        return false;
    return text.len == 0 || all_are(text, char_is_digit);
}

/* Without a scheme, the first segment of the path must not contain a colon. */
static bool has_colon_in_first_segment(struct str path)
{
    struct str segment = take_until(&path, '/');

    return segment.len > 0 && memchr(segment.ptr, ':', segment.len) != NULL;
}

static bool is_reference(struct str text, enum alphabet alphabet, bool absolute)
{
    struct uri uri = uri_split(text);

    if (!uri.has_scheme && (absolute || has_colon_in_first_segment(uri.path)))
        return false;
    if (uri.has_authority && !is_authority(uri.authority, alphabet))
        return false;
    return is_part(uri.path, alphabet, ":@/") &&
           is_part(uri.query, alphabet == IRI ? IRI_PRIVATE : URI, ":@/?") &&
           is_part(uri.fragment, alphabet, ":@/?");
}

bool format_is_uri(struct str text)
{
    return is_reference(text, URI, true);
}

bool format_is_uri_reference(struct str text)
{
    return is_reference(text, URI, false);
}

bool format_is_iri(struct str text)
{
    return is_reference(text, IRI, true);
}

bool format_is_iri_reference(struct str text)
{
    return is_reference(text, IRI, false);
}

/* ------------------------------------------------------------------------------ templates */

static bool take_literal(struct str *text)
{
    struct str rest = *text;
    uint32_t code;

    if (take_percent(text))
        return true;
    if (!utf8_take(&rest, &code))
        return false;
    if (code < 0x80 ? code <= ' ' || code == 0x7F || char_is_one_of((char)code, "\"%<>\\^`{|}")
                    : !is_iri_character(code, true))
        return false;
    *text = rest;
    return true;
}

static bool take_name_char(struct str *text)
{
    if (text->len > 0 && (char_is_alnum(text->ptr[0]) || text->ptr[0] == '_')) {
        *text = str_from(*text, 1);
        return true;
    }
    return take_percent(text);
}

/* A varspec: a name, which can contain single dots, then optionally "*", or ":" and 1 to 9999. */
static bool take_variable(struct str *text)
{
    if (!take_name_char(text))
        return false;
    for (;;) {
        bool dot = take_char(text, ".");

        if (take_name_char(text))
            continue;
        if (dot)
            return false;
        break;
    }
    if (take_char(text, "*") || !take_char(text, ":"))
        return true;
    return next_is_one_of(*text, "123456789") && take_run(text, char_is_digit) <= 4;
}

static bool take_expression(struct str *text)
{
    if (!take_char(text, "{"))
        return false;
    (void)take_char(text, "+#./;?&=,!@|");
    do {
        if (!take_variable(text))
            return false;
    } while (take_char(text, ","));
    return take_char(text, "}");
}

bool format_is_uri_template(struct str text)
{
    while (text.len > 0) {
        if (!(next_is_one_of(text, "{") ? take_expression(&text) : take_literal(&text)))
            return false;
    }
    return true;
}
