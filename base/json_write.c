/*
 * json_write.c - from tree to text; see json.h.
 *
 * A number that was read is written from its own text; only numbers that the program made are
 * formatted here.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static void write_value(struct buf *out, struct json_object *value, size_t depth);

static inline bool needs_escape(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes can be copied as they are. */
static size_t clean_run(const char *from, size_t len)
{
    size_t at = 0;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);

    for (; len - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
        __m128i stop = _mm_or_si128(
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes), /* unsigned "at most" */
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);

        if (mask)
            return at + (size_t)__builtin_ctz(mask);
    }
#endif
    while (at < len && !needs_escape(from[at]))
        at++;
    return at;
}

static void write_escape(struct buf *out, char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    unsigned char byte = (unsigned char)c;
    char six[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 0xF] };

    if (byte < 0x20 && !letters[byte]) {
        buf_add(out, (struct str){ six, sizeof(six) });
        return;
    }
    six[1] = c; /* `"` and `\` stand for themselves */
    if (byte < 0x20)
        six[1] = letters[byte];
    buf_add(out, (struct str){ six, 2 });
}

static void write_escaped(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.len > 0 && !out->overflow) {
        size_t run = clean_run(s.ptr, s.len);

        buf_add(out, (struct str){ s.ptr, run });
        s = str_from(s, run);
        if (s.len > 0) {
            write_escape(out, s.ptr[0]);
            s = str_from(s, 1);
        }
    }
    buf_add_char(out, '"');
}

void json_write_string(struct buf *out, struct str s)
{
    if (clean_run(s.ptr, s.len) < s.len) {
        write_escaped(out, s);
        return;
    }

    char *to = buf_reserve(out, s.len + 2);

    if (!to)
        return;
    *to++ = '"';
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    to[s.len] = '"';
    out->len += s.len + 2;
}

void json_write_pointer_token(struct buf *out, struct str token)
{
    size_t from = 0;

    /* A long token that does not fit is not looked at to its end. */
    for (size_t i = 0; i < token.len && !out->overflow && i - from <= out->max; i++) {
        if (token.ptr[i] != '~' && token.ptr[i] != '/')
            continue;
        buf_add(out, (struct str){ token.ptr + from, i - from });
        buf_add(out, token.ptr[i] == '~' ? STR("~0") : STR("~1"));
        from = i + 1;
    }
    buf_add(out, str_from(token, from));
}

static void write_integer(struct buf *out, struct json_object *value)
{
    char text[20]; /* digits of 2^64, or of -2^63 with its sign */
    size_t at = sizeof(text);
    int64_t number = json_object_get_int64(value);
    /* Only the other accessor tells what is beyond int64_t. */
    uint64_t rest = number == INT64_MAX ? json_object_get_uint64(value) : (uint64_t)number;

    if (number < 0)
        rest = -rest;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        text[--at] = '-';
    buf_add(out, (struct str){ text + at, sizeof(text) - at });
}

/* The fewest digits that read back as the same number. JSON has no word for what is not finite. */
static void write_double(struct buf *out, double number)
{
    char text[40];
    int len = 0;

    if (!isfinite(number)) {
        buf_add(out, STR("null"));
        return;
    }
    /* Fifteen digits always survive, and %g drops their zeros; below DBL_MIN fewer may do. */
    for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof(text) - 2, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_add(out, (struct str){ text, (size_t)len });
    if (!strpbrk(text, ".e"))
        buf_add(out, STR(".0"));
}

static void write_number(struct buf *out, struct json_object *value)
{
    const struct json_source *source = json_source(value);

    if (source)
        buf_add(out, (struct str){ source->text, source->len });
    else
        write_double(out, json_object_get_double(value));
}

static void write_array(struct buf *out, struct json_object *array, size_t depth)
{
    size_t count = json_count(array);

    buf_add_char(out, '[');
    for (size_t i = 0; i < count && !out->overflow; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_value(out, json_at(array, i), depth + 1);
    }
    buf_add_char(out, ']');
}

static void write_object(struct buf *out, struct json_object *object, size_t depth)
{
    bool first = true;

    buf_add_char(out, '{');
    for (JSON_EACH(member, object)) {
        if (out->overflow)
            return;
        if (!first)
            buf_add_char(out, ',');
        first = false;
        json_write_string(out, str_from_c(json_key(member)));
        buf_add_char(out, ':');
        write_value(out, json_value(member), depth + 1);
    }
    buf_add_char(out, '}');
}

static void write_value(struct buf *out, struct json_object *value, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    switch (json_object_get_type(value)) {
    case json_type_null:
        buf_add(out, STR("null"));
        break;
    case json_type_boolean:
        buf_add(out, json_object_get_boolean(value) ? STR("true") : STR("false"));
        break;
    case json_type_int:
        write_integer(out, value);
        break;
    case json_type_double:
        write_number(out, value);
        break;
    case json_type_string:
        json_write_string(out, json_str(value));
        break;
    case json_type_array:
        write_array(out, value, depth);
        break;
    case json_type_object:
        write_object(out, value, depth);
        break;
    }
}

void json_write(struct buf *out, struct json_object *value)
{
    write_value(out, value, 0);
}

struct str json_text(struct arena *arena, struct json_object *value)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    json_write(&text, value);
    return arena_copy(arena, buf_str(&text));
}
