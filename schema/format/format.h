/*
 * format.h - the values of `format`: is a text a date, a host name, a URI ...?
 *
 * Has all formats of drafts 4 to 2020-12, each with the grammar that draft 2020-12 refers to. A
 * format applies to strings only; the caller must not check other values.
 *
 * Threads: everything here is read-only.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct format;

/** The format `name`; NULL: unknown. It is static. */
const struct format *format_find(struct str name);

/** Does `text` (valid UTF-8) have this format? */
bool format_check(const struct format *format, struct str text);
