/*
 * member.h - write the members of a JSON object, one by one.
 *
 * A member begins with a comma, except directly behind the '{' of its object. The caller writes the
 * braces.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** `"name":`; the value follows. */
void member_key(struct buf *out, const char *name);

/** `"name":{` or `"name":[`; the caller closes it. */
void member_open(struct buf *out, const char *name, char bracket);

/** `"name":"text"`; null for ptr NULL and for a text that is not UTF-8. */
void member_text(struct buf *out, const char *name, struct str text);

/** `"name":"2026-11-23T06:22:01.123456Z"`; null for 0. */
void member_time(struct buf *out, const char *name, int64_t us);

/** `"name":12`. */
void member_int(struct buf *out, const char *name, int64_t number);

/** `"name":true`. */
void member_bool(struct buf *out, const char *name, bool flag);

/** `"name":text`, where `text` is JSON; null for ptr NULL. */
void member_json(struct buf *out, const char *name, struct str text);

/** `"name":"..."`, or `"name_base64":"..."` for bytes that are not UTF-8. */
void member_bytes(struct buf *out, const char *name, struct str bytes);
