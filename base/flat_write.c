/*
 * flat_write.c - from flat tree to text; see flat.h.
 *
 * A number is written from its own text, and so is a string without escapes, with its quotes.
 */
#include <assert.h>

#include "base/flat_internal.h"

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
    if (!json_is_plain(s)) {
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

void flat_write_key(struct buf *out, const struct flat *member)
{
    if ((member->flags & FLAT_PLAIN_KEY) != 0)
        buf_add(out, (struct str){ member->key - 1, (size_t)member->key_len + 2 });
    else
        json_write_string(out, flat_key(member));
}

static void write_at(struct buf *out, const struct flat *value, size_t depth);

static void flat_write_array(struct buf *out, const struct flat *array, size_t depth)
{
    buf_add_char(out, '[');
    for (FLAT_EACH(element, array)) {
        if (out->overflow)
            return;
        if (element->index > 0)
            buf_add_char(out, ',');
        write_at(out, element, depth + 1);
    }
    buf_add_char(out, ']');
}

static void flat_write_object(struct buf *out, const struct flat *object, size_t depth)
{
    buf_add_char(out, '{');
    for (FLAT_EACH(member, object)) {
        if (out->overflow)
            return;
        if (member->index > 0)
            buf_add_char(out, ',');
        flat_write_key(out, member);
        buf_add_char(out, ':');
        write_at(out, member, depth + 1);
    }
    buf_add_char(out, '}');
}

static void write_at(struct buf *out, const struct flat *value, size_t depth)
{
    assert(depth <= JSON_DEPTH_LIMIT);
    switch (flat_kind(value)) {
    case JSON_NULL:
        buf_add(out, STR("null"));
        break;
    case JSON_BOOLEAN:
        buf_add(out, flat_is_true(value) ? STR("true") : STR("false"));
        break;
    case JSON_INTEGER:
    case JSON_NUMBER:
        buf_add(out, flat_str(value));
        break;
    case JSON_STRING:
        if ((value->flags & FLAT_PLAIN) != 0)
            buf_add(out, (struct str){ value->text - 1, (size_t)value->len + 2 });
        else
            json_write_string(out, flat_str(value));
        break;
    case JSON_ARRAY:
        flat_write_array(out, value, depth);
        break;
    case JSON_OBJECT:
        flat_write_object(out, value, depth);
        break;
    }
}

void flat_write(struct buf *out, const struct flat *value)
{
    write_at(out, value, 0);
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

void flat_write_pretty(struct buf *out, const struct flat *value)
{
    CLEANUP(buf_done) struct buf compact;
    struct str rest;
    int depth = 0;

    buf_init(&compact, SIZE_MAX / 2);
    flat_write(&compact, value);
    for (rest = buf_str(&compact); rest.len > 0;)
        rest = str_from(rest, write_pretty_token(out, rest, &depth));
    buf_add_char(out, '\n');
}

struct str flat_text(struct arena *arena, const struct flat *value)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    flat_write(&text, value);
    return arena_copy(arena, buf_str(&text));
}
