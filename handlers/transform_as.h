/*
 * transform_as.h - the conversions of a transform: `as: lower` and the like.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"

enum transform_as {
    TRANSFORM_AS_IS,
    TRANSFORM_LOWER,
    TRANSFORM_UPPER,
    TRANSFORM_STRING,
    TRANSFORM_NUMBER,
    TRANSFORM_EPOCH_MS,
};

/** The conversion of that name in a transform file. False: no such conversion. */
bool transform_as_parse(struct str name, enum transform_as *out);

/**
 * Add `value` as JSON, converted; null stays null. When that is impossible: ERR_INVALID,
 * naming `path` and not the value.
 */
NODISCARD bool transform_as_write(enum transform_as as, const struct flat *value, struct str path,
                                  struct buf *out, struct error *err);
