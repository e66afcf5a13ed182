/*
 * record_text.h - the text at a place in a record, which chooses a key, a topic or a partition; and
 * the time at a place.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/flat.h"
#include "base/str.h"

/**
 * The value that `pointer` refers to in `record`, as text: a string itself, a number or a boolean
 * as JSON writes it. In the arena. STR_NONE if there is none, or it is null, "", an array or an
 * object.
 */
struct str record_text(const struct flat *record, const struct json_pointer *pointer,
                       struct arena *arena);

/**
 * The time that a value of a record stands for, in microseconds since 1970: a number of seconds or
 * milliseconds, the same as a string of digits, or an RFC 3339 text. False: it is none of these, or
 * not in the years 0 to 9999.
 */
bool record_time(const struct flat *value, int64_t *us);
