/*
 * record_format.h - texts of the configuration with places that are filled from a record.
 *
 * `{/pointer}` stands for the text at that JSON Pointer in the record (record_text.h), `{{` and
 * `}}` for one brace each. Senders write the values, so the result is confined: each value must be
 * there and have no control characters, and the result has a maximum length.
 *
 * With time, `{time:%Y/%m/%d}` stands for a time in UTC: %Y %m %d %H %M %S, and %% for the sign.
 *
 * Threads: a format is immutable and may be shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"

struct record_format;

/** Compile `text`. The caller owns it. ERR_MALFORMED: a brace without its other, or no pointer. */
NODISCARD bool record_format_create(struct str text, struct record_format **out, struct error *err);

/** The same, and the text can have places for the time. */
NODISCARD bool record_format_create_timed(struct str text, struct record_format **out,
                                          struct error *err);

/** NULL is fine. */
void record_format_destroy(struct record_format *format);

/** Does no part of it come from the record? */
bool record_format_is_fixed(const struct record_format *format);

/** Is a part of it read from the record's JSON, which the time is not? */
bool record_format_needs_record(const struct record_format *format);

/** Has it a place for the time? */
bool record_format_needs_time(const struct record_format *format);

/** Append the text with `*` for each place: a glob that fits every result. */
void record_format_glob(const struct record_format *format, struct buf *out);

/** Append the text as it is at the start of 1970, with `x` for each value: to check its shape. */
void record_format_example(const struct record_format *format, struct buf *out);

/** Where values come from, and where the result goes. */
struct record_format_place {
    const struct flat *record; /* may be NULL if the format does not need it */
    size_t max;                /* bytes of the result */
    struct arena *arena;
    int64_t time_us; /* since 1970, in the years 0 to 9999 */
    /** Append a value in a form that is safe at its place, whatever is in it. NULL: as it is. */
    void (*add_value)(struct buf *out, struct str value);
};

/**
 * Fill the places from the record. ERR_INVALID: a value is missing or has a control character, or
 * the result is empty or longer than `max`. The text names the pointer, and quotes no value.
 */
NODISCARD bool record_format_fill(const struct record_format *format,
                                  const struct record_format_place *place, struct str *out,
                                  struct error *err);
