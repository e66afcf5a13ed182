/*
 * record_format.h - texts of the configuration with places that are filled from a record.
 *
 * `{/pointer}` stands for the text at that JSON Pointer in the record (record_text.h), `{{` and
 * `}}` for one brace each. Senders write the values, so the result is confined: each value must be
 * there and have no control characters, and the result has a maximum length.
 *
 * Threads: a format is immutable and may be shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

struct record_format;

/** Compile `text`. The caller owns it. ERR_MALFORMED: a brace without its other, or no pointer. */
NODISCARD bool record_format_create(struct str text, struct record_format **out, struct error *err);

/** NULL is fine. */
void record_format_destroy(struct record_format *format);

/** Does no part of it come from the record? */
bool record_format_is_fixed(const struct record_format *format);

/** Where values come from, and where the result goes. */
struct record_format_place {
    struct json_object *record;
    size_t max; /* bytes of the result */
    struct arena *arena;
};

/**
 * Fill the places from the record. ERR_INVALID: a value is missing or has a control character, or
 * the result is empty or longer than `max`. The text names the pointer, and quotes no value.
 */
NODISCARD bool record_format_fill(const struct record_format *format,
                                  const struct record_format_place *place, struct str *out,
                                  struct error *err);
