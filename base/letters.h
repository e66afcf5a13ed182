/*
 * letters.h - Unicode text: is it UTF-8, and its lower and upper case.
 *
 * Case is Unicode's default, the same under every locale; text may change its length.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/** Is it valid UTF-8? */
bool letters_valid(struct str text);

/** Add `text`, valid UTF-8, in lower case. */
void letters_lower(struct buf *out, struct str text);

/** Add `text`, valid UTF-8, in upper case. */
void letters_upper(struct buf *out, struct str text);
