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
    REGEX_TOO_EXPENSIVE, /* a match, depth or heap limit was hit: neither yes nor no */
};

/** Compile `pattern`, at most 4 KiB. The caller owns it. ERR_MALFORMED says what is wrong where. */
NODISCARD bool regex_create(struct str pattern, struct regex **out, struct error *err);

/** NULL is fine. */
void regex_destroy(struct regex *regex);

/**
 * Does `regex` match anywhere in `text` (valid UTF-8)? `*steps`, when not NULL, holds the matching
 * steps that may still be spent and is lowered by what this call spent; 0 left is
 * REGEX_TOO_EXPENSIVE. A step takes about 10 ns; a search gets 100,000 and 4 for each byte of text,
 * or 5,000,000 if its pattern does not say where a match begins and the text is long.
 */
enum regex_verdict regex_search(const struct regex *regex, struct str text, uint64_t *steps);

/** Is `pattern` a regular expression as `format: regex` wants it (ECMA-262, stricter than PCRE2)?
 */
bool regex_is_ecma(struct str pattern);
