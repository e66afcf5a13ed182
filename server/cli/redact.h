/*
 * redact.h - the form of a JSON text without its values.
 *
 * Threads: pure functions.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/**
 * Add `,"name":value` where each scalar of the JSON `text` is its type: `"<string>"`, `"<integer>"`
 * and so on. Names of members stay. null, if the text is not JSON.
 */
void redact_write(struct buf *out, const char *name, struct str text);
