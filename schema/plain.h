/*
 * plain.h - keywords whose value is plainly as the metaschema wants it.
 *
 * Holding a document against its metaschema costs as much as a third of compiling it, and the
 * document nearly always obeys. So the walk over its subschemas looks at each keyword's value, and
 * only a document with one that is not plain to see is held against the metaschema, which has the
 * words for what is wrong. "Not plain" is no verdict: drafts 4 and 6, for one, are never plain.
 *
 * Threads: pure.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "schema/dialect.h"

/** Is the metaschema sure to take this value? Subschemas in it are looked at on their own. */
bool plain_value(const struct dialect *dialect, const struct keyword *keyword,
                 struct json_object *value);

/** A member that is no keyword of the dialect: is the metaschema sure to overlook it? */
static inline bool plain_key(const char *key)
{
    return key[0] != '$';
}
