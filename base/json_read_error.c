/*
 * json_read_error.c - the error text of the reader: byte, reason and JSON Pointer in one safe line.
 *
 * Keys come from the sender: characters that could break the line or affect a terminal are written
 * as \uXXXX, and a long pointer is cut. Values are never quoted.
 */
#include "base/json_internal.h"
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

static void add_place(struct buf *out, const struct json_place *place)
{
    struct buf scratch;

    if (place->in_array) {
        buf_printf(out, "/%zu", place->index);
        return;
    }
    if (!place->key.bytes.ptr)
        return;
    buf_add_char(out, '/');
    buf_init(&scratch, place->key.bytes.len + 1);
    add_key(out, json_bytes(&place->key, &scratch));
    buf_done(&scratch);
}

bool json_read_fail(const struct json_input *in, const struct json_place *places, size_t depth,
                    struct error *err)
{
    struct buf pointer;

    buf_init(&pointer, POINTER_MAX);
    for (size_t i = 0; i < depth && !pointer.overflow; i++)
        add_place(&pointer, &places[i]);
    (void)fail(err, ERR_MALFORMED, "at byte %zu: %s%s%.*s%s", (size_t)(in->at - in->begin),
               in->reason, pointer.len > 0 ? " at " : "", STR_ARG(buf_str(&pointer)),
               pointer.overflow ? "..." : "");
    buf_done(&pointer);
    return false;
}
