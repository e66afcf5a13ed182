/*
 * yaml_core.h - what a plain scalar means under the core schema of YAML 1.2.
 *
 * Numbers keep their digits. Only a form that JSON does not have (a plus sign, leading zeroes, 0x
 * and 0o, a point without digits on both sides) is rewritten.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum yaml_core_kind {
    YAML_CORE_STRING,
    YAML_CORE_NULL,
    YAML_CORE_BOOLEAN,
    YAML_CORE_INTEGER,
    YAML_CORE_FLOAT,
    YAML_CORE_NO_JSON, /* infinite, not a number, or 0x and 0o beyond 64 bits: nothing is added */
};

enum yaml_core_kind yaml_core_kind(struct str text);

/** Add the value of `text` as JSON; its kind. */
enum yaml_core_kind yaml_core_write(struct buf *out, struct str text);
