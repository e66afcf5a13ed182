/*
 * format.h - the formats of JSON Schema: is this text a date, a host name, a URI ...?
 *
 * All formats that drafts 4 to 2020-12 define, each by the grammar that the draft 2020-12 names.
 * A format speaks about strings only; what to say of other values is the caller's business.
 *
 * Threads: everything here is read-only.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct format;

/** The format called `name`; NULL when there is none. Lives as long as the process. */
const struct format *format_find(struct str name);

/** Does `text` (valid UTF-8) have this format? */
bool format_check(const struct format *format, struct str text);
