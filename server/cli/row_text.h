/*
 * row_text.h - pieces of JSON lines and tables about rows of a store, for the command line.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** `,"name":"text"`; null for ptr NULL, and for what is not UTF-8. */
void row_text_member(struct buf *out, const char *name, struct str text);

/** `,"name":"2026-11-23T06:22:01.123456Z"`; null for 0. */
void row_text_time(struct buf *out, const char *name, int64_t us);

/** `,"name":text` where `text` is JSON already; null for ptr NULL. */
void row_text_json(struct buf *out, const char *name, struct str text);

/** `,"name":"..."` for bytes; `,"name_base64":"..."` for those that are not UTF-8. */
void row_text_bytes(struct buf *out, const char *name, struct str bytes);

/** A column of a table, at least `width` characters, and a space; `-` for ptr NULL. */
void row_text_column(struct buf *out, struct str text, int width);

/** The same for a time, to the second. */
void row_text_time_column(struct buf *out, int64_t us);

/** Print it on standard output, and end it. */
void row_text_print(struct buf *out);
