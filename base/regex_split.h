/*
 * regex_split.h - a pattern that is too large for PCRE2 as two patterns of half the size.
 *
 * Only base/regex_compile.c uses it.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/**
 * Divide the largest alternation of `pattern`, which is good ECMA: a text matches it exactly when
 * it matches `left` or `right` (both empty, added to). False: there is no alternation to divide,
 * since it is repeated, in a look-around, or the pattern has back-references.
 */
bool regex_split(struct str pattern, struct buf *left, struct buf *right);
