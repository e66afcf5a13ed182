/*
 * interpolate.h - `${NAME}` and `${NAME:-default}` in a text, `$$` for a dollar sign.
 *
 * As in a shell, the default also replaces a variable that is set to an empty text. The default
 * ends at the first `}` and is not expanded. A `$` before any other character is a `$`.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/**
 * Add `text` with its variables filled in. `lookup` is getenv(3), or a test's function. ERR_CONFIG:
 * a variable without default is not set, a name is not valid, or a brace is missing; then `out` can
 * hold a part.
 */
NODISCARD bool interpolate(struct str text, const char *(*lookup)(const char *name),
                           struct buf *out, struct error *err);
