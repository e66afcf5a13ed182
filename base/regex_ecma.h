/*
 * regex_ecma.h - ECMA-262 patterns rewritten for PCRE2.
 *
 * The two dialects share most of their syntax and differ in what it means. The rewrite reads a
 * pattern by ECMA's grammar with the `u` flag, and writes one that means the same to PCRE2 under
 * the options of base/regex.c. As in ECMA's annex B, and unlike the `u` flag's grammar, `{`, `}`
 * and `]` stand for themselves where they cannot mean anything else, any punctuation may be
 * escaped, and `-` beside a class such as \w is a hyphen: published schemas rely on that.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/**
 * Add `pattern` (valid UTF-8) to `out`, which must be empty, as PCRE2 wants it. ERR_MALFORMED says
 * at which byte and what is wrong. What it accepts PCRE2 may still refuse: a script it does not
 * know, a look-behind of varying length, a count above 65535.
 */
NODISCARD bool regex_ecma_rewrite(struct str pattern, struct buf *out, struct error *err);

/** The byte of `pattern` that byte `offset` of its rewritten form came from. */
size_t regex_ecma_origin(struct str pattern, size_t offset);
