/*
 * error.c - see error.h.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { WHERE_MIN = 100 }; /* bytes of the place that are always kept */

/* Cut `text` where snprintf() has stopped within a character: it is sent out, and must be UTF-8. */
static void trim_to_character(char *text)
{
    text[utf8_prefix(str_from_c(text), SIZE_MAX).len] = '\0';
}

bool fail(struct error *err, enum err_code code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    err->code = code;
    int needed = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (needed >= ERR_TEXT_SIZE)
        trim_to_character(err->text);
    return false;
}

/* When both do not fit, the place is cut (a long path or key), not the reason. */
static bool fail_at(struct error *err, enum err_code code, const char *where, const char *why)
{
    char text[ERR_TEXT_SIZE];
    size_t room = ERR_TEXT_SIZE - sizeof("...: ");
    size_t taken = strlen(why);

    room = room > taken + WHERE_MIN ? room - taken : WHERE_MIN;
    if (strlen(where) <= room)
        return fail(err, code, "%s: %s", where, why);
    (void)snprintf(text, room + 1, "%s", where);
    trim_to_character(text);
    return fail(err, code, "%s...: %s", text, why);
}

bool fail_errno(struct error *err, enum err_code code, int errnum, const char *fmt, ...)
{
    char what[ERR_TEXT_SIZE];
    char why[128];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    return fail_at(err, code, what, strerror_r(errnum, why, sizeof(why)));
}

bool fail_within(struct error *err, const char *prefix)
{
    char text[ERR_TEXT_SIZE];

    memcpy(text, err->text, sizeof(text));
    return fail_at(err, err->code, prefix, text);
}
