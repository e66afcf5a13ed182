/*
 * regex.h - ECMA-262 regular expressions (the dialect of JSON Schema's `pattern`) on PCRE2.
 *
 * Patterns are read as with ECMA's `u` flag; base/regex_ecma_internal.h says where they may be more
 * generous. Differences from ECMA: a look-behind must have a fixed length, a count is at most
 * 65535, and a repeated group keeps what it captured in earlier rounds.
 *
 * Threads: a compiled pattern is immutable and shared. Each thread has its own match data and JIT
 * stack, made by its first search and freed when the thread ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct regex;

enum regex_verdict {
    REGEX_MATCH,
    REGEX_NO_MATCH,
    REGEX_TOO_EXPENSIVE, /* unknown: the search takes too many steps */
    REGEX_OVER_LIMIT,    /* unknown: the search takes too much memory */
};

/**
 * Compile `pattern`, of at most 256 KiB. A pattern that takes more than 64 KiB in PCRE2's compiled
 * form is divided at an alternation, if it has one. The caller owns the result. ERR_MALFORMED names
 * the byte and the fault.
 */
NODISCARD bool regex_create(struct str pattern, struct regex **out, struct error *err);

/** NULL is fine. */
void regex_destroy(struct regex *regex);

/**
 * Does `regex` match anywhere in `text` (valid UTF-8)? `*steps`, when not NULL, is the number of
 * matching steps that may still be spent; the call subtracts what it spends, and 0 gives
 * REGEX_TOO_EXPENSIVE. A step takes about 10 ns; a search that takes longer spends as many steps as
 * its time stands for. One search may spend 100,000 steps plus 4 or more for each byte of text
 * (more for a pattern with many choices); 5,000,000 instead of 100,000 when the pattern is not
 * anchored and the text is long. By time it may spend 10 ms more, because the clock is not exact.
 *
 * REGEX_OVER_LIMIT is possible only for a pattern with back-references, or one that is too large
 * for the search without backtracking. The verdict is the same with and without JIT, except that a
 * pattern whose steps grow faster than the text may be REGEX_TOO_EXPENSIVE with only one of them.
 */
enum regex_verdict regex_search(const struct regex *regex, struct str text, uint64_t *steps);

/* Matches, with what the groups captured. */

enum { REGEX_GROUPS = 10 }; /* the whole match and nine groups */
#define REGEX_NO_SPAN SIZE_MAX

/** Indexes of bytes of the text. `start` REGEX_NO_SPAN: the group took no part in the match. */
struct regex_span {
    size_t start;
    size_t end;
};

/**
 * Compile `pattern` for regex_match(). A pattern that regex_create() would divide is refused. The
 * caller owns the result, which only regex_match() and regex_group_count() take.
 */
NODISCARD bool regex_create_capturing(struct str pattern, struct regex **out, struct error *err);

/** How many groups the pattern captures. */
size_t regex_group_count(const struct regex *regex);

/**
 * The first match in `text` that begins at index `from` or later. REGEX_MATCH sets `groups`: the
 * whole match, then the groups. `steps` as for regex_search(). A search that needs much memory is
 * REGEX_OVER_LIMIT, because only a search that backtracks can capture.
 */
enum regex_verdict regex_match(const struct regex *regex, struct str text, size_t from,
                               uint64_t *steps, struct regex_span groups[static REGEX_GROUPS]);

/** Can PCRE2 compile patterns to machine code on this system? Otherwise it interprets them. */
bool regex_has_jit(void);

/** Can any text match `pattern`, which regex_create() accepts? False is certain: `[]`, `a^b`. */
bool regex_can_match(struct str pattern);

/** Is `pattern` a valid ECMA-262 regular expression, as JSON Schema's `format: regex` requires? */
bool regex_is_ecma(struct str pattern);
