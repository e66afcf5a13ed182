/*
 * regex_ecma_internal.h - patterns as ECMA-262 writes them: their lexical parts, and the rewrite
 * for PCRE2.
 *
 * The two dialects share most of their syntax but give it different meanings. The rewrite reads a
 * pattern by ECMA's grammar with the `u` flag and writes one that means the same to PCRE2 under the
 * options of base/regex_compile.c. It is more generous than that grammar where published schemas
 * rely on annex B: `{`, `}` and `]` stand for themselves where they cannot mean anything else, any
 * punctuation may be escaped, and `-` next to a class such as \w is a hyphen.
 *
 * Threads: no state beyond the caller's structs.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* The rewrite. */

/**
 * Append `pattern` (valid UTF-8), rewritten for PCRE2, to `out`, which is empty. ERR_MALFORMED
 * names the byte and the fault. PCRE2 may still refuse the result: for an unknown script, a
 * look-behind of varying length, or a count above 65535.
 */
NODISCARD bool regex_ecma_rewrite(struct str pattern, struct buf *out, struct error *err);

/** The byte of `pattern` that byte `offset` of its rewritten form comes from. */
size_t regex_ecma_origin(struct str pattern, size_t offset);

/**
 * Append what PCRE2 expects between the braces of \p{...} for ECMA's `text` ("Letter",
 * "Script=Greek", "Emoji"). False when ECMA has no such property. Of scripts only the form is
 * checked: PCRE2 knows which exist.
 */
bool regex_property_add(struct buf *out, struct str text);

/* Lexical parts. */

struct ecma_scan {
    struct str text;
    size_t at; /* index of the next byte */
};

enum ecma_kind {
    ECMA_CHARACTER,       /* `code` */
    ECMA_SET,             /* `letter`: d D s S w W p P; p and P with `name` */
    ECMA_BOUNDARY,        /* `letter`: b B */
    ECMA_REFERENCE,       /* `code`: the number of a group */
    ECMA_NAMED_REFERENCE, /* `name` */
};

struct ecma_escape {
    enum ecma_kind kind;
    uint32_t code;
    char letter;
    struct str name;
    size_t at; /* index of its backslash */
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
    bool is_next = ecma_scan_peek(scan, token);

    scan->at += is_next ? strlen(token) : 0;
    return is_next;
}

/** The text from index `start` to here. */
static inline struct str ecma_scan_since(const struct ecma_scan *scan, size_t start)
{
    return (struct str){ scan->text.ptr + start, scan->at - start };
}

/** The text before index `end`. */
static inline struct str ecma_scan_before(const struct ecma_scan *scan, size_t end)
{
    return (struct str){ scan->text.ptr, end };
}

/** Take one character as it is. */
NODISCARD bool ecma_scan_character(struct ecma_scan *scan, uint32_t *code, struct error *err);

/** Take an escape, whose backslash comes next; `in_class`: within `[...]`. */
NODISCARD bool ecma_scan_escape(struct ecma_scan *scan, bool in_class, struct ecma_escape *out,
                                struct error *err);

/** Take a group's name and its `>`. False when it is not a name. */
bool ecma_scan_name(struct ecma_scan *scan, struct str *name);

/** Take what opens a look-around, one of (?= (?! (?<= (?<!; NULL when none comes next. */
const char *ecma_scan_look(struct ecma_scan *scan);

/** Read a count, whose `{` comes next, without taking it. */
struct ecma_count ecma_scan_count(const struct ecma_scan *scan);

/** The number of capturing groups in `pattern`. */
unsigned ecma_scan_groups(struct str pattern);

/** The number of the group of `pattern` called `name`, from 1; 0 when there is none. */
unsigned ecma_scan_group(struct str pattern, struct str name);
