/*
 * error.h - the one way to say what went wrong.
 *
 * What can fail returns NODISCARD bool with `struct error *err` last. On success outputs are set
 * and `err` is untouched; on failure `err` is set and outputs are untouched. The code is what the
 * sender of an event can act on (handlers/status.h maps it to an HTTP status); the text is for
 * people: one line, lower case, naming the field, never quoting a secret or a body.
 *
 * Threads: a struct error belongs to its caller.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum err_code {
    ERR_NONE,
    ERR_MALFORMED,            /* the text is not what its grammar asks for */
    ERR_UNROUTED,             /* no route matches the event */
    ERR_SCHEMA_INVALID,       /* the payload breaks its schema */
    ERR_TOO_EXPENSIVE,        /* checking it would cost more than the budget */
    ERR_TRANSFORM_FAILED,     /* the payload does not hold what the record needs */
    ERR_SCHEMA_NOT_FOUND,     /* the registry has no such schema */
    ERR_REGISTRY_DENIED,      /* the registry refuses our credentials */
    ERR_REGISTRY_UNREACHABLE, /* the registry could not be asked */
    ERR_SCHEMA_UNUSABLE,      /* the registry's answer is not a usable definition */
    ERR_REGISTRY_UNAVAILABLE, /* the registry asks us to come back later */
    ERR_INTERNAL,             /* our own fault */
    ERR_UNAVAILABLE,          /* overload, store full or failing, draining, deadline */
    ERR_CONFIG,               /* the configuration is wrong */
    ERR_SYSTEM,               /* the operating system said no */
};

enum { ERR_TEXT_SIZE = 512 };

struct error {
    enum err_code code;
    char text[ERR_TEXT_SIZE]; /* one line of UTF-8, cut at a character's end when too long */
};

/** Set `err` and return false, so that callers can write `return fail(...)`. */
bool fail(struct error *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * fail() with ": " and the system's word for `errnum` behind the text, which is cut where both do
 * not fit.
 */
bool fail_errno(struct error *err, enum err_code code, int errnum, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/**
 * Put "`prefix`: " before the text of an error on its way up; returns false. The prefix is cut
 * where both do not fit, but for its first hundred bytes.
 */
bool fail_within(struct error *err, const char *prefix);
