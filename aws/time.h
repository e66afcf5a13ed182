/*
 * time.h - the two ways in which AWS writes a point in time.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/**
 * `2026-11-25T18:00:00Z`, a fraction and an offset (`+01:00`, `+0000`) allowed: microseconds since
 * 1970. False when it is nothing of the kind.
 */
bool aws_time_iso(struct str text, int64_t *us);

/** `Wed, 25 Nov 2026 18:00:00 GMT`, as in the header Date (RFC 9110, IMF-fixdate). */
bool aws_time_http(struct str text, int64_t *us);
