/*
 * widen.h - change a schema so that it allows additional properties.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/flat.h"

/**
 * Append the document as compact JSON with `additionalProperties: true` in place of false in the
 * document and its subschemas, except below `not` and `if`; and with `additionalProperties: true`
 * added to the root if it has no additionalProperties. Returns the number of changes. Subschemas of
 * a `oneOf` that differ in additionalProperties only can then both match, so that the oneOf fails.
 */
size_t schema_widen(struct buf *out, const struct flat *document);
