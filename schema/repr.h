/*
 * repr.h - values written as Python's repr() writes them, for the wording of messages.
 *
 * A value reads as the one Python's json module would have made of the text: 1E2 is 100.0, and an
 * integer of any length keeps its digits. What does not fit the buffer is left out (buf.h), so a
 * writer bounds a message by the buffer's maximum and looks at `overflow`.
 *
 * Threads: no state.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

/** repr(value): 'text', 1.0, True, None, [1, 'a'], {'k': 2}. */
void repr_value(struct buf *out, struct json_object *value);

/** repr() of a string (valid UTF-8). */
void repr_string(struct buf *out, struct str s);

/** The value's type instead of the value: <string>, <integer>, ... */
void repr_type(struct buf *out, struct json_object *value);
