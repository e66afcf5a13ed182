/*
 * buf.h - text that grows up to a maximum.
 *
 * A piece that does not fit is not added and sets `overflow`. From then on nothing is added, so a
 * writer can add many pieces and check once at the end. A struct buf owns its bytes, except for
 * room that it was lent.
 *
 * Threads: a buffer belongs to one thread at a time.
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
    size_t max;    /* bytes that it may hold */
    bool overflow; /* a piece did not fit */
    bool is_lent;  /* `ptr` is the caller's memory, which the buffer does not free */
};

/** An empty buffer of at most `max` bytes. */
void buf_init(struct buf *buf, size_t max);

/**
 * buf_init(), and the first bytes go to `room`, which must live as long as the buffer; beyond them
 * it has memory of its own. `room` NULL: none is lent.
 */
void buf_init_in(struct buf *buf, size_t max, char *room, size_t size);

/** Free the bytes. A zeroed struct is fine. */
void buf_done(struct buf *buf);

/** Empty the buffer and reset `overflow`; keep the memory. */
void buf_clear(struct buf *buf);

/** The part of buf_reserve() that makes room. */
char *buf_grow(struct buf *buf, size_t more);

/**
 * Make room for `more` bytes and return it, at ptr + len. The caller writes there and adds to
 * `len`. NULL, and `overflow` is set, when `max` would be exceeded.
 */
static inline char *buf_reserve(struct buf *buf, size_t more)
{
    if (LIKELY(more <= buf->capacity - buf->len && !buf->overflow))
        return buf->ptr + buf->len;
    return buf_grow(buf, more);
}

/** Append `s`. */
static inline void buf_add(struct buf *buf, struct str s)
{
    char *to = s.len > 0 ? buf_reserve(buf, s.len) : NULL;

    if (!to)
        return;
    memcpy(to, s.ptr, s.len);
    buf->len += s.len;
}

static inline void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, (struct str){ &c, 1 });
}

enum { BUF_INT_TEXT = sizeof("-9223372036854775808") - 1 };

/** Write a number in decimal, without a NUL. Returns its end. */
char *int_write(char to[static BUF_INT_TEXT], int64_t number);

/** Append a number in decimal. */
void buf_add_int(struct buf *buf, int64_t number);

/** Append each byte as two lower-case hexadecimal digits. */
void buf_add_hex(struct buf *buf, const uint8_t *bytes, size_t count);

/** Append formatted text. Needs room for a NUL after the text, too. */
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** The contents, valid until the next change. */
static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){ buf->ptr, buf->len };
}
