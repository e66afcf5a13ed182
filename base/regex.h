/*
 * regex.h - ECMA-262 regular expressions (the dialect of JSON Schema's `pattern`) on PCRE2.
 *
 * Read as with ECMA's `u` flag (base/regex_ecma.h says where it is more generous). A pattern is
 * compiled once, immutable and shared between threads; match data and the JIT stack belong to each
 * thread and are made on first use.
 *
 * Known differences to ECMA: a look-behind must have a fixed length, a count ends at 65535, and a
 * repeated group keeps what it captured in earlier rounds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct regex;

enum regex_verdict {
    REGEX_MATCH,
    REGEX_NO_MATCH,
    REGEX_TOO_EXPENSIVE, /* it takes too many steps: neither yes nor no */
    REGEX_OVER_LIMIT,    /* it takes more memory than a search gets: neither yes nor no */
};

/**
 * Compile `pattern`, at most 256 KiB. What is more than 64 KiB as PCRE2 compiles it is divided at
 * an alternation, if it has one. The caller owns it. ERR_MALFORMED says what is wrong where.
 */
NODISCARD bool regex_create(struct str pattern, struct regex **out, struct error *err);

/** NULL is fine. */
void regex_destroy(struct regex *regex);

/**
 * Does `regex` match anywhere in `text` (valid UTF-8)? `*steps`, when not NULL, holds the matching
 * steps that may still be spent and is lowered by what this call spent; 0 left is
 * REGEX_TOO_EXPENSIVE. A step takes about 10 ns; a search gets 100,000 and at least 4 for each byte
 * of text (more for a pattern with many ways to go on), or 5,000,000 and as many for each byte if
 * its pattern does not say where a match begins and the text is long.
 *
 * Only a pattern with back-references, or one that is too large to be searched for breadth-first,
 * can be REGEX_OVER_LIMIT. With and without JIT the answer is the same, except that a pattern whose
 * steps grow faster than the text may be REGEX_TOO_EXPENSIVE with one of them only.
 */
enum regex_verdict regex_search(const struct regex *regex, struct str text, uint64_t *steps);

/** Does PCRE2 turn patterns into machine code here? Otherwise its interpreter runs them. */
bool regex_has_jit(void);

/** Is `pattern` a regular expression as `format: regex` wants it (ECMA-262, stricter than PCRE2)?
 */
bool regex_is_ecma(struct str pattern);
