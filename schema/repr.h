/*
 * repr.h - write JSON values as Python's repr() does, for error messages.
 *
 * The output is repr() of what Python's json module reads from the same text: 1E2 becomes 100.0,
 * and an integer of any length keeps all digits. Output beyond the buffer's maximum is dropped and
 * sets its `overflow` (buf.h).
 *
 * Threads: no state.
 */
#pragma once

#include "base/buf.h"
#include "base/flat.h"
#include "base/str.h"

/** repr(value): 'text', 1.0, True, None, [1, 'a'], {'k': 2}. */
void repr_value(struct buf *out, const struct flat *value);

/** repr() of a string (valid UTF-8). */
void repr_string(struct buf *out, struct str s);

/** The value's type in place of the value: <string>, <integer>, ... */
void repr_type(struct buf *out, const struct flat *value);
