/*
 * host.c - host names (RFC 1123), and internationalized host names: IDNA2008 (RFC 5890 to 5893).
 *
 * libidn2 checks single labels: code points, contextual rules, normalization, and Punycode in both
 * directions. The Bidi rule is implemented here: it applies to the whole name (one right-to-left
 * label makes it apply to all labels), and libidn2 does not check all its conditions.
 */
#include <idn2.h>
#include <stdint.h>
#include <unictype.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/utf8.h"
#include "schema/format/format_internal.h"

enum {
    MAX_LABEL = 63,
    MAX_NAME = 253,
    MAX_LABEL_UTF8 = 4 * MAX_LABEL, /* the Punycode of a longer label exceeds MAX_LABEL */
};

struct host {
    bool international;
    size_t length;         /* of the name with A-labels */
    bool right_to_left;    /* a label has a right-to-left character, so the Bidi rule applies */
    bool breaks_bidi_rule; /* a label does not satisfy the Bidi rule */
};

/* -------------------------------------------------------------------------- the Bidi rule */

#define CLASS(name) (1U << UC_BIDI_##name)

enum { RTL_LETTERS = CLASS(R) | CLASS(AL) };

static const uint32_t neutral =
    CLASS(ES) | CLASS(CS) | CLASS(ET) | CLASS(ON) | CLASS(BN) | CLASS(NSM) | CLASS(EN);

/* RFC 5893 section 2, for a label with these Bidi classes. */
static bool keeps_bidi_rule(uint32_t first, uint32_t last, uint32_t all)
{
    if (first & RTL_LETTERS)
        return (all & ~(neutral | RTL_LETTERS | CLASS(AN))) == 0 &&
               (last & (RTL_LETTERS | CLASS(EN) | CLASS(AN))) &&
               (all & (CLASS(EN) | CLASS(AN))) != (CLASS(EN) | CLASS(AN));
    return first == CLASS(L) && (all & ~(neutral | CLASS(L))) == 0 &&
           (last & (CLASS(L) | CLASS(EN)));
}

static void note_direction(struct host *host, struct str label)
{
    uint32_t first = 0;
    uint32_t last = 0; /* without nonspacing marks at the end */
    uint32_t all = 0;
    uint32_t code;

    while (utf8_take(&label, &code)) {
        uint32_t class = 1U << (unsigned)uc_bidi_category(code);

        first = first ? first : class;
        last = class == CLASS(NSM) ? last : class;
        all |= class;
    }
    if (all & (RTL_LETTERS | CLASS(AN)))
        host->right_to_left = true;
    if (!keeps_bidi_rule(first, last, all))
        host->breaks_bidi_rule = true;
}

/* --------------------------------------------------------------------------------- labels */

static void free_idn(char **text)
{
    idn2_free(*text);
}

/* An A-label: "xn--..." whose Punycode is the canonical form of a valid U-label. */
static bool take_a_label(struct host *host, struct str label)
{
    CLEANUP(free_idn) char *unicode = NULL;
    char lower[MAX_LABEL + 1] = "";

    for (size_t i = 0; i < label.len; i++)
        lower[i] = (char)(label.ptr[i] | (char_is_alpha(label.ptr[i]) ? 0x20 : 0));
    if (idn2_register_u8(NULL, (const uint8_t *)lower, NULL, 0) != IDN2_OK ||
        idn2_to_unicode_8z8z(lower, &unicode, 0) != IDN2_OK)
        return false;
    note_direction(host, str_from_c(unicode));
    host->length += label.len;
    return true;
}

static bool take_u_label(struct host *host, struct str label)
{
    CLEANUP(free_idn) char *ascii = NULL;
    char copy[MAX_LABEL_UTF8 + 1] = "";

    /* libidn2 does not check labels that are all ASCII. */
    if (label.len > MAX_LABEL_UTF8 || all_are(label, char_is_ascii) ||
        memchr(label.ptr, '\0', label.len))
        return false;
    memcpy(copy, label.ptr, label.len);
    if (idn2_register_u8((const uint8_t *)copy, NULL, (uint8_t **)&ascii, 0) != IDN2_OK)
        return false;
    note_direction(host, label);
    host->length += strlen(ascii);
    return strlen(ascii) <= MAX_LABEL;
}

static bool is_host_label_char(char c)
{
    return char_is_alnum(c) || c == '-';
}

static bool take_label(struct host *host, struct str label)
{
    if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    if (!all_are(label, is_host_label_char))
        return host->international && take_u_label(host, label);
    if (label.len > MAX_LABEL)
        return false;
    if (label.len >= 4 && str_equal_ignore_case((struct str){ label.ptr, 4 }, STR("xn--")))
        return take_a_label(host, label);
    /* IDNA reserves labels with "--" in the third and fourth position; RFC 1123 does not. */
    if (host->international && str_starts_with(str_from(label, 2), STR("--")))
        return false;
    note_direction(host, label);
    host->length += label.len;
    return true;
}

/* -------------------------------------------------------------------------------- names */

/* The length of the label separator at the front, or 0: ".", or in an IDN one of three others. */
static size_t separator_length(struct str text, bool international)
{
    static const struct str wide[] = { STR_INIT("\u3002"), STR_INIT("\uff0e"), STR_INIT("\uff61") };

    if (next_is_one_of(text, "."))
        return 1;
    for (size_t i = 0; international && i < COUNT_OF(wide); i++) {
        if (str_starts_with(text, wide[i]))
            return wide[i].len;
    }
    return 0;
}

static bool is_host(struct str text, bool international)
{
    struct host host = { .international = international };
    size_t separator;

    do {
        struct str label = { text.ptr, 0 };

        for (separator = 0; text.len > 0; text = str_from(text, 1), label.len++) {
            separator = separator_length(text, international);
            if (separator > 0)
                break;
        }
        if (!take_label(&host, label))
            return false;
        host.length += separator > 0 ? 1 : 0;
        if (host.length > MAX_NAME)
            return false;
        text = str_from(text, separator);
    } while (separator > 0);
    return !host.right_to_left || !host.breaks_bidi_rule;
}

bool format_is_hostname(struct str text)
{
    return is_host(text, false);
}

bool format_is_idn_hostname(struct str text)
{
    return is_host(text, true);
}
