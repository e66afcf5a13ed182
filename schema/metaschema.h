/*
 * metaschema.h - the metaschemas of all drafts, which are bundled with the program.
 *
 * Threads: any. A metaschema is compiled on its first use, shared by all threads, and never freed.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "schema/schema.h"

/** The text of the bundled document with this URI (without fragment). False: there is none. */
bool metaschema_find(struct str uri, struct str *text);

/** The compiled metaschema of a draft. */
const struct schema *metaschema_compiled(enum schema_draft draft);
