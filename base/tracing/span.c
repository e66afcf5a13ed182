/*
 * span.c - see span.h.
 */
#include "base/tracing/span.h"

#include "base/member.h"
#include "base/utf8.h"

enum { STATUS_ERROR = 2, NS_PER_US = 1000 };

/* A 64-bit number as OTLP's JSON has it: as a text. */
static void write_number(struct buf *out, const char *name, int64_t number)
{
    member_key(out, name);
    buf_add_char(out, '"');
    buf_add_int(out, number);
    buf_add_char(out, '"');
}

void span_write_attribute(struct buf *out, const struct span_attribute *attribute)
{
    buf_add_char(out, '{');
    member_text(out, "key", str_from_c(attribute->key));
    member_open(out, "value", '{');
    if (attribute->text.ptr)
        member_text(out, "stringValue", utf8_prefix(attribute->text, SPAN_TEXT_MAX));
    else
        write_number(out, "intValue", attribute->number);
    buf_add(out, STR("}}"));
}

void span_write(struct buf *out, const struct span *span)
{
    buf_add_char(out, '{');
    member_text(out, "traceId", str_from_c(span->context.trace_id));
    member_text(out, "spanId", str_from_c(span->context.span_id));
    if (span->parent.len > 0)
        member_text(out, "parentSpanId", span->parent);
    member_text(out, "name", span->name);
    member_int(out, "kind", span->kind);
    write_number(out, "startTimeUnixNano", span->started_us * NS_PER_US);
    write_number(out, "endTimeUnixNano", span->ended_us * NS_PER_US);
    member_open(out, "attributes", '[');
    for (size_t i = 0; i < span->attribute_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        span_write_attribute(out, &span->attributes[i]);
    }
    buf_add_char(out, ']');
    if (span->has_failed) {
        member_open(out, "status", '{');
        member_int(out, "code", STATUS_ERROR);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}
