/*
 * error.h - how functions report failures.
 *
 * What can fail returns NODISCARD bool with `struct error *err` last. On success outputs are set
 * and `err` is untouched; on failure `err` is set and outputs are untouched. The code is the
 * kind of failure, for callers that act on it (handlers/status.h maps it to an HTTP status); the
 * text is for people: one line, lower case, naming the field, never quoting a secret or a body.
 *
 * Threads: a struct error belongs to its caller.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum err_code {
    ERR_NONE,
    ERR_MALFORMED,     /* a text does not follow its grammar */
    ERR_INVALID,       /* a value breaks the rules for it */
    ERR_TOO_EXPENSIVE, /* it would cost more time or memory than its budget */
    ERR_NOT_FOUND,     /* there is no such thing */
    ERR_DENIED,        /* the other side refuses our credentials */
    ERR_UNREACHABLE,   /* the other side did not give a whole answer */
    ERR_THROTTLED,     /* the other side asks to come back later */
    ERR_UNAVAILABLE,   /* not now: overload, store full or failing, draining, deadline */
    ERR_CONFIG,        /* the configuration, or a file that it names, is wrong */
    ERR_INTERNAL,      /* a fault of the program */
    ERR_SYSTEM,        /* the operating system reports an error */
};

enum { ERR_TEXT_SIZE = 512 };

struct error {
    enum err_code code;
    char text[ERR_TEXT_SIZE]; /* one line of UTF-8, cut at a character's end when too long */
};

/** No error. Cheaper than to zero all of it, on a hot path. */
static inline void error_clear(struct error *err)
{
    err->code = ERR_NONE;
    err->text[0] = '\0';
}

/** Set `err` and return false, so that callers can write `return fail(...)`. */
bool fail(struct error *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * fail() with ": " and the system's word for `errnum` behind the text, which is cut where both do
 * not fit.
 */
bool fail_errno(struct error *err, enum err_code code, int errnum, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/**
 * Put "`prefix`: " before the text of an error on its way up; returns false. If both do
 * not fit, the prefix is cut, but not below its first hundred bytes; then the text.
 */
bool fail_within(struct error *err, const char *prefix);
