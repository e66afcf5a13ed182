/*
 * metaschema.h - the metaschemas of all drafts, which come with the program.
 *
 * Threads: any. The compiled ones are made on first use, live as long as the process and are
 * shared.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "schema/schema.h"

/** The text of the bundled document with this URI (no fragment). */
bool metaschema_find(struct str uri, struct str *text);

/** The compiled metaschema of a draft. */
const struct schema *metaschema_compiled(enum schema_draft draft);
