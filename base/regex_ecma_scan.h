/*
 * regex_ecma_scan.h - the lexical part of ECMA-262 patterns: characters, escapes, names, counts.
 *
 * Only base/regex_ecma.c uses it.
 *
 * Threads: no state beyond the caller's struct.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct ecma_scan {
    struct str text;
    size_t at; /* the byte that comes next */
};

enum ecma_kind {
    ECMA_CHARACTER,       /* `code` */
    ECMA_SET,             /* `letter`: d D s S w W p P; p and P with `name` */
    ECMA_BOUNDARY,        /* `letter`: b B */
    ECMA_REFERENCE,       /* `code`: a group's number */
    ECMA_NAMED_REFERENCE, /* `name` */
};

struct ecma_escape {
    enum ecma_kind kind;
    uint32_t code;
    char letter;
    struct str name;
    size_t at; /* where it began */
};

struct ecma_count {
    size_t length; /* bytes of "{2,3}"; 0 when it is not a count */
    bool reversed; /* "{3,2}" */
};

static inline bool ecma_scan_ended(const struct ecma_scan *scan)
{
    return scan->at >= scan->text.len;
}

/** Does `token` come next? */
static inline bool ecma_scan_peek(const struct ecma_scan *scan, const char *token)
{
    return str_starts_with(str_from(scan->text, scan->at), str_from_c(token));
}

/** Step over `token` if it comes next. */
static inline bool ecma_scan_accept(struct ecma_scan *scan, const char *token)
{
    bool here = ecma_scan_peek(scan, token);

    scan->at += here ? strlen(token) : 0;
    return here;
}

/** The text from byte `start` to here. */
static inline struct str ecma_scan_since(const struct ecma_scan *scan, size_t start)
{
    return (struct str){ scan->text.ptr + start, scan->at - start };
}

/** The text before byte `end`. */
static inline struct str ecma_scan_before(const struct ecma_scan *scan, size_t end)
{
    return (struct str){ scan->text.ptr, end };
}

/** Take one character as it is. */
NODISCARD bool ecma_scan_character(struct ecma_scan *scan, uint32_t *code, struct error *err);

/** Take an escape, the backslash next; `in_class` says whether inside `[...]`. */
NODISCARD bool ecma_scan_escape(struct ecma_scan *scan, bool in_class, struct ecma_escape *out,
                                struct error *err);

/** Take a group's name and its `>`. False when it is not a name. */
bool ecma_scan_name(struct ecma_scan *scan, struct str *name);

/** Look at a count, its `{` next, without taking it. */
struct ecma_count ecma_scan_count(const struct ecma_scan *scan);

/** How many capturing groups `pattern` has. */
unsigned ecma_scan_groups(struct str pattern);

/** The number of its group called `name`, from 1; 0 when there is none. */
unsigned ecma_scan_group(struct str pattern, struct str name);
