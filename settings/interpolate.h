/*
 * interpolate.h - `${NAME}` and `${NAME:-default}` in a text, `$$` for a dollar sign.
 *
 * As in a shell, the default also stands in for a variable that is set to nothing; it ends at the
 * first `}` and is taken as it is. A `$` before anything else is itself.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/**
 * Add `text` with its variables filled in. `lookup` is getenv(3) or a test's own. ERR_CONFIG when a
 * variable without default is not set, a name is no name or a brace is missing; then `out` may
 * hold a part.
 */
NODISCARD bool interpolate(struct str text, const char *(*lookup)(const char *name),
                           struct buf *out, struct error *err);
