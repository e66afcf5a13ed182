/*
 * span.h - one operation of a trace, and its JSON as OTLP has it.
 *
 * OTLP's JSON writes trace and span ids in hexadecimal, 64-bit numbers as text, and enumerations as
 * numbers.
 *
 * Threads: values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/tracing/context.h"

/** As OTLP numbers them. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3, SPAN_PRODUCER = 4 };

/** A text, or with ptr NULL the number. */
struct span_attribute {
    const char *key;
    struct str text;
    int64_t number;
};

enum { SPAN_TEXT_MAX = 512 }; /* bytes of a text; a longer one is cut */

struct span {
    struct trace_context context; /* the span's own ids */
    struct str parent;            /* the id of its parent; empty: the span is a root */
    struct str name;
    enum span_kind kind;
    int64_t started_us; /* time of day */
    int64_t ended_us;
    bool has_failed;
    const struct span_attribute *attributes;
    size_t attribute_count;
};

/** Add the span as a JSON object. */
void span_write(struct buf *out, const struct span *span);

/** Add `{"key":...,"value":{...}}`. */
void span_write_attribute(struct buf *out, const struct span_attribute *attribute);
