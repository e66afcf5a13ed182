/*
 * json_write.c - from tree to text; see json.h.
 *
 * A number that was read is written from its own text. Only numbers that the program made are
 * formatted here.
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

static void write_value(struct buf *out, struct json_object *value, size_t depth);

/* The number of bytes at the front of `s` that are written as they are. */
static size_t plain_length(struct str s)
{
    const unsigned char *at = (const unsigned char *)s.ptr;

    return s.len ? (size_t)(json_skip_plain(at, at + s.len, false) - at) : 0;
}

static void write_escape(struct buf *out, char c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    uint8_t byte = (uint8_t)c;

    buf_add_char(out, '\\');
    if (byte >= 0x20) { /* `"` or `\` */
        buf_add_char(out, c);
    } else if (letters[byte]) {
        buf_add_char(out, letters[byte]);
    } else {
        buf_add(out, STR("u00"));
        buf_add_hex(out, &byte, 1);
    }
}

static void write_escaped(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.len > 0 && !out->overflow) {
        size_t run = plain_length(s);

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
    if (plain_length(s) < s.len) {
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

    /* Once the token cannot fit any more, the rest of it is not searched. */
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
    int64_t number = json_object_get_int64(value);

    /* json-c returns INT64_MAX for every integer above it, too. */
    if (number == INT64_MAX)
        buf_add_uint(out, json_object_get_uint64(value));
    else
        buf_add_int(out, number);
}

/* The fewest digits that read back as the same number. JSON has no text for infinity and NaN. */
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

/* The bytes of the string, quotes included, at the front of `text`. */
static size_t string_length(struct str text)
{
    size_t at = 1;

    while (text.ptr[at] != '"')
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at + 1;
}

/* Of compact JSON, one string, bracket, comma, colon or other byte becomes pretty. Returns its
 * length. */
static size_t write_pretty_token(struct buf *out, struct str text, int *depth)
{
    enum { INDENT = 2 };
    bool closes = text.ptr[0] == ']' || text.ptr[0] == '}';
    bool opens = text.ptr[0] == '[' || text.ptr[0] == '{';
    size_t len = text.ptr[0] == '"' ? string_length(text) : 1;

    if (opens && (text.ptr[1] == ']' || text.ptr[1] == '}')) {
        opens = false;
        len = 2;
    }
    *depth += opens - closes;
    if (closes)
        buf_printf(out, "\n%*s", INDENT * *depth, "");
    buf_add(out, (struct str){ text.ptr, len });
    if (opens || text.ptr[0] == ',')
        buf_printf(out, "\n%*s", INDENT * *depth, "");
    else if (text.ptr[0] == ':')
        buf_add_char(out, ' ');
    return len;
}

void json_write_pretty(struct buf *out, struct json_object *value)
{
    CLEANUP(buf_done) struct buf compact;
    struct str rest;
    int depth = 0;

    buf_init(&compact, SIZE_MAX / 2);
    json_write(&compact, value);
    for (rest = buf_str(&compact); rest.len > 0;)
        rest = str_from(rest, write_pretty_token(out, rest, &depth));
    buf_add_char(out, '\n');
}

struct str json_text(struct arena *arena, struct json_object *value)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    json_write(&text, value);
    return arena_copy(arena, buf_str(&text));
}
