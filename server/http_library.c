/*
 * http_library.c - see http_library.h.
 */
#include "server/http_library.h"

#include <microhttpd.h>

#include "base/str.h"

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
    return patch.len >= 2 && patch.ptr[0] != '0' && patch.ptr[1] >= '0' && patch.ptr[1] <= '9';
}
