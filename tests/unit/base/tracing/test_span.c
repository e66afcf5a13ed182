/*
 * test_span.c - claims about tracing/span.h.
 */
#include "base/tracing/span.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/test.h"

#define TRACE  "5759e988bd862e3fe1be46a994272793"
#define SELF   "53995c3f42cd8ad8"
#define PARENT "00f067aa0ba902b7"

static const struct span_attribute attributes[] = {
    { .key = "a", .text = STR_INIT("\"\n") },
    { .key = "b", .number = -1 },
};

static void is_written_as_otlp_has_it(void)
{
    static const struct {
        const char *name;
        struct span span;
        const char *json;
    } rows[] = {
        { "a root",
          { .name = STR_INIT("n"), .kind = SPAN_SERVER, .started_us = 1, .ended_us = 2 },
          "{\"traceId\":\"" TRACE "\",\"spanId\":\"" SELF "\",\"name\":\"n\",\"kind\":2,"
          "\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"2000\",\"attributes\":[]}" },
        { "a child that failed",
          { .parent = STR_INIT(PARENT),
            .name = STR_INIT("n"),
            .kind = SPAN_INTERNAL,
            .started_us = 1792000000123456,
            .ended_us = 1792000000123457,
            .has_failed = true,
            .attributes = attributes,
            .attribute_count = COUNT_OF(attributes) },
          "{\"traceId\":\"" TRACE "\",\"spanId\":\"" SELF "\",\"parentSpanId\":\"" PARENT "\","
          "\"name\":\"n\",\"kind\":1,\"startTimeUnixNano\":\"1792000000123456000\","
          "\"endTimeUnixNano\":\"1792000000123457000\",\"attributes\":["
          "{\"key\":\"a\",\"value\":{\"stringValue\":\"\\\"\\n\"}},"
          "{\"key\":\"b\",\"value\":{\"intValue\":\"-1\"}}],\"status\":{\"code\":2}}" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_done) struct buf out;
        struct span span = rows[i].span;

        TEST_CASE(rows[i].name);
        buf_init(&out, SIZE_MAX);
        memcpy(span.context.trace_id, TRACE, sizeof(TRACE));
        memcpy(span.context.span_id, SELF, sizeof(SELF));
        span_write(&out, &span);
        CHECK_STR(buf_str(&out), rows[i].json);
    }
}

static void a_long_text_is_cut_between_characters(void)
{
    CLEANUP(buf_done) struct buf out;
    char text[SPAN_TEXT_MAX + 2];

    memset(text, 'x', sizeof(text));
    text[SPAN_TEXT_MAX - 1] = '\xc3';
    text[SPAN_TEXT_MAX] = '\xa9';
    buf_init(&out, SIZE_MAX);
    span_write_attribute(&out,
                         &(struct span_attribute){ .key = "k", .text = { text, sizeof(text) } });
    CHECK_INT((int64_t)out.len,
              (int64_t)(sizeof("{\"key\":\"k\",\"value\":{\"stringValue\":\"\"}}") - 1 +
                        SPAN_TEXT_MAX - 1));
}

int main(void)
{
    RUN(is_written_as_otlp_has_it);
    RUN(a_long_text_is_cut_between_characters);
    return test_end();
}
