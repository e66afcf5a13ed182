/*
 * buf.h - text that grows, up to a maximum told at birth.
 *
 * What does not fit is not added and sets `overflow` for good, so that a writer may add many
 * pieces and look once at the end. A struct buf owns its bytes.
 *
 * Threads: a buf belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *ptr; /* NULL until something is added */
    size_t len;
    size_t capacity;
    size_t max;    /* bytes it may hold */
    bool overflow; /* something did not fit */
};

/** An empty buffer of at most `max` bytes. */
void buf_init(struct buf *buf, size_t max);

/** Free the bytes. Fine for a buffer of zeroes. */
void buf_done(struct buf *buf);

/** Forget the contents and the overflow, keep the memory. */
void buf_clear(struct buf *buf);

/** Room for `more` bytes at ptr + len, to be claimed by adding to `len`; NULL when over `max`. */
char *buf_reserve(struct buf *buf, size_t more);

/** buf_add() where the room must be made first. */
void buf_add_slowly(struct buf *buf, struct str s);

static inline void buf_add(struct buf *buf, struct str s)
{
    if (LIKELY(s.len <= buf->capacity - buf->len && s.len > 0 && !buf->overflow)) {
        memcpy(buf->ptr + buf->len, s.ptr, s.len);
        buf->len += s.len;
    } else {
        buf_add_slowly(buf, s);
    }
}

static inline void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, (struct str){ &c, 1 });
}

/** A whole number in decimal. */
void buf_add_int(struct buf *buf, int64_t number);
void buf_add_uint(struct buf *buf, uint64_t number);

/** Each byte as two lower-case hexadecimal digits. */
void buf_add_hex(struct buf *buf, const uint8_t *bytes, size_t count);

/** Needs room for a NUL behind the text, too. */
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** The contents, valid until the next change. */
static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){ buf->ptr, buf->len };
}
