/*
 * mhd.c - see mhd.h. Names that the header of 0.9.75 does not have are given by their numbers.
 */
#include "server/http/mhd.h"

#include <microhttpd.h>
#include <string.h>

#include "base/chars.h"
#include "base/str.h"

enum {
    DISCIPLINE_OPTION = 38,           /* MHD_OPTION_CLIENT_DISCIPLINE_LVL */
    NO_THREAD_SAFETY_FLAG = 1U << 19, /* MHD_USE_NO_THREAD_SAFETY */
    CRLF = 2,
};

const char *http_mhd_version(void)
{
    return MHD_get_version();
}

/* Does the loaded version refuse malformed requests by itself? */
static bool is_strict(void)
{
    return MHD_get_version()[0] != '0';
}

bool http_mhd_is_safe(const char *version)
{
    struct str text = str_from_c(version);

    if (!str_starts_with(text, STR("1.0.")))
        return true;

    struct str patch = str_from(text, sizeof("1.0.") - 1);

    /* Two digits are 10 or more, unless the second is no digit. */
    return patch.len >= 2 && patch.ptr[0] != '0' && char_is_digit(patch.ptr[1]);
}

/*
 * From 1.0 on an added connection starts only in MHD's next run, except with this flag: then it
 * starts at once, as before 1.0.
 */
unsigned http_mhd_flags(void)
{
    return is_strict() ? NO_THREAD_SAFETY_FLAG : 0;
}

/*
 * Before 1.0 MHD is set to lenient: what its strict mode would refuse, and more, is refused by
 * gate.h and struct http_mhd_head, with one answer that has a request id.
 */
struct MHD_OptionItem http_mhd_discipline(void)
{
    if (is_strict())
        return (struct MHD_OptionItem){ (enum MHD_OPTION)DISCIPLINE_OPTION, 1, NULL };
    return (struct MHD_OptionItem){ MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL };
}

/*
 * The target lies in MHD's own buffer, which MHD parses in place. Before 1.0.10, a last key without
 * a value and without a header after it makes MHD read at NULL, or append the body to the request
 * line. An empty query has no key. In all versions it saves the parsing of unused parameters.
 */
char http_mhd_cut_query(const char *target)
{
    char *query = strchr((char *)target, '?');
    char first;

    if (!query)
        return '\0';
    first = query[1];
    query[1] = '\0';
    return first;
}

bool http_mhd_is_handshake_failure(const char *format)
{
    static const char message[] = "Error: received handshake message out of context";

    return strncmp(format, message, sizeof(message) - 1) == 0;
}

int http_mhd_refusal(const char *format, va_list args)
{
    static const char message[] = "Error processing request (HTTP response code is %u";

    if (strncmp(format, message, sizeof(message) - 1) != 0)
        return 0;

    va_list copy;

    va_copy(copy, args);

    unsigned status = va_arg(copy, unsigned);

    va_end(copy);
    return (int)status;
}

/* Only texts that lie as they should are read: others may be anywhere. */
static void expect_at(struct http_mhd_head *head, const char *text)
{
    if (text != head->next)
        head->is_broken = true;
}

void http_mhd_head_begin(struct http_mhd_head *head, const struct http_line *line)
{
    *head = (struct http_mhd_head){ .next = line->method.ptr + line->method.len + 1 };
    expect_at(head, line->path.ptr);
    head->next = line->path.ptr + line->target_len + 1;
    expect_at(head, line->version.ptr);
    head->next = line->version.ptr + line->version.len + CRLF;
}

void http_mhd_head_header(struct http_mhd_head *head, struct str name, struct str value)
{
    expect_at(head, name.ptr);
    if (head->is_broken)
        return;
    head->next += name.len + 1;
    while (head->next < value.ptr && (*head->next == ' ' || *head->next == '\t'))
        head->next++;
    expect_at(head, value.ptr);
    head->next += value.len + CRLF;
}

bool http_mhd_head_is_complete(const struct http_mhd_head *head, const struct http_line *line,
                               struct MHD_Connection *mhd)
{
    if (is_strict())
        return true;

    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info && !head->is_broken && head->next + CRLF == line->method.ptr + info->header_size;
}
