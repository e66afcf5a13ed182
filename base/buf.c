/*
 * buf.c - see buf.h.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){ .max = max };
}

void buf_init_in(struct buf *buf, size_t max, char *room, size_t size)
{
    buf_init(buf, max);
    if (!room)
        return;
    buf->ptr = room;
    buf->capacity = size < max ? size : max;
    buf->is_lent = true;
}

void buf_done(struct buf *buf)
{
    if (!buf->is_lent)
        mem_free(buf->ptr);
    *buf = (struct buf){ 0 };
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
}

/* Give it memory of its own for `capacity` bytes. */
static void enlarge(struct buf *buf)
{
    const char *lent = buf->is_lent ? buf->ptr : NULL;

    buf->ptr = mem_realloc(lent ? NULL : buf->ptr, buf->capacity);
    if (lent && buf->len > 0)
        memcpy(buf->ptr, lent, buf->len);
    buf->is_lent = false;
}

char *buf_grow(struct buf *buf, size_t more)
{
    if (buf->overflow || more > buf->max - buf->len) {
        buf->overflow = true;
        return NULL;
    }
    if (more > buf->capacity - buf->len) {
        size_t wanted = buf->len + more;
        size_t doubled = buf->capacity > buf->max / 2 ? buf->max : buf->capacity * 2;

        buf->capacity = wanted > doubled ? wanted : doubled;
        if (buf->capacity < 64 && buf->max >= 64)
            buf->capacity = 64;
        enlarge(buf);
    }
    return buf->ptr + buf->len;
}

/* 2^64 - 1 has 20 digits. */
static char *uint_write(char *to, uint64_t number)
{
    size_t len = 1;

    for (uint64_t limit = 10; number >= limit && len < BUF_INT_TEXT; limit *= 10)
        len++;
    for (size_t i = len; i > 0; number /= 10)
        to[--i] = (char)('0' + number % 10);
    return to + len;
}

char *int_write(char to[static BUF_INT_TEXT], int64_t number)
{
    if (number >= 0)
        return uint_write(to, (uint64_t)number);
    *to = '-';
    return uint_write(to + 1, 0 - (uint64_t)number);
}

void buf_add_int(struct buf *buf, int64_t number)
{
    char text[BUF_INT_TEXT];

    buf_add(buf, (struct str){ text, (size_t)(int_write(text, number) - text) });
}

void buf_add_hex(struct buf *buf, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        const char pair[] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };

        buf_add(buf, (struct str){ pair, sizeof(pair) });
    }
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    char *to;

    va_start(args, fmt);
    int needed = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (needed < 0) {
        buf->overflow = true;
        return;
    }
    to = buf_reserve(buf, (size_t)needed + 1);
    if (!to)
        return;
    va_start(args, fmt);
    (void)vsnprintf(to, (size_t)needed + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)needed;
}
