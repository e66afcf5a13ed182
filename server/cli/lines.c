/*
 * lines.c - see lines.h.
 */
#include "server/cli/lines.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

void lines_init(struct lines *lines, int fd, size_t max)
{
    *lines = (struct lines){ .fd = fd };
    buf_init(&lines->text, max + PIECE);
}

void lines_done(struct lines *lines)
{
    buf_done(&lines->text);
}

/* Drop what was returned, and read more. */
static bool refill(struct lines *lines, struct error *err)
{
    struct buf *text = &lines->text;

    if (text->ptr && lines->at > 0) {
        memmove(text->ptr, text->ptr + lines->at, text->len - lines->at);
        text->len -= lines->at;
        lines->at = 0;
    }

    char *to = buf_reserve(text, PIECE);

    if (!to)
        return fail(err, ERR_INVALID, "a line of more than %zu bytes", text->max - PIECE);

    ssize_t count = read(lines->fd, to, PIECE);

    if (count < 0 && errno != EINTR)
        return fail_errno(err, ERR_SYSTEM, errno, "read");
    if (count > 0)
        text->len += (size_t)count;
    lines->ended = count == 0;
    return true;
}

static struct str cut_line(struct lines *lines, size_t len)
{
    struct str line = str_from(buf_str(&lines->text), lines->at);

    line.len = len;
    if (line.ptr && line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool lines_next(struct lines *lines, struct str *out, struct error *err)
{
    size_t searched = 0; /* bytes behind `at` that hold no line end */

    for (;;) {
        size_t left = lines->text.len - lines->at;
        const char *from = left > searched ? lines->text.ptr + lines->at + searched : NULL;
        const char *end = from ? memchr(from, '\n', left - searched) : NULL;

        if (end) {
            *out = cut_line(lines, (size_t)(end - (lines->text.ptr + lines->at)));
            lines->at = (size_t)(end - lines->text.ptr) + 1;
            return true;
        }
        if (lines->ended) {
            if (left == 0)
                return false;
            *out = cut_line(lines, left);
            lines->at += left;
            return true;
        }
        searched = left;
        if (!refill(lines, err))
            return false;
    }
}
