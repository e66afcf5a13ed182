/*
 * flat_read_error.c - the error text of the reader: byte, reason and JSON Pointer in one safe line.
 *
 * Keys come from the sender: characters that could break the line or affect a terminal are written
 * as \uXXXX, and a long pointer is cut. Values are never quoted.
 */
#include "base/flat_internal.h"
#include "base/utf8.h"

/* Bytes of the pointer; leaves room for the rest of the text. */
enum { POINTER_MAX = 240 };

/* Is it a control character, a line separator, or a mark that changes the writing direction? */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static void add_key(struct buf *out, struct str key)
{
    struct str rest = key;
    uint32_t c;

    while (!out->overflow && utf8_take(&rest, &c)) {
        if (is_unsafe(c))
            buf_printf(out, "\\u%04x", c);
        else
            json_write_pointer_token(out, (struct str){ key.ptr, key.len - rest.len });
        key = rest;
    }
}

static void add_level(struct buf *out, const struct flat *values, const struct flat_level *level)
{
    const struct flat *container = &values[level->node];

    if (flat_is_array(container)) {
        buf_printf(out, "/%zu", flat_count(container) - 1); /* an element has begun */
    } else if (level->member != 0) {
        buf_add_char(out, '/');
        add_key(out, flat_key(&values[level->member]));
    }
}

bool flat_read_fail(const struct json_input *in, const struct flat_path *path, struct error *err)
{
    struct buf pointer;

    buf_init(&pointer, POINTER_MAX);
    for (size_t i = 0; i < path->depth && !pointer.overflow; i++)
        add_level(&pointer, path->values, &path->levels[i]);
    (void)fail(err, ERR_MALFORMED, "at byte %zu: %s%s%.*s%s", (size_t)(in->at - in->begin),
               in->reason, pointer.len > 0 ? " at " : "", STR_ARG(buf_str(&pointer)),
               pointer.overflow ? "..." : "");
    buf_done(&pointer);
    return false;
}
