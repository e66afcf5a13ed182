/*
 * net.c - IP addresses and email addresses.
 *
 * An email address is a Mailbox of RFC 5321: its domain can also be an address literal. The
 * internationalized form (RFC 6531) also allows all characters beyond ASCII. The labels of its
 * domain are not checked by the rules for IDNs; the format idn-hostname does that.
 */
#include "base/chars.h"
#include "schema/format/format_internal.h"

enum { MAX_LOCAL = 64, MAX_LABEL = 63, MAX_DOMAIN = 255 };

/* ------------------------------------------------------------------------------ addresses */

static bool is_octet(struct str text)
{
    int64_t value;

    return (text.len == 1 || !str_starts_with(text, STR("0"))) && whole_number(text, 255, &value);
}

bool format_is_ipv4(struct str text)
{
    for (int i = 0; i < 3; i++) {
        struct str octet = take_until(&text, '.');

        if (!is_octet(octet))
            return false;
    }
    return is_octet(text);
}

/* The number of groups in "1:2:..."; an IPv4 address at the end counts as two. -1: malformed. */
static int count_groups(struct str text, bool ipv4_may_end)
{
    int count = 0;

    if (text.len == 0)
        return 0;
    for (;;) {
        struct str rest = text;
        size_t digits = take_run(&rest, char_is_hex);

        if (next_is_one_of(rest, "."))
            return ipv4_may_end && format_is_ipv4(text) ? count + 2 : -1;
        if (digits < 1 || digits > 4)
            return -1;
        count++;
        if (rest.len == 0)
            return count;
        if (!take_char(&rest, ":"))
            return -1;
        text = rest;
    }
}

/* RFC 4291, section 2.2, without a zone; "::" stands for one or more groups. */
bool format_is_ipv6(struct str text)
{
    const char *gap = text.len ? memmem(text.ptr, text.len, "::", 2) : NULL;

    if (!gap)
        return count_groups(text, true) == 8;

    struct str before = { text.ptr, (size_t)(gap - text.ptr) };
    int left = count_groups(before, false);
    int right = count_groups(str_from(text, before.len + 2), true);

    return left >= 0 && right >= 0 && left + right < 8;
}

/* ------------------------------------------------------------------------ email addresses */

static bool is_atext(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

static bool is_international_atext(char c)
{
    return is_atext(c) || !char_is_ascii(c);
}

static bool is_label_char(char c)
{
    return char_is_alnum(c) || c == '-';
}

static bool is_international_label_char(char c)
{
    return is_label_char(c) || !char_is_ascii(c);
}

/* A quoted local part: printable ASCII; a backslash quotes the next character. */
static bool take_quoted(struct str *text, bool international)
{
    struct str rest = *text;

    if (!take_char(&rest, "\""))
        return false;
    while (!take_char(&rest, "\"")) {
        (void)take_char(&rest, "\\");
        if (rest.len == 0)
            return false;
        if (char_is_ascii(rest.ptr[0]) ? rest.ptr[0] < ' ' || rest.ptr[0] > '~' : !international)
            return false;
        rest = str_from(rest, 1);
    }
    *text = rest;
    return true;
}

/* Atoms separated by single dots, or a quoted string. */
static bool take_local(struct str *text, bool international)
{
    size_t before = text->len;

    if (!take_quoted(text, international)) {
        do {
            if (take_run(text, international ? is_international_atext : is_atext) == 0)
                return false;
        } while (take_char(text, "."));
    }
    return before - text->len <= MAX_LOCAL;
}

static bool is_mail_label(struct str label, bool international)
{
    return label.len > 0 && label.len <= MAX_LABEL && label.ptr[0] != '-' &&
           label.ptr[label.len - 1] != '-' &&
           all_are(label, international ? is_international_label_char : is_label_char);
}

static bool is_mail_domain(struct str text, bool international)
{
    if (text.len == 0 || text.len > MAX_DOMAIN || text.ptr[text.len - 1] == '.')
        return false;
    while (text.len > 0) {
        struct str label = take_until(&text, '.');

        if (!is_mail_label(label, international))
            return false;
    }
    return true;
}

static bool is_literal_char(char c)
{
    return c > ' ' && c <= '~' && !char_is_one_of(c, "[\\]");
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", "[tag:content]". */
static bool is_address_literal(struct str text)
{
    if (!take_char(&text, "[") || !str_ends_with(text, STR("]")))
        return false;
    text.len--;
    if (format_is_ipv4(text))
        return true;

    struct str content = text;
    struct str tag = take_until(&content, ':');

    if (str_equal_ignore_case(tag, STR("IPv6")))
        return format_is_ipv6(content);
    return tag.len > 0 && char_is_alnum(tag.ptr[tag.len - 1]) && all_are(tag, is_label_char) &&
           all_are(content, is_literal_char);
}

static bool is_mailbox(struct str text, bool international)
{
    return take_local(&text, international) && take_char(&text, "@") &&
           (next_is_one_of(text, "[") ? is_address_literal(text)
                                      : is_mail_domain(text, international));
}

bool format_is_email(struct str text)
{
    return is_mailbox(text, false);
}

bool format_is_idn_email(struct str text)
{
    return is_mailbox(text, true);
}
