/*
 * regex_property.h - the Unicode properties that ECMA-262 knows, in PCRE2's spelling.
 *
 * Threads: read-only.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/**
 * Add to `out` what PCRE2 wants between the braces of \p{...} for ECMA's `text` ("Letter",
 * "Script=Greek", "Emoji"). False when ECMA has no such property. Scripts are checked for their
 * form only: PCRE2 knows which there are.
 */
bool regex_property_add(struct buf *out, struct str text);
