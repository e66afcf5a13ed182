/*
 * output.h - pieces of what commands and the admin API show: members of JSON objects, columns of
 * tables.
 *
 * A member begins with a comma, except directly behind the '{' of its object.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** `"name":"text"`; null for ptr NULL and for a text that is not UTF-8. */
void output_text(struct buf *out, const char *name, struct str text);

/** `"name":"2026-11-23T06:22:01.123456Z"`; null for 0. */
void output_time(struct buf *out, const char *name, int64_t us);

/** `"name":text`, where `text` is JSON; null for ptr NULL. */
void output_json(struct buf *out, const char *name, struct str text);

/** `"name":"..."`, or `"name_base64":"..."` for bytes that are not UTF-8. */
void output_bytes(struct buf *out, const char *name, struct str bytes);

/** A column of at least `width` characters and a space; `-` for ptr NULL. */
void output_column(struct buf *out, struct str text, int width);

/**
 * The same for a text that others have chosen: what could break the line or affect a terminal is
 * written as \\uXXXX.
 */
void output_safe_column(struct buf *out, struct str text, int width);

/** The same for a time, to the second; empty for 0. */
void output_time_column(struct buf *out, int64_t us);
