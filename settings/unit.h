/*
 * unit.h - sizes and times as people write them: 2MiB, 30s, 1.5h.
 *
 * A number without sign and exponent, then the unit without a space. Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"

/**
 * Bytes from an integer, or a text with B, KiB, MiB or GiB; INT64_MAX for a larger size, which is
 * then over every maximum. False: `value` is not a size.
 */
NODISCARD bool settings_size(struct json_object *value, uint64_t *bytes);

/** Microseconds from a text with ms, s, m, h or d; INT64_MAX for a longer time. False: `value` is
 * not a time.
 */
NODISCARD bool settings_time(struct json_object *value, int64_t *microseconds);

/** settings_time() of a text. */
NODISCARD bool settings_time_text(struct str text, int64_t *microseconds);
