/*
 * widen.h - change a schema so that it allows additional properties.
 *
 * Threads: any; the document is the caller's.
 */
#pragma once

#include <stddef.h>

#include "base/json.h"

/**
 * Replace `additionalProperties: false` with true in the document and its subschemas, except below
 * `not` and `if`; add `additionalProperties: true` to the root if it has no additionalProperties.
 * Returns the number of changes. Subschemas of a `oneOf` that differ in additionalProperties only
 * can then both match, so that the oneOf fails.
 */
size_t schema_widen(struct json_object *document);
