/*
 * widen.h - open a schema for members that it does not name.
 *
 * Threads: any; the document is the caller's.
 */
#pragma once

#include <stddef.h>

#include "base/json.h"

/**
 * Make each `additionalProperties: false` of the document and its subschemas true, but for those
 * below `not` and `if`, and say `additionalProperties: true` at the root of an object that says
 * nothing. How many places changed; 0: it is open already. Branches of `oneOf` that differ in
 * nothing else may both match then.
 */
size_t schema_widen(struct json_object *document);
