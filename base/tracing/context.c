/*
 * context.c - see context.h.
 */
#include "base/tracing/context.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/chars.h"

enum {
    AT_TRACE = 3,
    AT_SPAN = 36,
    AT_FLAGS = 53,
    ROOT_LEN = sizeof("1-5759e988-bd862e3fe1be46a994272793") - 1,
    EPOCH_LEN = 8, /* digits of the time in a root */
};

static bool is_lower_hex(char c)
{
    return char_is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_hex(struct str s, size_t start, size_t len)
{
    return s.len >= start + len && all_are((struct str){ s.ptr + start, len }, is_lower_hex);
}

static bool is_zero(char c)
{
    return c == '0';
}

/* version "-" 32 hex "-" 16 hex "-" flags; later versions may continue after another "-". */
static struct str traceparent_id(struct str text)
{
    text = str_trim(text);
    if (!is_hex(text, 0, 2) || !is_hex(text, AT_TRACE, TRACE_ID_LEN) ||
        !is_hex(text, AT_SPAN, TRACE_SPAN_LEN) || !is_hex(text, AT_FLAGS, 2) ||
        text.ptr[AT_TRACE - 1] != '-' || text.ptr[AT_SPAN - 1] != '-' ||
        text.ptr[AT_FLAGS - 1] != '-')
        return STR_NONE;

    struct str id = { text.ptr + AT_TRACE, TRACE_ID_LEN };
    bool longer = text.len > TRACE_PARENT_LEN;

    if (str_starts_with(text, STR("ff")) || all_are(id, is_zero) ||
        all_are((struct str){ text.ptr + AT_SPAN, TRACE_SPAN_LEN }, is_zero) ||
        (longer && (str_starts_with(text, STR("00")) || text.ptr[TRACE_PARENT_LEN] != '-')))
        return STR_NONE;
    return id;
}

/* The value of a field in `name=value` joined with ";"; ptr NULL: there is none. */
static struct str amzn_field(struct str text, struct str name)
{
    while (text.len > 0) {
        struct str field = str_trim(take_until(&text, ';'));

        if (str_starts_with(field, name))
            return str_from(field, name.len);
    }
    return STR_NONE;
}

/* The field Root: `1-8hex-24hex`. */
static struct str amzn_root(struct str text)
{
    struct str root = amzn_field(text, STR("Root="));
    bool valid = root.len == ROOT_LEN && str_starts_with(root, STR("1-")) && is_hex(root, 2, 8) &&
                 root.ptr[10] == '-' && is_hex(root, 11, 24);

    return valid ? root : STR_NONE;
}

/* The last of the hexadecimal digits of the flags has the bit "sampled". */
static bool has_sampled_flag(const char *traceparent)
{
    char digit = traceparent[AT_FLAGS + 1];

    return (char_is_digit(digit) ? digit - '0' : digit - 'a' + 10) % 2 == 1;
}

static bool read_amzn(struct str text, struct trace_context *context)
{
    struct str root = amzn_root(text);
    struct str parent = amzn_field(text, STR("Parent="));
    struct str sampled = amzn_field(text, STR("Sampled="));

    if (!root.ptr)
        return false;
    memcpy(context->trace_id, root.ptr + 2, EPOCH_LEN);
    memcpy(context->trace_id + EPOCH_LEN, root.ptr + 3 + EPOCH_LEN, TRACE_ID_LEN - EPOCH_LEN);
    if (parent.len == TRACE_SPAN_LEN && is_hex(parent, 0, TRACE_SPAN_LEN) &&
        !all_are(parent, is_zero))
        memcpy(context->span_id, parent.ptr, TRACE_SPAN_LEN);
    if (str_equal(sampled, STR("1")))
        context->sampled = TRACE_SAMPLED_YES;
    else if (str_equal(sampled, STR("0")))
        context->sampled = TRACE_SAMPLED_NO;
    return !all_are((struct str){ context->trace_id, TRACE_ID_LEN }, is_zero);
}

bool trace_context_read(struct str traceparent, struct str amzn_trace_id, struct trace_context *out)
{
    struct trace_context context = { 0 };
    struct str id = traceparent_id(traceparent);

    *out = context;
    if (!id.ptr) {
        if (!read_amzn(amzn_trace_id, &context))
            return false;
    } else {
        const char *text = id.ptr - AT_TRACE;

        memcpy(context.trace_id, id.ptr, TRACE_ID_LEN);
        memcpy(context.span_id, text + AT_SPAN, TRACE_SPAN_LEN);
        context.sampled = has_sampled_flag(text) ? TRACE_SAMPLED_YES : TRACE_SAMPLED_NO;
    }
    *out = context;
    return true;
}

void trace_context_write(const struct trace_context *context,
                         char text[static TRACE_PARENT_LEN + 1])
{
    (void)snprintf(text, TRACE_PARENT_LEN + 1, "00-%s-%s-%s", context->trace_id, context->span_id,
                   trace_is_sampled(context) ? "01" : "00");
}

struct str trace_context_for_aws(struct arena *arena, struct str traceparent)
{
    struct trace_context context;

    if (!trace_context_read(traceparent, STR_NONE, &context))
        return STR_NONE;
    return arena_printf(arena, "Root=1-%.*s-%s;Parent=%s;Sampled=%d", EPOCH_LEN, context.trace_id,
                        context.trace_id + EPOCH_LEN, context.span_id, trace_is_sampled(&context));
}

bool trace_text_is_whole(struct str text)
{
    return text.len == TRACE_PARENT_LEN && traceparent_id(text).ptr;
}

bool trace_text_is_sampled(struct str text)
{
    return text.len == TRACE_PARENT_LEN && has_sampled_flag(text.ptr);
}

struct str trace_text_id(struct str text)
{
    return text.len == TRACE_PARENT_LEN ? (struct str){ text.ptr + AT_TRACE, TRACE_ID_LEN }
                                        : STR_NONE;
}

struct str trace_id_for_log(struct str traceparent, struct str amzn_trace_id)
{
    struct str id = traceparent_id(traceparent);

    return id.ptr ? id : amzn_root(amzn_trace_id);
}

static void write_random(char *text, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[TRACE_ID_LEN / 2];
    /* Up to 256 bytes come complete and without interruption, getrandom(2). */
    ssize_t got = getrandom(bytes, digits / 2, 0);
    bool whole = got == (ssize_t)(digits / 2);

    assert(whole);
    (void)whole;
    for (size_t i = 0; i < digits; i++)
        text[i] = hex[i % 2 ? bytes[i / 2] & 0x0f : bytes[i / 2] >> 4];
    text[digits] = '\0';
}

void trace_new_id(char id[static TRACE_ID_LEN + 1])
{
    write_random(id, TRACE_ID_LEN);
}

void trace_new_span(char id[static TRACE_SPAN_LEN + 1])
{
    write_random(id, TRACE_SPAN_LEN);
}
