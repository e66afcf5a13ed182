/*
 * mhd.c - see mhd.h.
 *
 * Names that the headers of 0.9.75 do not have are given by their numbers.
 */
#include "server/http/mhd.h"

#include <microhttpd.h>
#include <string.h>

#include "base/chars.h"
#include "base/str.h"

enum {
    DISCIPLINE_OPTION = 38,           /* MHD_OPTION_CLIENT_DISCIPLINE_LVL */
    NO_THREAD_SAFETY_FLAG = 1U << 19, /* MHD_USE_NO_THREAD_SAFETY */
};

const char *http_library_version(void)
{
    return MHD_get_version();
}

bool http_library_is_strict(const char *version)
{
    return version[0] != '0';
}

bool http_library_is_safe(const char *version)
{
    struct str text = str_from_c(version);

    if (!str_starts_with(text, STR("1.0.")))
        return true;

    struct str patch = str_from(text, sizeof("1.0.") - 1);

    /* Two digits are 10 or more, unless the second is no digit. */
    return patch.len >= 2 && patch.ptr[0] != '0' && char_is_digit(patch.ptr[1]);
}

/*
 * From 1.0 on a connection that is added starts only in the library's next run, unless the daemon
 * is told that one thread has it alone: then it starts at once, as it always did before.
 */
unsigned http_library_flags(void)
{
    return http_library_is_strict(http_library_version()) ? NO_THREAD_SAFETY_FLAG : 0;
}

/*
 * Before 1.0 the library is told to be lenient: what its strictness would refuse there, and more,
 * gate.h and head.h refuse, and say so once, with a request id.
 */
struct MHD_OptionItem http_library_discipline(void)
{
    if (http_library_is_strict(http_library_version()))
        return (struct MHD_OptionItem){ (enum MHD_OPTION)DISCIPLINE_OPTION, 1, NULL };
    return (struct MHD_OptionItem){ MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL };
}

/*
 * The target lies in the library's own buffer, which it takes apart in place. Before 1.0.10, a last
 * key without a value and no header behind it lead it to read at NULL, or to put the body onto the
 * request line. With an empty query there is no key. In all versions it saves what the library
 * would spend on parameters that are never asked for.
 */
void http_library_cut_query(const char *target)
{
    char *query = strchr((char *)target, '?');

    if (query && query[1])
        query[1] = '\0';
}

bool http_library_is_handshake_failure(const char *format)
{
    static const char message[] = "Error: received handshake message out of context";

    return strncmp(format, message, sizeof(message) - 1) == 0;
}

int http_library_refusal(const char *format, va_list args)
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
